# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of settings in an application's own language, each read by that language: PHP, Ruby, Python."""

from __future__ import annotations

import json
import sys

from . import HERE, Read, _file, _find, _run, need

_MATOMO = """
function decoded(mixed $value): mixed
{
    return is_array($value) ? array_map("decoded", $value) : html_entity_decode($value, ENT_COMPAT, "UTF-8");
}
echo json_encode(decoded(parse_ini_string(file_get_contents($argv[1]) . "\\n", true)), JSON_THROW_ON_ERROR);
"""
_PHPINI = """
$read = [];
foreach (array_slice($argv, 1) as $name) $read[$name] = get_cfg_var($name);
echo json_encode($read, JSON_THROW_ON_ERROR);
"""
_RAW = """
import configparser, json, sys
parser = configparser.RawConfigParser()
assert parser.read(sys.argv[1], encoding="utf-8")
print(json.dumps({name: dict(parser.items(name)) for name in parser.sections()}))
"""
_GITLAB = """
require "json"
class Settings
  attr_reader :gitlab_rails
  def initialize = @gitlab_rails = {}
  def from_file(path) = instance_eval(File.read(path), path)
end
settings = Settings.new
settings.from_file(ARGV[0])
puts JSON.generate(settings.gitlab_rails)
"""
_REDMINE = """
require "erb"
require "json"
require "yaml"
puts JSON.generate(YAML.load(ERB.new(File.read(ARGV[0])).result, aliases: true, permitted_classes: [Symbol]))
"""


def php_settings(text: str) -> Read:
    """PHP's own include: ``{"config": {...}, "CFG": {...}, "wgName": ...}``."""
    need(_find("php"), "php-cli")
    with _file(text, "settings.inc.php") as path:
        found: Read = json.loads(_run("php", "-d", "display_errors=stderr", HERE / "settings.php", path))
        return found


def wordpress(text: str) -> Read:
    """PHP's own include with WordPress's hook functions: ``{hook: properties or answer}``."""
    need(_find("php"), "php-cli")
    with _file(text, "plugin.php") as path:
        found: Read = json.loads(_run("php", "-d", "display_errors=stderr", HERE / "wordpress.php", path))
        return found


def matomo(text: str) -> Read:
    """PHP's own ini parser and entity decoder, as Matomo calls them: ``{section: {key: text}}``."""
    need(_find("php"), "php-cli")
    with _file(text, "x.ini.php") as path:
        found: Read = json.loads(_run("php", "-d", "display_errors=stderr", "-r", _MATOMO, "--", path))
        return found


def phpini(text: str, values: Read) -> Read:
    """PHP's own start with the text as its php.ini: ``{name: text}`` of the names asked for."""
    need(_find("php"), "php-cli")
    with _file(text, "php.ini") as path:
        found: Read = json.loads(_run("php", "-c", path, "-r", _PHPINI, "--", *values))
        return found


def gitlab(text: str) -> Read:
    """Ruby's instance_eval, as Omnibus reads ``gitlab.rb`` and what it includes: the keys of ``gitlab_rails``."""
    return _ruby(_GITLAB, text)


def redmine(text: str) -> Read:
    """ERB, then Psych, as Redmine reads ``configuration.yml``."""
    return _ruby(_REDMINE, text)


def _ruby(script: str, text: str) -> Read:
    need(_find("ruby"), "ruby")
    with _file(text) as path:
        found: Read = json.loads(_run("ruby", "-E", "UTF-8:UTF-8", "-e", script, path))
        return found


def rawconfigparser(text: str) -> Read:
    """Python's RawConfigParser, as Odoo and Mailman's lazr.config use it: ``{section: {key: value}}``."""
    with _file(text) as path:
        found: Read = json.loads(_run(sys.executable, "-c", _RAW, path))
        return found
