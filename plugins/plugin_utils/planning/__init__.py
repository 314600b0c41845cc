# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For one host: which application sends how, with which files, or why it is refused.

Imports: module_utils._host.notes, module_utils._host.services, plugin_utils, plugin_utils.catalogue,
  plugin_utils.declaration.
In: relays, requests, entries; what a host says is there.
Out: plans and refusals.
"""
