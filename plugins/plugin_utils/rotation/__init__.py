# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of changing a credential on a fleet, and whether the old one is dead.

Imports: module_utils._host.notes, module_utils._shared, plugin_utils, plugin_utils.catalogue, plugin_utils.declaration,
  plugin_utils.planning, plugin_utils.rendering, plugin_utils.verification.
In: what every host says is in force.
Out: what to do next, and with whom.
"""
