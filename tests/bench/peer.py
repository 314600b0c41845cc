# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people write today: the same verified login with smtplib. Arguments: port, CA file, timeout; the password is on stdin."""

from __future__ import annotations

import smtplib
import ssl
import sys

with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), local_hostname="me.example", timeout=float(sys.argv[3])) as relay:
    relay.starttls(context=ssl.create_default_context(cafile=sys.argv[2]))
    relay.login("u", sys.stdin.read())
