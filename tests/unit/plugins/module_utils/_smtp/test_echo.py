# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that say back what they were sent while logging in, spelled in every way: no result shows a password."""

from __future__ import annotations

import base64
import html
import json
import quopri
import random
import re
import socket
import threading
import typing as t
import urllib.parse

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import HIDDEN, Redactor, Secret
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from servers import script
from smtp_rig import PASSWORD, options


def base64_text(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def unpadded(text: str) -> str:
    """What a base64 answer stands for, as text; other words stay."""
    try:
        return base64.b64decode(text + "==").decode()
    except ValueError:
        return text


SPELLINGS: dict[str, t.Callable[[str], str]] = {
    "clear": str,
    "upper": str.upper,
    "base64": base64_text,
    "base64_url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64_inside_another": lambda text: base64_text("you sent: " + text + " and it is wrong"),
    "base64_upper": lambda text: base64_text(text).upper(),
    "url": lambda text: urllib.parse.quote(text, safe=""),
    "url_lower": lambda text: urllib.parse.quote(text).lower(),
    "form": urllib.parse.quote_plus,
    "json": json.dumps,
    "json_utf8": lambda text: json.dumps(text, ensure_ascii=False),
    "json_php": lambda text: json.dumps(text).replace("/", "\\/"),
    "html": html.escape,
    "hex": lambda text: text.encode().hex(),
    "quoted_printable": lambda text: quopri.encodestring(text.encode(), quotetabs=True).decode(),
    "python": repr,
    "cut_short": lambda text: text[: len(text) * 2 // 3],
}
SPREADS: dict[str, t.Callable[[str], list[str]]] = {
    "in_one_line": lambda text: [text],
    "in_two": lambda text: [text[: len(text) // 2], text[len(text) // 2 :]],
    "five_by_five": lambda text: [text[start : start + 5] for start in range(0, len(text), 5)],
    "with_the_enhanced_code": lambda text: ["5.7.8 " + text[start : start + 9] for start in range(0, len(text), 9)],
}
MECHANISMS = ["PLAIN", "LOGIN", "CRAM-MD5"]


def echoing(mechanism: str, decode: bool, spell: t.Callable[[str], str], spread: t.Callable[[str], list[str]]) -> t.Any:
    """A server that takes a login and refuses it with its last line, spelled and spread; ``decode``: with what that stands for."""

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        lines = sock.makefile("rb")
        sock.sendall(b"220 hi\r\n")
        lines.readline()
        sock.sendall(b"250-hi\r\n250 AUTH %s\r\n" % mechanism.encode())
        said = lines.readline().decode().strip()
        for challenge in {"PLAIN": [], "LOGIN": [b"VXNlcm5hbWU6", b"UGFzc3dvcmQ6"], "CRAM-MD5": [b"PDFAaD4="]}[
            mechanism
        ]:
            sock.sendall(b"334 " + challenge + b"\r\n")
            said = lines.readline().decode().strip()
        parts = spread(re.sub("[\r\n]", " ", spell(unpadded(said.split()[-1]) if decode else said)))
        for number, part in enumerate(parts, 1):
            sock.sendall(b"535%s%s\r\n" % (b" " if number == len(parts) else b"-", part.encode()))
        lines.readline()

    return talk


def bare(text: str) -> str:
    """Letters, digits and marks only, in lower case, without what SMTP and JSON put before and between lines."""
    text = re.sub(r"S: 535[- ](?:5\.7\.8 )?|C: [^\n]*", "", text)
    return re.sub(r"\s|\*", "", text).casefold()


def spelled(secret: str) -> set[str]:
    return {
        bare(spell(secret)) for name, spell in SPELLINGS.items() if name not in ("cut_short", "base64_inside_another")
    }


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("spell", SPELLINGS)
def test_what_a_server_says_back_shows_no_password(spell: str, spread: str) -> None:
    for mechanism in MECHANISMS:
        for decode in (False, True):
            with script(echoing(mechanism, decode, SPELLINGS[spell], SPREADS[spread])) as server:
                asked = options(port=server.port, security="none", username="u", password=PASSWORD, diagnose=False)
                result = probe_all([asked], False)[0]
            assert (result["category"], result["stage"]) == ("auth_failed", "auth")
            for shown in (
                "\n".join(result["transcript"]),
                result["reply"]["text"],
                result["msg"],
                repr(result["steps"]),
            ):
                assert HIDDEN in shown or (mechanism == "CRAM-MD5" and decode)  # a digest is not the password
                for form in spelled(PASSWORD) | spelled("\0u\0" + PASSWORD) | spelled(base64_text("\0u\0" + PASSWORD)):
                    for start in range(0, len(form) - len(form) // 2, 3):
                        assert form[start : start + len(form) // 2 + 3] not in bare(shown), (mechanism, decode, shown)


def test_a_random_password_is_found_in_any_spelling_at_any_place() -> None:
    chance = random.Random(2026)
    marks = "abcXYZ019 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~äß€"
    for _number in range(300):
        secret = "".join(chance.choice(marks) for _count in range(chance.randint(6, 40))).strip() + "x"
        redactor = Redactor()
        redactor.learn("user", Secret(secret))
        name = chance.choice(sorted(SPELLINGS))
        text = re.sub("[\r\n]", " ", SPELLINGS[name](secret))
        if name == "cut_short" and len(secret) < 16:
            continue
        before, after = "x" * chance.randint(0, 3) + " ", " " + "y" * chance.randint(0, 3)
        shown = redactor.text(before + text + after)
        assert HIDDEN in shown and bare(text) not in bare(shown), (name, secret, shown)


@pytest.mark.parametrize("escape", ["%%%02X", "%%%02x", "\\x%02x", "&#%d;"])
def test_a_password_of_which_every_character_is_escaped_is_found(escape: str) -> None:
    redactor = Redactor()
    redactor.learn("u", Secret("plain-letters99"))
    redactor.learn("u", Secret(PASSWORD))
    for secret in ("plain-letters99", PASSWORD):
        written = "".join(
            escape % (ord(t.cast(str, char)) if "#" in escape else char)
            for char in (secret if "#" in escape else secret.encode("utf-8"))
        )
        assert redactor.text("535 " + written + " is wrong") == f"535 {HIDDEN} is wrong"


def test_words_that_hold_no_secret_stay_as_they_are() -> None:
    redactor = Redactor()
    redactor.learn("apps@example.com", Secret(PASSWORD))
    for text in (
        "535 5.7.8 Error: authentication failed for apps@example.com",
        "250 AUTH PLAIN LOGIN",
        "Ünïcode ß € stays",
        "",
    ):
        assert redactor.text(text) == text


def test_an_ordinary_word_in_a_password_does_not_garble_our_own_sentences() -> None:
    redactor = Redactor()
    redactor.learn("ann", Secret("not-the-password"))
    assert redactor.text("Correct the user name or the password.") == "Correct the user name or the password."
    assert redactor.text("you said not-the-password") == f"you said {HIDDEN}"
    redactor.learn("ann", Secret("password"))
    assert redactor.text("you said password") == f"you said {HIDDEN}"
