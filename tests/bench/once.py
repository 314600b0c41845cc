# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe as a plain process, without Ansible: options of relays as JSON on stdin, and what came of each on stdout."""

from __future__ import annotations

import json
import sys

from ansible_collections.smarthost.mail.plugins.module_utils.smtp.probe import probe_all

results = probe_all(json.load(sys.stdin), False)
sys.stdout.write(json.dumps([[one["category"], one["level_reached"], one["timings_ms"]["total"]] for one in results]))
sys.exit(not all(one["ok"] for one in results))
