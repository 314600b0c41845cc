# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Large files of users: four times as much takes about four times as long, in every dialect and at every step."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import FilePlan
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects._registry import can_share, dialect, dialect_names
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects.base import NotValid
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import plan
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering import merge_guard
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering.difference import difference

SHARED = sorted(name for name in dialect_names() if can_share(name))
NESTED = {"goini", "grafana_ini", "rawconfigparser", "yaml", "erb_yaml", "json"}
#: By dialect: the beginning of a file, a line as most are, one as few are, and the end. Each with a number in it.
FILES = {
    "goini": ("[smtp]\nhost = old\n[x]\n", "key{n} = some value {n}\n", "key{n} = `quoted #{n}` ; note\n", "\n"),
    "rawconfigparser": ("[smtp]\nhost = old\n[x]\n", "key{n} = some value {n}\n", "key{n} = one\n  two {n}\n\n", "\n"),
    "phpdotenv": ("A=old\n", "KEY{n}=value{n}\n", 'KEY{n}="quoted \\"{n}" # note\n', "\n"),
    "exim_update": ("A='old'\n", "KEY{n}='value {n}'\n", "  KEY{n}='value {n}'\n", "\n"),
    "exim_macros": ("A = old\n", "KEY{n} = value {n}\n", "KEY{n} = value \\\n  more {n}\n", "\n"),
    "postfix_main": ("A = old\n", "key{n} = value {n}\n", "key{n} = value,\n  more {n}\n# note\n", "\n"),
    "dma": ("A old\n", "KEY{n} value{n}\n", "KEY{n} value{n} # note\n", "\n"),
    "yaml": ("smtp:\n  host: old\n", "key{n}: some value {n}\n", "'key {n}':\n- |\n  text\n- [{n}, *x]\n", "\n"),
    "json": (
        '{"smtp": {"host": "old"},\n',
        '"key{n}": "some value {n}",\n',
        '"key\\n{n}": {"a": [1, null, {n}]},\n',
        '"z": 1}\n',
    ),
}
FILES.update(grafana_ini=FILES["goini"], symfony_dotenv=FILES["phpdotenv"], erb_yaml=FILES["yaml"])
SIZES = (40_000, 160_000)
# Twice what is linear, for a machine with other work; what is quadratic takes sixteen times as long.
FACTOR = 8


