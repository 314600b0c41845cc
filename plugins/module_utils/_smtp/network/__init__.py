# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets, TLS, DNS and proxies. The only place where anything is sent.

Imports: module_utils._shared, module_utils._smtp.protocol, module_utils._smtp.x509.
In: a route and a deadline.
Out: bytes; what TLS settled on; a failure with a category.
"""
