# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same verified login as peer.py does, by the probe. Arguments: port, CA file, timeout; the password is on stdin."""

from __future__ import annotations

import sys

from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all

RELAY = {
    "host": "127.0.0.1",
    "port": int(sys.argv[1]),
    "security": "starttls",
    "validate_certs": True,
    "ca_path": sys.argv[2],
    "tls_min_version": "1.2",
    "username": "u",
    "password": sys.stdin.read(),
    "allow_plaintext_auth": False,
    "helo": "me.example",
    "timeout": float(sys.argv[3]),
    "send": "never",
    "diagnose": True,
    "state_dir": "/nowhere",
}
(result,) = probe_all([RELAY], False)
sys.exit(not result["ok"] or result["level_reached"] != "auth")
