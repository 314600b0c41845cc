# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an application is there, in which version, and whether it reads the file that we write.

Imports: module_utils._host.services, module_utils._host.tools.
In: what an entry says in detect and wiring.
Out: what was seen; never what a secret is.
"""
