# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Login mechanisms (RFC 4422), each a pure exchange of bytes: no sockets, no SMTP.

Imports: module_utils._shared, module_utils._smtp.x509.
In: a credential and challenges.
Out: responses, or why the mechanism cannot be used.
"""
