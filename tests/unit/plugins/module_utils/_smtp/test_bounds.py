# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody stretches our time, our memory or a result: what is left out is said, and what cannot be seen is escaped wherever it comes from."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
import typing as t
import unicodedata

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import HIDDEN, Redactor, Secret
from ansible_collections.smarthost.mail.plugins.module_utils._shared.visible import visible, visible_all
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.network import transport
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol import bounds
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol.failure import Failure
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol.log import ConversationLog
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol.reply import (
    Capabilities,
    Malformed,
    Reply,
    ReplyParser,
)
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.web import http, mta_sts_policy
from servers import script
from smtp_rig import options

RESULT = 131072  # characters of a whole result, whatever is done to it
UNSEEN = [
    "\u202e",
    "\u200b",
    "\u2028",
    "\u2029",
    "\ufeff",
    "\u00ad",
    "\u2066",
    "\U000e0041",
    "\U000e0101",
    "\x1b",
    "\x85",
    "\x9b",
    "\t",
    "\u061c",
]


def answers(*said: bytes) -> t.Callable[[socket.socket, threading.Event], None]:
    """The first at once, each other for whatever arrives; the last again and again."""

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(said[0])
        for one in [*said[1:], *[said[-1]] * 50]:
            if not sock.recv(65536):
                return
            sock.sendall(one)

    return talk


def probe(talk: t.Callable[[socket.socket, threading.Event], None], **given: t.Any) -> tuple[dict[str, t.Any], float]:
    """The result, and the seconds of processor time of this thread and of those it waits for."""
    with script(talk) as server:
        asked = options(**dict({"port": server.port, "security": "none", "timeout": 5, "diagnose": False}, **given))
        started = time.thread_time()
        result = probe_all([asked], False)[0]
        return result, time.thread_time() - started


