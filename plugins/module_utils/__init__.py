# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The target's side: what runs on a managed host. Standard library and ansible.module_utils only, Python 3.8 and later.

Imports: nothing of the others.
"""
