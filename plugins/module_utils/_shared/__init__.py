# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both halves of the target's side and the controller use: secrets, problems, sealing, paths by descriptors.

Imports: nothing of the others.
"""
