# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every dialect of shared files over every kind of odd file of a user's: kept byte for byte around our keys, or refused, never mangled."""

from __future__ import annotations

import importlib
import pathlib
import subprocess
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.plugin_utils import dialects
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects import _registry as speech
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects.base import NotValid
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering import merge_guard
from catalogue import oracles
from catalogue.oracles import languages, mailers

SHARED = sorted(name for name in speech.dialect_names() if speech.can_share(name))


class Odd(t.NamedTuple):
    """A user's file in one dialect, the same with tabs and with a setting or section twice, one that is not valid, and what is ours."""

    plain: str
    tabs: str
    twice: str
    not_valid: str
    ours: t.Tuple[str, ...]
    value: t.Any = "new"
    refused: t.Tuple[str, ...] = ()

    def text(self, kind: str) -> str:
        """The file of one kind of KINDS."""
        changed = {
            "crlf": self.plain.replace("\n", "\r\n"),
            "bom": "\ufeff" + self.plain,
            "no end of the last line": self.plain.rstrip("\n"),
            "tabs": self.tabs,
            "twice": self.twice,
        }
        return changed[kind]


KINDS = ("crlf", "bom", "no end of the last line", "tabs", "twice")
INI = Odd(
    "; mine\n[mailer]\nHOST = old\nOTHER = 1\n\n[log]\nLEVEL = info\n",
    "[mailer]\n\tHOST\t=\told\n\tOTHER\t=\t1\n",
    "[mailer]\nHOST = old\n[log]\nLEVEL = info\n[mailer]\nHOST = older\nOTHER = 1\n",
    "[mailer]\nno delimiter\n",
    ("mailer", "HOST"),
)
YAML = Odd(
    "# mine\nglobal:\n  HOST: old\n  OTHER: 1\nroute: x\n",
    "global:\n\tHOST: old\n",
    "global:\n  HOST: old\nroute: x\nglobal:\n  HOST: older\n",
    "global: [1\n",
    ("global", "HOST"),
    refused=("tabs", "twice"),
)
ENV = Odd(
    "# mine\nHOST=old\nOTHER=1\n",
    "\tHOST=old\n\tOTHER=1\n",
    "HOST=old\nOTHER=1\nHOST=older\n",
    "OTHER=two words\n",
    ("HOST",),
)
ODD = {
    "goini": INI,
    "grafana_ini": INI,
    "rawconfigparser": INI._replace(
        plain=INI.plain.replace("HOST", "host"),
        tabs="[mailer]\nhost\t=\told\nother\t=\t1\n",
        twice=INI.twice.replace("HOST", "host"),
        ours=("mailer", "host"),
    ),
    "yaml": YAML,
    "erb_yaml": YAML,
    "json": Odd(
        '{\n  "global": {\n    "HOST": "old",\n    "OTHER": 1\n  }\n}\n',
        '{\n\t"global": {\n\t\t"HOST": "old",\n\t\t"OTHER": 1\n\t}\n}\n',
        '{"global": {"HOST": "old"}, "global": {"HOST": "older"}}\n',
        '{"global": {"HOST": "old",}}\n',
        ("global", "HOST"),
        refused=("bom",),
    ),
    "phpdotenv": ENV,
    "symfony_dotenv": ENV,
    "exim_update": ENV._replace(plain="# mine\nHOST='old'\nOTHER='1'\n"),
    "exim_macros": Odd(
        "# mine\nHOST = old\nOTHER = 1\n",
        "HOST\t=\told\nOTHER\t=\t1\n",
        "HOST = old\nOTHER = 1\nHOST == older\n",
        "OTHER = 1 \\",
        ("HOST",),
    ),
    "postfix_main": Odd(
        "# mine\nHOST = old\nOTHER = a,\n  b\n",
        "HOST\t=\told\nOTHER = a,\n\tb\n",
        "HOST = old\nOTHER = 1\nHOST = older\n",
        "no equals\n",
        ("HOST",),
    ),
    "dma": Odd(
        "# mine\nSMARTHOST old\nPORT 25\n",
        "SMARTHOST\told\nPORT\t25\n",
        "SMARTHOST old\nPORT 25\nSMARTHOST older\n",
        "free text\n",
        ("SMARTHOST",),
    ),
}
ROWS = [(name, kind) for name in SHARED for kind in KINDS]


def _merge(name: str, text: str) -> str:
    odd = ODD[name]
    return t.cast(str, _module(name).merge(text, _tree(odd), [odd.ours]))


def _tree(odd: Odd) -> t.Any:
    tree: t.Any = odd.value
    for key in reversed(odd.ours):
        tree = {key: tree}
    return tree


def _module(name: str) -> t.Any:
    return importlib.import_module(f"{dialects.__name__}.{name}")


def _not_ours(text: str, key: str) -> t.List[str]:
    return [line for line in text.removeprefix("\ufeff").splitlines(keepends=True) if key not in line]


