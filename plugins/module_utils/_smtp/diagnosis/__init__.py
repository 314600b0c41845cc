# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a refusal means: the provider's text first, then registered codes, then words; and what ends the problem.

Imports: module_utils._shared, module_utils._smtp.protocol.
In: a reply, or a kind of failure.
Out: category, meaning, remedies.
"""
