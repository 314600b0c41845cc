# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scenario's relay: the demo's, run until its folder is removed."""

from __future__ import annotations

import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "demo"))

from relay import EmbeddedRelay  # noqa: E402

PASSWORD = "p@ss w\"o'r\\d $HOME #;%s`x ASCII"
LONGEST = 1800


def main(folder: pathlib.Path) -> None:
    """Serve; facts.json appears once it listens."""
    folder.mkdir(mode=0o700)
    with EmbeddedRelay(folder / "pki", "apps@example.com", PASSWORD) as relay:
        facts = {"starttls_port": relay.starttls_port, "tls_port": relay.tls_port, "ca": str(relay.ca), "password": PASSWORD}
        (folder / "facts.json.new").write_text(json.dumps(facts), encoding="utf-8")
        os.rename(folder / "facts.json.new", folder / "facts.json")
        end = time.monotonic() + LONGEST
        while folder.exists() and time.monotonic() < end:
            time.sleep(0.2)


main(pathlib.Path(sys.argv[1]))
