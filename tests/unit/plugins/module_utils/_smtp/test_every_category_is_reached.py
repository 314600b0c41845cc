# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No category without a sample: each is how some transcript, reply or live conversation of these tests ends."""

from __future__ import annotations

import pathlib
import re

from ansible_collections.smarthost.mail.plugins.module_utils._smtp.diagnosis.categories import CATEGORIES

HERE = pathlib.Path(__file__).parent


def test_every_category_is_reached_by_a_transcript_a_reply_or_a_live_conversation() -> None:
    reached = {path.read_text("utf-8").splitlines()[-1].split()[1] for path in (HERE / "transcripts").glob("*.txt")}
    for name in ("provider_replies.txt", "other_replies.txt"):
        reached |= {
            line.split(" | ")[-1] for line in (HERE / name).read_text("utf-8").splitlines() if not line.startswith("#")
        }
    for name in ("test_live.py", "test_hostile.py", "test_oauth2.py"):
        reached |= set(re.findall(r'"([a-z_]+)"', (HERE / name).read_text("utf-8")))
    assert set(CATEGORIES) - reached == set()
