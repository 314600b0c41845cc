# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP, tokens (OAuth 2.0) and Microsoft Graph, over the same transport.

Imports: module_utils._shared, module_utils._smtp.network, module_utils._smtp.protocol, module_utils._smtp.x509.
In: where tokens are given out, and the client's proof.
Out: a token, or why there is none.
"""
