# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From rendered files to the request that the host gets, its secrets sealed.

Imports: module_utils._host.notes, module_utils._shared, plugin_utils, plugin_utils.declaration,
  plugin_utils.planning, plugin_utils.rendering.
In: rendered files and what the host keeps.
Out: the options of smtp_deploy.
"""
