# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of the environment whose values an application parses once more, each by that application's own parser.

Every function takes the variables as a process has them and returns ``{name: value read}``.
"""

from __future__ import annotations

import json
import sys

from . import Read, _find, _run, need

_AUTHENTIK = (
    "import json, sys; print(json.dumps({name: json.loads(value) for name, value in json.load(sys.stdin).items()}))"
)
_GHOST = """
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(Object.fromEntries(Object.entries(given).map(([name, value]) => [name, JSON.parse(value)]))));
"""
_MASTODON = """
require "erb"
require "json"
require "yaml"
given = JSON.parse($stdin.read)
given.each { |name, value| ENV[name] = value }
template = given.keys.map { |name| "#{name}: <%= ENV.fetch('#{name}', nil) %>\\n" }.join
puts JSON.generate(YAML.load(ERB.new(template).result))
"""


def authentik(variables: dict[str, str]) -> Read:
    """Python's json.loads of each value, as authentik's update_from_env does."""
    found: Read = json.loads(_run(sys.executable, "-c", _AUTHENTIK, stdin=json.dumps(variables)))
    return found


def ghost(variables: dict[str, str]) -> Read:
    """Node's JSON.parse of each value, as nconf's parseValues does."""
    need(_find("node"), "nodejs")
    found: Read = json.loads(_run("node", "-e", _GHOST, stdin=json.dumps(variables)))
    return found


def mastodon(variables: dict[str, str]) -> Read:
    """ERB that puts each value into YAML as it is, then Psych, as Rails reads Mastodon's config/email.yml."""
    need(_find("ruby"), "ruby")
    found: Read = json.loads(_run("ruby", "-E", "UTF-8:UTF-8", "-e", _MASTODON, stdin=json.dumps(variables)))
    return found
