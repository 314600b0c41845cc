# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What smtp_deploy does, in a plain process: options as JSON in the file named first, the answer as JSON on standard output."""

from __future__ import annotations

import json
import sys

from ansible_collections.smarthost.mail.plugins.module_utils._host.deploy import DeployCall, run


def main() -> None:
    """Options in, one answer out."""
    with open(sys.argv[1], encoding="utf-8") as file:
        options = json.load(file)
    options["changes"] = tuple(options["changes"])
    print(json.dumps(run(DeployCall(**options))))


if __name__ == "__main__":
    main()
