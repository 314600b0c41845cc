# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a plan to text, and from text back to the login that is in it.

Imports: module_utils._shared, plugin_utils, plugin_utils.catalogue, plugin_utils.declaration, plugin_utils.dialects,
  plugin_utils.planning.
In: plans, and the text that stands in shared files.
Out: text for each path; what changes, without secrets.
"""
