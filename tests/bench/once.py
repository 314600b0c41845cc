# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe as a plain process, without Ansible: options of relays as JSON on stdin; on stdout the ms of all, and what came of each."""

from __future__ import annotations

import json
import sys
import time

from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all

asked = json.load(sys.stdin)
started = time.monotonic()
results = probe_all(asked, False)
lasted = (time.monotonic() - started) * 1000
each = [[one["category"], one["level_reached"], one["timings_ms"]["total"]] for one in results]
sys.stdout.write(json.dumps({"ms": lasted, "relays": each}))
sys.exit(not all(one["ok"] for one in results))