def test_every_shared_dialect_has_its_rows() -> None:
    assert sorted(ODD) == SHARED


@pytest.mark.parametrize(("name", "kind"), [row for row in ROWS if row[1] not in ODD[row[0]].refused])
def test_an_odd_file_is_kept_around_our_key(name: str, kind: str) -> None:
    odd, spoken, text = ODD[name], _module(name), ODD[name].text(kind)
    merged = _merge(name, text)
    found = spoken.read(merged)
    for key in odd.ours:
        found = found[key]
    assert found == odd.value
    assert merged.startswith("\ufeff") == text.startswith("\ufeff")
    wanted, there = _not_ours(text, odd.ours[-1]), _not_ours(merged, odd.ours[-1])
    assert (
        there == wanted
        or [line.rstrip("\n") for line in there] == [line.rstrip("\n") for line in wanted]
        and not text.endswith("\n")
    )
    assert _merge(name, merged) == merged, "a second run changes the file"
    assert spoken.remove(merged, [odd.ours], text) == text, "taken back, the file is not as it was"


@pytest.mark.parametrize(
    "last", ["", "\n", "\n\n", "\r\n", " ", "\t", " \t\n", "  \r\n", " \n\n", "\n  \n", "\n\n \n\n"]
)
@pytest.mark.parametrize("name", SHARED)
def test_a_file_is_taken_whatever_blanks_its_lines_end_in(name: str, last: str) -> None:
    """The guard of every write has no reason to refuse one of these: with our key in it and without, at the end of each line and of the text."""
    odd = ODD[name]
    if (name, last) == ("exim_update", "  \r\n"):
        last = "  # \r\n"  # a word of its own to a shell, which looks for a program of this name
    for lines in (odd.plain.splitlines(), _not_ours(odd.plain, odd.ours[-1])):
        for blanks in ("", " ", "\t "):
            text = f"{blanks}\n".join(line.rstrip("\n") for line in lines) + last
            merged = merge_guard.merge(name, text, _tree(odd), [odd.ours])
            assert merge_guard.remove(name, merged, [odd.ours], text) == text
            assert merge_guard.values(name, merged, [odd.ours]) == {odd.ours: odd.value}


@pytest.mark.parametrize("lines", [slice(1), slice(2), slice(3), slice(1, None)])
@pytest.mark.parametrize("name", SHARED)
def test_our_key_can_be_taken_back_from_a_file_that_got_other_line_ends_since(name: str, lines: slice) -> None:
    """Also where a CR is a part of the user's values then, as it is to a shell and to dma: theirs stay as they are now."""
    odd = ODD[name]
    original = odd.plain if odd.plain.startswith("{") else "".join(odd.plain.splitlines(keepends=True)[lines])
    now = merge_guard.merge(name, original, _tree(odd), [odd.ours]).replace("\n", "\r\n")
    rest = merge_guard.remove(name, now, [odd.ours], original)
    assert [line.rstrip("\r\n") for line in _not_ours(rest, odd.ours[-1])] == [
        line.rstrip("\r\n") for line in _not_ours(original, odd.ours[-1])
    ]
    assert merge_guard.values(name, rest, [odd.ours]) == merge_guard.values(name, original, [odd.ours])


@pytest.mark.parametrize(
    ("name", "kind"), [row for row in ROWS if row[1] in ODD[row[0]].refused] + [(name, "not valid") for name in SHARED]
)
def test_an_odd_file_that_the_application_does_not_read_is_refused(name: str, kind: str) -> None:
    with pytest.raises(NotValid):
        _merge(name, ODD[name].not_valid if kind == "not valid" else ODD[name].text(kind))


LARAVEL, SYMFONY, REDMINE = (
    ("phpdotenv", oracles.laravel),
    ("symfony_dotenv", mailers.symfony),
    ("erb_yaml", languages.redmine),
)


