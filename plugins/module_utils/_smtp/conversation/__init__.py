# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said to a relay, in order: reads like RFC 5321 section 3.

Imports: module_utils._shared, module_utils._smtp.diagnosis, module_utils._smtp.protocol, module_utils._smtp.sasl.
In: a goal.
Out: what the log holds afterwards.
"""