LOGIN = {"username": "u", "password": "hunter2-secret", "auth_mechanisms": ["LOGIN"]}
EHLO = b"250-hi\r\n250 AUTH LOGIN\r\n"
CHALLENGES = (b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n")
BLOB = base64.b64encode(b"hunter2-secret")


ECHOES = [
    b"5.7.8 hunter2-secret",
    BLOB,
    b"hunter2-\r\n535-secret",
    b"h u n t e r 2-secret",
    b"hun\r\n535-ter\r\n535-2-s\r\n535-ecr\r\n535-et",
]


@pytest.mark.parametrize("said", ECHOES)
def test_a_refusal_full_of_the_password_costs_no_more_time_than_one_without(said: bytes) -> None:
    said = b"535-" + said + b"\r\n"
    said = said * (60000 // len(said)) + b"535 no\r\n"
    result, seconds = probe(answers(b"220 hi\r\n", EHLO, *CHALLENGES, said), **LOGIN)
    assert result["category"] == "auth_failed" and seconds < 1.5
    shown = "".join(json.dumps(result).split()).lower()
    assert (
        "hunter2" not in shown and "secret" not in shown and BLOB.decode().lower()[:8] not in shown and HIDDEN in shown
    )
    assert len(json.dumps(result)) < RESULT and result["truncated"]


def test_redaction_takes_time_that_grows_with_the_text_alone() -> None:
    redactor = Redactor()
    redactor.learn("u", Secret("hunter2-secret"))
    redactor.learn_token(
        Secret(".".join(base64.urlsafe_b64encode(bytes(range(256)) * 16).decode() for _part in range(3)))
    )
    redactor.text("hunter2-secret")  # the table is made at the first use

    def seconds(lines: int) -> float:
        many = ["S: 535-5.7.8 hunter2-secret"] * lines
        started = time.thread_time()
        assert "hunter" not in "".join(redactor.transcript(many))
        return time.thread_time() - started

    few = min(seconds(500) for _number in range(3))
    assert seconds(4000) < 8 * few * 3 + 0.2


def test_an_ehlo_of_thousands_of_lines_is_understood_whole_and_shown_in_part() -> None:
    said = b"".join(b"250-X%05d\r\n" % number for number in range(5900)) + b"250-AUTH LOGIN\r\n250 LAST\r\n"
    result, seconds = probe(answers(b"220 hi\r\n", said, *CHALLENGES, b"235 ok\r\n", b"221 bye\r\n"), **LOGIN)
    assert result["ok"] and result["auth"]["used"] == "LOGIN"
    assert len(result["capabilities"]["before_tls"]) == bounds.ITEMS and len(result["transcript"]) <= 301
    assert "capabilities.before_tls: the first 100 of 5901 entries" in result["truncated"]
    assert (
        any("lines are left out here" in line for line in result["transcript"])
        and result["transcript"][-1] == "S: 221 bye"
    )
    assert len(json.dumps(result)) < RESULT and seconds < 1.5


FLOODS = {
    "long words everywhere": (b"220-" + b"x" * 4000 + b"\r\n") * 16 + b"220 hi\r\n",
    "patterns held against it": (b"554-account " + b"account " * 500 + b"\r\n") * 15 + b"554 no\r\n",
    "nothing but blanks": (b"554-" + b" " * 4000 + b"\r\n") * 15 + b"554 no\r\n",
    "backslashes": (b"554-" + b"\\x1b\\u202e" * 400 + b"\r\n") * 15 + b"554 no\r\n",
    "quotas": (b"452-4.2.2 " + b"quota daily limit rate " * 150 + b"\r\n") * 15 + b"452 no\r\n",
}


@pytest.mark.parametrize("name", FLOODS)
@pytest.mark.parametrize("at", range(4))
def test_words_without_end_stay_within_bounds_of_time_and_size(name: str, at: int) -> None:
    said = [b"220 hi\r\n", EHLO, *CHALLENGES]
    said[at] = FLOODS[name]
    result, seconds = probe(answers(*said), **LOGIN)
    assert len(json.dumps(result)) < RESULT and seconds < 1.5 and result["msg"].count("\n") < 20


def test_every_reply_may_be_as_long_as_it_can_be() -> None:
    tail = b"x" * 990 + b"\r\n"
    said = [
        b"220-" + tail + b"220 hi\r\n",
        (b"250-" + tail) * 60 + b"250 hi\r\n",
        (b"250-" + tail) * 60 + b"250 ok\r\n",
    ]
    many = ["r%d@d.example" % number for number in range(14)]
    result, seconds = probe(answers(*said), level="envelope", from_="a@b.example", to=many)
    assert result["category"] == "ok" and len(result["recipients"]) == 14
    assert len(json.dumps(result)) < RESULT and seconds < 1.5
    result, _seconds = probe(answers(*said), level="envelope", from_="a@b.example", to=many * 3)
    assert result["category"] == "protocol_error" and "more than 1048576 bytes" in result["diagnosis"]


def test_what_was_cut_is_said_and_where() -> None:
    made = bounds.shorten(
        {
            "a": "x" * 5000,
            "b": ["y"] * 500,
            "c": {"k%d" % number: "z" * 2000 for number in range(300)},
            "d": 5,
            "recipients": [1] * 500,
        }
    )
    assert (
        made["a"] == "x" * 1000 + bounds.MORE
        and len(made["b"]) == len(made["c"]) == 100
        and made["d"] == 5
        and len(made["recipients"]) == 500
    )
    assert made["truncated"][:3] == [
        "a: the first 1000 of 5000 characters",
        "b: the first and the last 50 of 500 entries",
        "c: the first 100 of 300 entries",
    ]
    assert len(made["truncated"]) == bounds.MOST_SAID + 1 and made["truncated"][-1] == "and 83 more"
    assert sum(map(len, made["c"].values())) < bounds.PART + 2000 + 100 * (bounds.FEW + len(bounds.MORE))
    assert bounds.shorten({"k" * 5000: "v"}).keys() == {
        "k" * 5000,
        "truncated",
    }  # a key of ours; below them it is otherwise
    assert list(bounds.shorten({"a": {"k" * 5000: "v"}})["a"]) == ["k" * 100 + bounds.MORE]
    assert bounds.shorten({"a": "cut before" + bounds.MORE})["truncated"] == ["a: its end"]
    assert bounds.shorten({"a": "short", "b": ["y"]}) == {"a": "short", "b": ["y"], "truncated": []}
    assert bounds.listed(["a", "b"]) == "a, b" and bounds.listed(["a"] * 25).endswith("a and 5 more")


def test_a_transcript_keeps_its_beginning_and_its_end() -> None:
    record = ConversationLog(Redactor())
    for number in range(5000):
        record.trace("S", "line %d" % number)
    lines, left_out = bounds.both_ends(record.transcript, record.lines)
    assert (lines[0], lines[-1], len(lines)) == ("S: line 0", "S: line 4999", 301)
    assert lines[200] == "*: 4700 of 5000 lines are left out here" and left_out == [
        "transcript: 4700 of 5000 lines are left out"
    ]
    for _number in range(300):
        record.trace("S", "x" * 100000)
    assert (
        sum(map(len, record.transcript)) < 130000
        and sum(map(len, bounds.both_ends(record.transcript, record.lines)[0])) < 65000
    )
    other = ConversationLog(Redactor())
    other.include(record)
    assert other.transcript[0] == "S: line 0"
    assert bounds.both_ends(["a", "b"], 2) == (["a", "b"], []) and bounds.both_ends([], 0) == ([], [])


# -- DNS, HTTP, policies ------------------------------------------------------------------------------------------------------------------


def test_a_name_with_hundreds_of_addresses_is_tried_at_the_first_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.%d.%d" % (number // 250 + 1, number % 250 + 1), 9))
        for number in range(500)
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given: found)
    result = probe_all([options(host="many.example", port=9, security="none", timeout=5)], False)[0]
    assert result["category"] == "connect_refused" and len(result["addresses"]) == transport.MOST_ADDRESSES
    assert (
        "many.example has 500 addresses, of which the first 20 are used" in result["notices"]
        and len(json.dumps(result)) < RESULT
    )


@pytest.mark.parametrize(
    "head",
    [b"X: a" + b" " * 30000 + b"b", b"X:" + b"\t " * 15000 + b"b", b"X-" * 15000 + b":", b"a:b\r\n" * 6000 + b"c:d"],
)
def test_headers_take_time_that_grows_with_them_alone(head: bytes) -> None:
    started = time.thread_time()
    response = http.ResponseReader().feed(b"HTTP/1.1 200 OK\r\n" + head + b"\r\nContent-Length: 2\r\n\r\n{}")
    assert response is not None and response.json == {} and time.thread_time() - started < 0.5


def test_a_policy_takes_time_that_grows_with_it_alone() -> None:
    started = time.thread_time()
    policy = mta_sts_policy.parse(b"version: STSv1\nmode: none\nmax_age: 86400\nx: a" + b" " * 60000 + b"b\n")
    assert policy.mode == "none" and time.thread_time() - started < 0.5


@pytest.mark.parametrize(
    "body", [b'{"a": ' + b"9" * 100000 + b"}", b"[" * 100000, b'{"a":' * 20000, b"[]", b"7", b"\xff", b""]
)
def test_json_that_nobody_means_is_none(body: bytes) -> None:
    started = time.thread_time()
    assert http.Response(200, {}, body).json is None and time.thread_time() - started < 0.5


def test_a_server_may_not_answer_without_end() -> None:
    reader = http.ResponseReader()
    with pytest.raises(Failure) as raised:
        for number in range(1100):
            reader.feed(b"x" * 1024 if number else b"HTTP/1.1 200 OK\r\n\r\n")
    assert "more than 1048576 bytes" in raised.value.detail


def test_a_server_that_keeps_openssl_busy_does_not_stretch_the_deadline() -> None:
    """Requests for a handshake during the handshake are passed over, as fast as they come: no silence for a timeout to notice."""

    def talk(sock: socket.socket, stop: threading.Event) -> None:
        while not stop.is_set():
            sock.sendall((b"\x16\x03\x03\x40\x00" + b"\0" * 16384) * 16)

    with script(talk) as server:
        started = time.monotonic()
        result = probe_all(
            [options(port=server.port, security="tls", timeout=1.5, validate_certs=False, diagnose=True)], False
        )[0]
        assert time.monotonic() - started < 2.5 and (result["category"], result["stage"]) == (
            "deadline_exceeded",
            "tls",
        )


def test_nothing_is_left_computing_after_the_deadline() -> None:
    def talk(sock: socket.socket, stop: threading.Event) -> None:
        sock.sendall(b"220 hi\r\n")
        sock.recv(4096)
        sock.sendall(b"250-hi\r\n250 AUTH SCRAM-SHA-256\r\n")
        first = base64.b64decode(sock.recv(4096).split()[2])
        sock.sendall(
            b"334 " + base64.b64encode(first[first.index(b",r=") + 1 :] + b"x,s=c2FsdA==,i=10000000") + b"\r\n"
        )
        sock.recv(4096)
        sock.recv(4096)

    result, _seconds = probe(talk, username="u", password="hunter2-secret", timeout=0.5)
    used = time.process_time()
    time.sleep(0.5)
    assert (
        time.process_time() - used < 0.2
        and result["category"] == "deadline_exceeded"
        and "10000000 iterations" in "\n".join(result["transcript"])
    )


# -- what cannot be seen ------------------------------------------------------------------------------------------------------------------


def test_every_character_that_cannot_be_seen_is_escaped_and_no_other() -> None:
    for number in (
        *range(0x3000),
        *range(0xD7F0, 0xE010),
        *range(0xFE00, 0x10000),
        *range(0xE0000, 0xE0200),
        0x1F600,
        0x20000,
    ):
        char = chr(number)
        shown = visible("a" + char + "b")
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") or 0xE0000 <= number < 0xE1000:
            assert shown.isascii() and shown.isprintable() and char not in shown and shown.startswith("a\\"), hex(
                number
            )
        elif unicodedata.category(char) not in ("Cn", "Co"):
            assert shown == "a" + char + "b", hex(number)
    assert (
        visible("line\nnext\t\x1b", keep="\n") == "line\nnext\\x09\\x1b"
        and visible("\U000e0041") == "\\U000e0041"
        and visible("\u202e") == "\\u202e"
    )
    assert visible_all({"a\x1b": ["\u200b", 1, None]}) == {"a\\x1b": ["\\u200b", 1, None]}


@pytest.mark.parametrize("at", range(3))
def test_nothing_that_cannot_be_seen_is_in_a_result(at: int) -> None:
    evil = "".join(UNSEEN).encode("utf-8")
    said = [b"220 hi\r\n", b"250-hi\r\n250 AUTH LOGIN\r\n", b"535 5.7.8 no\r\n"]
    said[at] = {
        0: b"220 %s\r\n",
        1: b"250-%s\r\n250-X%s Y%s\r\n250 AUTH LOGIN %s\r\n",
        2: b"535-5.7.8 %s\r\n535 5.7.8 no\r\n",
    }[at].replace(b"%s", evil)
    result, _seconds = probe(answers(*said), **LOGIN)
    for text in texts(result):
        assert not any(
            unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs") for char in text.replace("\n", "")
        ), ascii(text)
    assert "\\u202e" in json.dumps(result["transcript"], ensure_ascii=False).replace("\\\\", "\\")


def texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


@pytest.mark.parametrize("between", UNSEEN)
def test_what_cannot_be_seen_between_its_letters_hides_no_password(between: str) -> None:
    spread = between.join("hunter2-secret")
    result, _seconds = probe(
        answers(b"220 hi\r\n", EHLO, *CHALLENGES, b"535 5.7.8 %s\r\n" % spread.encode("utf-8")), **LOGIN
    )
    assert result["category"] == "auth_failed" and HIDDEN in result["reply"]["text"]
    shown = result["reply"]["text"].replace(visible(between), "")
    assert not set("hunter2-secret") & set(shown) and Redactor().text("x") == "x"


# -- short secrets ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["a", "1", "e", "is", "the", "ok", "535"])
def test_a_short_password_garbles_nothing_and_is_hidden_where_it_stands_alone(password: str) -> None:
    given = {"username": "u", "password": password, "auth_mechanisms": ["PLAIN"]}
    blob = base64.b64encode(b"\0u\0" + password.encode()).decode()
    said = f"535-5.7.8 Error: authentication failed, see 1.2.3\r\n535 5.7.8 you said ({password}) {blob}\r\n"
    result, _seconds = probe(
        answers(b"220 that relay greets\r\n", b"250-hi\r\n250 AUTH PLAIN\r\n", said.encode()), **given
    )
    assert f"({HIDDEN}) {HIDDEN}" in result["reply"]["text"] and blob not in json.dumps(result)
    assert (
        "Error: authentication failed, see 1.2.3" in result["reply"]["text"]
        and "S: 220 that relay greets" in result["transcript"]
    )
    given["password"] = "unlike-any-word"
    expected, _seconds = probe(
        answers(b"220 that relay greets\r\n", b"250-hi\r\n250 AUTH PLAIN\r\n", b"535 5.7.8 no\r\n"), **given
    )
    for key in ("diagnosis", "remedies", "category", "blind_spots"):
        assert json.dumps(result[key]).replace(str(result["port"]), "") == json.dumps(expected[key]).replace(
            str(expected["port"]), ""
        )
    assert result["reply"]["code"] == 535 and isinstance(result["port"], int)


def test_a_password_that_is_part_of_an_ordinary_word_is_hidden_where_it_stands_alone() -> None:
    redactor = Redactor()
    redactor.learn("u", Secret("pass"))
    assert redactor.text("the password pass is wrong, PASS!") == f"the password {HIDDEN} is wrong, {HIDDEN}!"
    assert redactor.clean({"diagnosis": "no pass for the password"}, ours=("diagnosis",)) == {
        "diagnosis": "no pass for the password"
    }


# -- replies, however they are cut --------------------------------------------------------------------------------------------------------


def read(data: bytes, sizes: t.Sequence[int]) -> tuple[list[Reply], str]:
    """The replies in ``data`` when it arrives in pieces of these sizes (the last again and again), and why it ended early."""
    parser, replies, at, number = ReplyParser(), [], 0, 0
    try:
        while at < len(data):
            size = sizes[min(number, len(sizes) - 1)]
            parser.feed(data[at : at + size])
            at, number = at + size, number + 1
            reply = parser.next_reply()
            while reply is not None:
                replies.append(reply)
                reply = parser.next_reply()
    except Malformed as exc:
        return replies, exc.why
    return replies, ""


CUT = {
    "as long as a line may be": b"250 " + b"x" * 4091 + b"\r\n250 next\r\n",
    "longer by one": b"250 " + b"x" * 4092 + b"\r\n250 next\r\n",
    "longer by one without CR": b"250 " + b"x" * 4093 + b"\n250 next\r\n",
    "much longer": b"250 " + b"x" * 9000 + b"\r\n",
    "longer, and no reply": b"hello " + b"x" * 9000 + b"\r\n",
    "not a reply behind one": b"250-a\r\n250 b\r\n\r\n250 c\r\n",
    "many carriage returns": b"250 a" + b"\r" * 4091 + b"\n",
    "too many carriage returns": b"250 a" + b"\r" * 4092 + b"\n",
    "as long as a reply may be": b"250-"
    + b"x" * 4000
    + b"\r\n"
    + (b"250-" + b"x" * 4000 + b"\r\n") * 14
    + b"250 end\r\n",
    "too long a reply": (b"250-" + b"x" * 4000 + b"\r\n") * 17 + b"250 end\r\n",
    "another code": b"250-a\r\n251 b\r\n",
}


@pytest.mark.parametrize("name", CUT)
def test_the_same_bytes_are_the_same_replies_however_they_are_cut(name: str) -> None:
    whole = read(CUT[name], [1000000])
    assert bool(whole[1]) == (
        name not in ("as long as a line may be", "many carriage returns", "as long as a reply may be")
    )
    for sizes in ([1], [2], [3, 1], [7], [4095, 1], [4096, 1], [4097, 1], [4098, 1], [5000], [16384]):
        assert read(CUT[name], sizes) == whole


def test_a_login_mechanism_may_be_named_on_many_lines() -> None:
    words = Capabilities.from_reply(Reply(250, ("hi", "AUTH PLAIN", "AUTH=LOGIN", "AUTH", "SIZE 5", "SIZE 6"))).words
    assert words == {"AUTH": "PLAIN LOGIN", "SIZE": "5"}
