# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files by descriptors: what stands at a path, how it is replaced without a moment in between, and whose home it is in.

Imports: module_utils._shared.
In: paths.
Out: what was seen; bytes that are on the disk when a call returns.
"""