def _text(name: str, size: int, odd: bool) -> str:
    start, usual, rare, end = FILES[name]
    if odd and name in ("yaml", "erb_yaml"):
        start = "base: &x 1\n" + start
    line = rare if odd else usual
    return start + "".join(line.replace("{n}", str(number)) for number in range(size // len(line))) + end


def _plan(name: str, owns: t.Sequence[t.Tuple[str, ...]]) -> FilePlan:
    relay = {"host": "h", "from": "a@example.com"}
    found = plan.plan_host(resolve.load(relay, [{"name": "gitea", "form": "env"}]), Catalogue()).apps[0].files[0]
    return found._replace(dialect=name, shared=True, owns=tuple(owns), tree={}, secrets=frozenset())


def _seconds(name: str, text: str) -> float:
    """Processor time of everything that a run does with one file, and of taking it back."""
    owns = [("smtp", "host"), ("smtp", "user")] if name in NESTED else [("A",), ("B",)]
    tree: t.Any = {"smtp": {"host": "new", "user": "u"}} if name in NESTED else {"A": "new", "B": "u"}
    began = time.process_time()
    merged = merge_guard.merge(name, text, tree, owns)
    assert merge_guard.remove(name, merged, owns, text) == text
    assert dialect(name).read(merged)
    assert "new" in difference(_plan(name, owns), text, merged)["after"]
    return time.process_time() - began


def _is_linear(name: str, small: str, large: str) -> bool:
    """In one of some tries: other work on the machine costs processor time as well."""
    _seconds(name, small)
    return any(_seconds(name, large) < FACTOR * max(_seconds(name, small), 0.005) for _try in range(4))


@pytest.mark.parametrize("odd", [False, True], ids=["plain lines", "odd lines"])
@pytest.mark.parametrize("name", SHARED)
def test_time_grows_with_the_file_and_not_with_its_square(name: str, odd: bool) -> None:
    small, large = (_text(name, size, odd) for size in SIZES)
    assert _is_linear(name, small, large)


@pytest.mark.parametrize(
    "name", [name for name in SHARED if name not in ("yaml", "erb_yaml")]
)  # which refuse a key twice
def test_a_key_of_ours_thousands_of_times_is_no_trouble(name: str) -> None:
    one = {
        "goini": "host = 1\n",
        "grafana_ini": "host = 1\n",
        "rawconfigparser": "host = 1\n",
        "json": '"host": 1,',
        "dma": "A 1\n",
    }.get(name, "A=1\n")
    start, _usual, _rare, end = FILES[name]
    counts = [300, 1200]
    texts = [
        ('{"smtp": {' + one * count + '"z": 1}}' if name == "json" else start.replace("[x]\n", "") + one * count + end)
        for count in counts
    ]
    assert _is_linear(name, *texts)


def _seconds_or_refused(name: str, text: str) -> float:
    """Processor time of a merge and a remove, or of the refusal of a text that is not valid."""
    owns = [("smtp", "host")] if name in NESTED else [("A",)]
    began = time.process_time()
    try:
        merged = merge_guard.merge(name, text, {"smtp": {"host": "new"}} if name in NESTED else {"A": "new"}, owns)
        assert merge_guard.remove(name, merged, owns, text) == text
    except (NotValid, merge_guard.Harm):
        pass
    return time.process_time() - began


@pytest.mark.parametrize(
    "piece",
    [
        "\n",
        "\r\n",
        " \n",
        "# note\n",
        "[s]\n",
        "k = \\\n",
        "- a\n",
        '"',
        "`",
        "[",
        "{",
        "<%",
        "a=",
        "\ufeff",
        "\t",
        "$",
    ],
)
@pytest.mark.parametrize("name", SHARED)
def test_a_text_of_one_piece_over_and_over_is_no_trouble(name: str, piece: str) -> None:
    """Comments alone are quite usual, as in a file that nobody has written anything into yet."""
    small, large = (piece * (size // len(piece)) for size in (10_000, 40_000))
    assert any(
        _seconds_or_refused(name, large) < FACTOR * max(_seconds_or_refused(name, small), 0.02) for _try in range(4)
    )


@pytest.mark.parametrize(
    "start, piece, end",
    [
        ("A=", "a", " x\n"),
        ("A=", "a", "'\n"),
        ("A=", "a'b'", " x\n"),
        ("A ", "a", " b\n"),
        ("[smtp]\nhost = ", "a ", '"\n'),
        ("smtp: ", "a ", "\n"),
        ('A="', "\\a", "\n"),
        ("A=", "a\\", "b'\n"),
        ("A=", "${a", "\n"),
        ("A", " ", "b\n"),
        ('{"smtp": "', "\\n", "\n"),
        ("smtp: <%= ", "a ", "\n"),
    ],
)
@pytest.mark.parametrize("name", SHARED)
def test_one_long_line_that_is_nearly_valid_is_no_trouble(name: str, start: str, piece: str, end: str) -> None:
    """A word that a user makes two characters longer must not take twice the time."""
    assert _seconds_or_refused(name, start + piece * 30 + end) < 0.5
    small, large = (start + piece * (size // len(piece)) + end for size in (10_000, 40_000))
    assert any(
        _seconds_or_refused(name, large) < FACTOR * max(_seconds_or_refused(name, small), 0.02) for _try in range(4)
    )


def test_every_shared_dialect_has_its_large_file() -> None:
    assert sorted(FILES) == SHARED
