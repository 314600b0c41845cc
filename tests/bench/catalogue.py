# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the controller's part for one host with 60 applications: processor time of fresh processes, after imports."""

from __future__ import annotations

import json
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROUNDS = 9
COUNT = 60
HOLD = 150
PARTS = ("declaration", "read entries", "plan", "render", "whole")


def once() -> dict[str, float]:
    """One process: milliseconds of processor time for each part. Nothing has been read or compiled before."""
    sys.path.insert(0, str(ROOT / ".venv" / "collections"))
    from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import SHIPPED, Catalogue
    from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
    from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.validation import load_schema
    from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects._registry import dialect, dialect_names
    from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import plan
    from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering import render

    for name in dialect_names():  # imports, as much as the others
        dialect(name)
    names = sorted(path.parent.name for path in SHIPPED.glob("*/app.yml"))[:COUNT]
    codes = load_schema("smtp_relay")["$defs"]["relay"]["properties"]["accept"]["items"]["enum"]
    relay = {
        "host": "smtp.example.com",
        "username": "u",
        "password": "dummy-secret",
        "from": "noreply@example.com",
        "accept": codes,
    }
    times = [time.process_time()]
    declared = resolve.load(relay, names)
    times.append(time.process_time())
    catalogue = Catalogue()
    for name in names:
        catalogue.find(name, "")
    times.append(time.process_time())
    planned = plan.plan_host(declared, catalogue)
    times.append(time.process_time())
    written = [render.render_app(item, {}) for item in planned.apps]
    times.append(time.process_time())
    if len(names) != COUNT or len(written) < COUNT * 0.9 or any(problems for _rendered, _refusals, problems in written):
        sys.exit("this run did not do what it should: %d of %d applications were rendered" % (len(written), len(names)))
    each = [1000 * (after - before) for before, after in zip(times, times[1:])]
    return dict(zip(PARTS, [*each, sum(each)]))


def main() -> None:
    """Print the medians and write build/bench-catalogue.json."""
    if sys.argv[1:] == ["once"]:
        print(json.dumps(once()))
        return
    command = [sys.executable, __file__, "once"]
    runs = [
        json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout) for _round in range(ROUNDS + 1)
    ][1:]
    medians = {part: statistics.median(run[part] for run in runs) for part in PARTS}
    print(
        "\n%-62s %10s     %s"
        % ("%d applications on one host, processor time, medians of %d" % (COUNT, ROUNDS), "here", "hold")
    )
    for part, value in medians.items():
        print("%-62s %10.0f ms  %s" % (part, value, "<= %d" % HOLD if part == "whole" else ""))
    out = ROOT / "build" / "bench-catalogue.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"ms": medians, "hold": HOLD, "runs": runs}, indent=1) + "\n", encoding="utf-8")
    print("\nwritten: build/bench-catalogue.json")


if __name__ == "__main__":
    main()
