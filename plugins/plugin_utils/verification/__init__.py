# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is proven of a host's applications: probes, tries, and how far each was shown to work.

Imports: module_utils._shared, plugin_utils, plugin_utils.declaration, plugin_utils.deployment, plugin_utils.dialects,
  plugin_utils.planning, plugin_utils.rendering.
In: plans and the results of probes.
Out: proof levels, and why one was not reached.
"""