@pytest.mark.parametrize(
    ("speaks", "text"),
    [
        *(
            (LARAVEL, text)
            for text in (
                "A\nB=1\n",
                "export BB\n",
                '"A"\n',
                "A # c\n",
                "X\nA",
                "B=a\x85b\n",
                "B=\u2028\xa0\n",
                "B=1\x85",
                "B='x'\x85\n",
                "B=\x0bx\x0b#y\n",
                '# B="x\nB="y"\nC=3\n',
                '# B="x\nC=3\n',
                'B=1 # x="y\nC=2\n',
                '# ="x"\nB=1\n',
            )
        ),
        *(
            (SYMFONY, text)
            for text in (
                "B=a\x0b\n",
                "B=\x0b\n",
                "B=a\x0cb\n",
                "B=a\x0c\n",
                "B=a\xa0\x85\u2028b\n",
                "B=1\n\x0b\n\x0cC=2\n",
                "B='x'\x0b\n",
                "B='x' # c\n",
                "B='x'#c\n",
                "B=#c\n",
                "B= # c\n",
                "B= 1\n",
                "B=a b\n",
                "B=a$C b\n",
                "B=a\\\\ b\n",
                "B=C:\\dir\n",
                "B=a\\'b\n",
                "B=a\"b\"'c' # d\n",
                "B='x' y\n",
                "B\n",
                "B=a #b\n",
                "B=a#b\n",
            )
        ),
        *(
            (REDMINE, text)
            for text in (
                "\ufeffx: 1\n",
                "\ufeff# c\nx: 1\n",
                "\ufeff\nx: 1\n",
                "\ufeff",
                "\ufeffA:\n  y: 1\nx: 1\n",
                "\ufeff  \r\nx: 1\r\n",
            )
        ),
    ],
)
def test_what_the_program_takes_is_taken_and_what_it_loses_is_not(
    speaks: t.Tuple[str, t.Callable[[str], t.Any]], text: str
) -> None:
    """With our setting in it the program reads all that it read before, and ours; a file is refused only where it could not."""
    name, program = speaks
    ours = {"A": {"a": "new"}} if name == "erb_yaml" else {"A": "new"}
    owns = [["A", "a"]] if name == "erb_yaml" else [["A"]]
    try:
        before = program(text)
    except AssertionError:
        before = None
    try:
        merged = merge_guard.merge(name, text, ours, owns)
    except NotValid:
        plain = text.rstrip("\n") + ("\nA: {a: new}\n" if name == "erb_yaml" else "\nA=new\n")
        assert before is None or "A" not in program(plain), "a needless refusal"
        return
    assert before is not None or text == "\ufeff"
    assert program(merged) == {**(before or {}), **ours, **({"A": {"y": 1, "a": "new"}} if "y: 1" in text else {})}
    assert merge_guard.remove(name, merged, owns, text) == text


SHELL = "A B C D".split()


def _sourced(text: str, folder: pathlib.Path) -> t.Optional[t.Dict[str, str]]:
    """The variables that a POSIX shell has once it has read the text as update-exim4.conf does; None where it stumbles over it."""
    (folder / "conf").write_bytes(text.encode())
    asked = "set -e; . ./conf; printf '%s\\0' " + " ".join(f'"${name}"' for name in SHELL)
    done = subprocess.run(
        ["/bin/sh", "-c", asked], cwd=folder, env={"PATH": "/nowhere"}, capture_output=True, check=False, timeout=10
    )
    return None if done.returncode or done.stderr else dict(zip(SHELL, done.stdout.decode().split("\0")))


@pytest.mark.parametrize(
    "text",
    [
        "A='old'\r\nC=1\r\n",
        "A=old\r\n# mine\r\n",
        "# mine\r\n",
        "C=1\rB=2",
        "C='x'\rA='old'\n",
        "A=old \r\n",
        "C=1\r",
        "A='old'\t# why\n",
        "C=a#b\n",
        "C=#\n",
        "C='a'\"b\"c\n",
        "C=a\x0bb\n",
        "C=\u00fc\u2028\x85\n",
        "A='x\r'\n",
        "C=\\\n",
        "C='a\nb'\n",
        "\r\n",
        "C= x\n",
        "C=\"'\"\nD='\"'\n",
    ],
)
def test_a_shell_reads_our_value_and_all_others_as_before(text: str, tmp_path: pathlib.Path) -> None:
    """To a shell a carriage return ends nothing: one at the end of our line was a part of our value."""
    before = _sourced(text, tmp_path)
    try:
        merged = merge_guard.merge("exim_update", text, {"A": "new one", "B": "b"}, [["A"], ["B"]])
    except NotValid:
        assert before is None or "\\" in text or "'a\nb'" in text, "a needless refusal"
        return
    assert before and _sourced(merged, tmp_path) == {**before, "A": "new one", "B": "b"}
    assert speech.dialect("exim_update").read(merged) == {
        name: value for name, value in {**before, "A": "new one", "B": "b"}.items() if value
    }
    assert merge_guard.remove("exim_update", merged, [["A"], ["B"]], text) == text


@pytest.mark.parametrize("first", ["MAILER_DSN=smtp://old\\", "LOG=C:\\logs\\"])
def test_a_backslash_at_the_end_of_a_line_takes_no_other_line_along(first: str) -> None:
    """Symfony's Dotenv ends a value without quotes at the end of its line, whatever stands before it."""
    symfony = speech.dialect("symfony_dotenv")
    ours: t.List[t.List[str]] = [["MAILER_DSN"]]
    merged = symfony.merge(f"{first}\nAPP_SECRET=abc\nMAILER_DSN=x\n", {"MAILER_DSN": "smtp://new"}, ours)
    assert symfony.read(merged)["MAILER_DSN"] == "smtp://new" and "APP_SECRET=abc\n" in merged
    removed = symfony.remove(f"{first}\nMAILER_DSN=secret\n", ours, "")
    assert "secret" not in removed and symfony.read("X=a\\") == {"X": "a\\"}
