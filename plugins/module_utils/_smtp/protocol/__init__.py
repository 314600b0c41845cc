# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes and order of SMTP, without sockets: commands, replies, the engine that feeds a conversation, its log.

Imports: module_utils._shared, module_utils._smtp.x509.
In: bytes from the server.
Out: replies, bytes to send, the log of what happened.
"""
