# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on a host: units, containers, when they were started, and how they take up what was written.

Imports: module_utils._host.disk, module_utils._host.notes, module_utils._host.tools, module_utils._shared.
In: what an entry says of its service.
Out: what was activated, and what still has to be.
"""
