# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other programs on a host: started safely, with bounded output and time; settings that only a tool of an application has.

Imports: module_utils._host.disk, module_utils._shared.
In: words, and text for the standard input.
Out: what the program printed, or why it could not be used.
"""
