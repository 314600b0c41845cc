# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entries of applications, read and checked; their expressions, evaluated without reach.

Imports: module_utils._host.services, module_utils._shared, plugin_utils, plugin_utils.declaration,
  plugin_utils.dialects.
In: apps/NAME/app.yml.
Out: typed entries.
"""
