# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side: from the declaration to what is to be done on each host, and to the report of it.

Imports: module_utils._shared, module_utils._smtp.options.
"""
