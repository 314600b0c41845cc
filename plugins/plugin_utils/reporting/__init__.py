# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has done and seen, for people and programs: page, JSON, JUnit, the last lines.

Imports: module_utils._host.notes, module_utils._shared, plugin_utils, plugin_utils.declaration, plugin_utils.deployment,
  plugin_utils.planning, plugin_utils.verification.
In: results of tasks.
Out: files and sentences.
"""
