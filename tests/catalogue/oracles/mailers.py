# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailers and mail libraries that can be asked for what they have read, without sending."""

from __future__ import annotations

import json
import os
import re
import typing as t

from . import Read, _file, _find, _run, need

SHOWN_BY_MUTT = 240

_SYMFONY = """
require "Symfony/Component/Dotenv/autoload.php";
echo json_encode((new Symfony\\Component\\Dotenv\\Dotenv())->parse(file_get_contents($argv[1])), JSON_THROW_ON_ERROR);
"""


def symfony(text: str) -> Read:
    """Symfony's Dotenv."""
    need(os.path.exists("/usr/share/php/Symfony/Component/Dotenv/autoload.php"), "php-symfony-dotenv")
    with _file(text, ".env.local") as path:
        found: Read = json.loads(_run("php", "-d", "display_errors=stderr", "-r", _SYMFONY, "--", path))
        return found


def mutt(text: str, values: t.Mapping[str, str]) -> Read:
    """Mutt, asked for every variable. It shows a value in double quotes with backslashes, and no more than SHOWN_BY_MUTT characters."""
    need(_find("mutt"), "mutt")
    with _file(text, "muttrc") as path:
        shown = _run(
            "mutt", "-n", "-F", path, *[word for name in values for word in ("-Q", f"my_{name}")], LC_ALL="C.UTF-8"
        )
    lines = [line.removeprefix("my_").partition("=") for line in shown.split("\n") if line]
    return {name: re.sub(r"\\(.)", _unescaped, spelled[1:-1])[:SHOWN_BY_MUTT] for name, _equals, spelled in lines}


def _unescaped(found: re.Match[str]) -> str:
    return "\t" if found[1] == "t" else found[1]


def s_nail(text: str, values: t.Mapping[str, str]) -> Read:
    """S-nail, told to print every variable."""
    need(_find("s-nail"), "s-nail")
    with _file(text, "rc") as path:
        script = "".join(f'echo "${name}"\n' for name in values)
        shown = _run("s-nail", "-:/", "-#", "-X", f"source {path}", stdin=script, LC_ALL="C.UTF-8", HOME="/nonexistent")
    return dict(zip(values, shown.split("\n")))
