# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fuzzed: for each target a function that takes any bytes and raises where a promise is broken. No network, no clock that matters."""

from __future__ import annotations

import base64
import json
import types
import typing as t
import unicodedata

from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import FEW, HIDDEN, Redactor, Secret
from ansible_collections.smarthost.mail.plugins.module_utils._shared.spelling_search import letters
from ansible_collections.smarthost.mail.plugins.module_utils._shared.visible import visible
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.conversation import login
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.conversation.dialogue import converse
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.conversation.goal import Goal
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.diagnosis.categories import CATEGORIES
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.network import dane, proxy
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.network.route import Proxy
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.options.relay_options import read
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol import commands
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol.bounds import both_ends, shorten
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol.engine import Close, Engine, Read
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol.failure import Failure
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol.log import ConversationLog, Peer
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol.reply import (
    MAX_LINE,
    MAX_REPLY,
    Malformed,
    Reply,
    ReplyParser,
    printable,
)
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.result import ProbeOutcome, build
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.sasl import channel_binding, mechanisms
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.sasl.credential import (
    Credential,
    MechanismError,
    Session,
)
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.web import graph, oauth2, token
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.web.http import Response, ResponseReader, parse_url
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.web.mta_sts_policy import (
    UnusablePolicy,
    announced,
    covers,
    parse,
)
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.x509 import certificate, der
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.x509.certificate import TlsInfo

PASSWORD = "hunter2-Gehe!m"
TOKEN = "ya29.a0AfH6SMBx-fuzz_token-0123456789"
RESULT = 131072  # characters of a whole result
STEPS = 400  # effects of one conversation

Target = t.Callable[[bytes], None]


def pieces(data: bytes, sizes: bytes) -> t.Iterator[bytes]:
    """``data`` cut as ``sizes`` says, the last size again and again."""
    at, number = 0, 0
    while at < len(data):
        size = (sizes[min(number, len(sizes) - 1)] if sizes else 255) or 4096
        yield data[at : at + size]
        at, number = at + size, number + 1


def each_byte(data: bytes) -> t.Iterator[bytes]:
    """One at a time, as far as that is quick; the rest at once."""
    yield from (data[at : at + 1] for at in range(min(len(data), 400)))
    if len(data) > 400:
        yield data[400:]


def split(data: bytes, count: int) -> tuple[bytes, bytes]:
    """The bytes that decide, and the others."""
    return data[:count], data[count:]


# -- replies ------------------------------------------------------------------------------------------------------------------------------


def _replies(parts: t.Iterable[bytes]) -> tuple[list[Reply], str]:
    parser, found = ReplyParser(), []
    try:
        for part in parts:
            parser.feed(part)
            reply = parser.next_reply()
            while reply is not None:
                found.append(reply)
                reply = parser.next_reply()
            assert parser.pending <= MAX_REPLY + MAX_LINE
    except Malformed as exc:
        assert not unseen(exc.shown)
        return found, exc.why
    return found, ""


def replies(data: bytes) -> None:
    """However bytes are cut, they are the same replies, in bounded memory."""
    sizes, data = split(data, 4)
    whole = _replies([data])
    assert _replies(pieces(data, sizes)) == whole == _replies(each_byte(data))
    for reply in whole[0]:
        assert not unseen(str(reply)) and len(reply.text) <= 4100


# -- a whole conversation -----------------------------------------------------------------------------------------------------------------

MECHANISMS = tuple(mechanisms.NAMES)
PEER = Peer("192.0.2.1", "192.0.2.2", False)
RELAYS: dict[t.Any, t.Any] = {}


def _relay(level: str, send: bool, security: str, lmtp: bool) -> t.Any:
    key = (level, send, security, lmtp)
    if key not in RELAYS:
        given: dict[str, t.Any] = {
            "host": "relay.example.com",
            "port": 587,
            "security": security,
            "validate_certs": False,
            "tls_min_version": "1.2",
            "helo": "me.example",
            "allow_plaintext_auth": True,
            "timeout": 5,
            "send": "always" if send else "never",
            "diagnose": False,
            "state_dir": "/nowhere",
            "username": "ann@example.com",
            "password": PASSWORD,
            "from": "ann@example.com",
            "to": ["bob@example.com", "eve@example.com"],
            "protocol": "lmtp" if lmtp else "smtp",
            "level": level,
        }
        RELAYS[key], problems = read(given)
        assert not problems, problems
    return RELAYS[key]


def conversation(data: bytes) -> None:
    """Whatever a relay says, and whenever: a category, in a bounded number of steps, and a result without the password."""
    knobs, data = split(data, 8)
    knobs = knobs.ljust(8, b"\0")
    level = ("connect", "tls", "auth", "envelope")[knobs[0] % 4]
    relay = _relay(
        level,
        bool(knobs[0] & 4) and level == "envelope",
        ("none", "opportunistic", "starttls", "tls")[knobs[1] % 4],
        bool(knobs[0] & 8),
    )
    redactor = Redactor()
    redactor.learn("ann@example.com", Secret(PASSWORD))
    record = ConversationLog(redactor, clock=lambda: 0.0)
    with_token = bool(knobs[0] & 16)
    credential = Credential(
        "ann@example.com", Secret(PASSWORD), Secret(TOKEN) if with_token else None, certificate=bool(knobs[0] & 32)
    )
    redactor.learn_token(Secret(TOKEN))
    mechanisms = (MECHANISMS[knobs[2] % len(MECHANISMS)], MECHANISMS[knobs[3] % len(MECHANISMS)]) if knobs[2] else ()
    message = b"Subject: x\r\n\r\n.x\r\n" if relay.send == "always" else None
    goal = Goal(
        relay.helo,
        relay.security,
        level,
        credential,
        mechanisms,
        True,
        relay.sender,
        relay.recipients,
        message=message,
        lmtp=relay.route.protocol == "lmtp",
        host=relay.host,
        port=relay.port,
        random=lambda count: b"\x07" * count,
        rest=lambda: 5.0,
    )
    _run(Engine(converse(goal, record), record.trace), record, pieces(data, knobs[4:]), with_tls=not knobs[1] & 8)
    result = build(
        ProbeOutcome(relay, record, None, False, message is not None and record.accepted is not None, "", 0.0), redactor
    )
    judge(result, (PASSWORD, TOKEN))


def _run(engine: Engine, record: ConversationLog, arriving: t.Iterator[bytes], with_tls: bool) -> None:
    effects = engine.start()
    for _number in range(STEPS + 100000):
        last = effects[-1]
        if isinstance(last, Close):
            return
        if isinstance(last, Read):
            effects = engine.received(next(arriving, b""))
        elif isinstance(last, commands.Resolve):
            effects = engine.answered(["192.0.2.1"])
        elif isinstance(last, commands.Connect):
            effects = engine.answered(PEER)
        elif isinstance(last, commands.StartTls):
            effects = (
                engine.answered(TlsInfo("TLSv1.3", "X", True))
                if with_tls
                else engine.broke(Failure("tls_handshake_closed"))
            )
        elif isinstance(last, commands.Compute):
            effects = engine.answered(last.work())
        else:
            effects = engine.answered(True)
    raise AssertionError("no end of it")


def judge(result: dict[str, t.Any], secrets: t.Sequence[str]) -> None:
    """What holds for every result."""
    assert result["category"] in CATEGORIES and result["observed"] in CATEGORIES
    text = json.dumps(result, ensure_ascii=False)
    assert len(text) <= RESULT and len(result["steps"]) < STEPS
    assert not unseen("".join(strings(result)).replace("\n", ""))
    squeezed = "".join(text.split()).casefold()
    for secret in secrets:
        for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")[:-1], secret.encode().hex()):
            assert form.casefold() not in squeezed, form


def strings(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from strings(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from strings(item)


def unseen(text: str) -> set[str]:
    return (
        set()
        if text.isascii() and text.isprintable()
        else {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs")}
    )


# -- logins -------------------------------------------------------------------------------------------------------------------------------


def sasl(data: bytes) -> None:
    """Whatever a challenge is, a mechanism answers it or says in words of its own why not."""
    knobs, data = split(data, 2)
    mechanism = mechanisms.MECHANISMS[(knobs[:1] or b"\0")[0] % len(mechanisms.MECHANISMS)]
    credential = Credential("ann@example.com", Secret(PASSWORD), Secret(TOKEN), certificate=True)
    noted: list[str] = []
    session = Session(
        credential,
        "relay.example.com",
        587,
        b"\1" * 32 if mechanism.binds else b"",
        random=lambda count: b"\7" * count,
        rest=lambda: 5.0,
        hide=noted.append,
        note=lambda text, suspicion="": noted.append(text),
        warn=noted.append,
    )
    exchange = mechanism.exchange(session)
    next(exchange, None)
    nonce = base64.b64encode(b"\7" * 18)
    for challenge in data.split(b"\n")[:6]:
        challenge = challenge.replace(b"NONCE", nonce)
        answer, error = login._answer(
            exchange, base64.b64encode(challenge).decode() if knobs[1:] != b"R" else printable(challenge)
        )
        assert isinstance(answer, bytes) and (
            error is None or (isinstance(error, MechanismError) and error.category in CATEGORIES)
        )
        if error is not None:
            return
    login._proven(exchange)


# -- certificates -------------------------------------------------------------------------------------------------------------------------


def certificates(data: bytes) -> None:
    """Any bytes are a certificate or are none: nothing else happens."""
    try:
        found = der.parse.__wrapped__(data)
        assert all(isinstance(name, str) for name in found.names)
    except der.DerError:
        pass
    info = certificate.describe(TlsInfo("TLSv1.3", "X", True), data)
    certificate.strictly(info, [data], lambda: [data])
    certificate.strictly(info, [data, data], list)
    certificate.certificate_in(data)
    channel_binding.server_end_point(data)
    shorten(info._asdict())


# -- HTTP, tokens, Graph ------------------------------------------------------------------------------------------------------------------


def _response(parts: t.Iterable[bytes]) -> tuple[Response | None, str]:
    reader = ResponseReader()
    try:
        for part in [*parts, b""]:
            response = reader.feed(part)
            if response is not None:
                return response, ""
    except Failure as failure:
        assert failure.category in CATEGORIES
        return None, failure.category
    return None, "nothing"


def http(data: bytes) -> None:
    """However an answer is cut, it is the same answer; and it is read as JSON without a fault."""
    sizes, data = split(data, 4)
    whole = _response([data] if data else [])
    assert _response(pieces(data, sizes)) == whole == _response(each_byte(data))
    if whole[0] is not None:
        tokens(sizes + b"\n" + whole[0].body)


def tokens(data: bytes) -> None:
    """What a token endpoint or Graph answers ends in a token or in a reason, without a secret in it."""
    knobs, body = split(data, 4)
    knobs = knobs.ljust(4, b"\0")
    response = Response(
        (200, 400, 401, 403, 429, 500, 302, 202)[knobs[0] % 8],
        {"retry-after": "7", "content-type": "application/json"},
        body,
    )
    redactor = Redactor()
    redactor.learn_token(Secret(TOKEN))
    record = ConversationLog(redactor)
    url = parse_url("https://login.example.com/token")
    try:
        made, _newer = oauth2._read(response, url, record, redactor)
        token.check(made.claims, (token.OUTLOOK, token.GRAPH, token.GMAIL, None)[knobs[1] % 4], 1.8e9)
        json.dumps(made.claims.shown(1.8e9), allow_nan=False)
    except Failure as failure:
        assert failure.category in CATEGORIES and TOKEN not in str(failure.reply) + failure.detail
    for level in ("auth", "envelope"):
        record = ConversationLog(redactor)
        try:
            graph._judge_look(response, level, record, redactor)
        except Failure as failure:
            assert failure.category in CATEGORIES and TOKEN not in str(failure.reply)
    token.inspect(printable(body), printable(knobs))


# -- DNS and policies ---------------------------------------------------------------------------------------------------------------------


def dns(data: bytes) -> None:
    """TLSA and TXT records of any content end in a status."""
    knobs, data = split(data, 3)
    knobs = knobs.ljust(3, b"\0")
    parts = data.split(b"\n")
    records = [dane.TlsaRecord(knobs[0] % 5, knobs[1] % 4, knobs[2] % 5, part) for part in parts]
    status, detail = dane.judge(records, parts[:2])
    assert status in ("match", "mismatch", "none", "unusable", "unknown") and detail
    try:
        assert isinstance(announced(parts), str)
    except UnusablePolicy as exc:
        assert len(str(exc)) < 400 and not unseen(str(exc))


def policies(data: bytes) -> None:
    """A policy is one, or the reason why it is none is a short sentence."""
    try:
        policy = parse(data)
    except UnusablePolicy as exc:
        assert len(str(exc)) < 400 and not unseen(str(exc))
        return
    assert policy.mode in ("enforce", "testing", "none") and policy.max_age >= 0
    for pattern in policy.mx[:50]:
        covers(pattern, "mx.example.com")


# -- proxies ------------------------------------------------------------------------------------------------------------------------------


def proxies(data: bytes) -> None:
    """A proxy's answers end in a tunnel or in a category, and not a byte too much is taken."""
    knobs, data = split(data, 1)
    kind = "socks5" if knobs and knobs[0] & 1 else "http"
    settings = Proxy(kind, "proxy.example", 1080, "ann" if knobs and knobs[0] & 2 else "", Secret(PASSWORD))
    talk = proxy.tunnel(settings, "relay.example.com", 587)
    at = 0
    try:
        step = next(talk)
        while True:
            if isinstance(step, proxy.Say):
                step = next(talk)
                continue
            taken = b""
            while not step.satisfied_by(taken):
                more = data[at : at + step.next_bytes(taken)]
                if not more:
                    return
                taken, at = taken + more, at + len(more)
            step = talk.send(taken)
    except StopIteration:
        return
    except Failure as failure:
        assert failure.category in CATEGORIES and PASSWORD not in failure.detail and not unseen(failure.detail)


# -- what is shown ------------------------------------------------------------------------------------------------------------------------


def redaction(data: bytes) -> None:
    """A secret of any kind is in no text, wherever it stands and whatever is around it; and a text without it stays as it is."""
    knobs, data = split(data, 2)
    knobs = knobs.ljust(2, b"\0")
    length = 4 + knobs[0] % 40
    secret = printable(data[:length]).strip()
    text = printable(data[length:])
    if len(secret) < 4 or secret.casefold() in "password username credentials authentication certificate connection":
        return
    redactor = Redactor()
    redactor.learn("ann", Secret(secret))
    at = knobs[1] % (len(text) + 1)
    shown = redactor.text(text[:at] + secret + text[at:])
    assert HIDDEN in shown and (secret not in shown or secret in HIDDEN)
    lines = redactor.transcript(["S: 535-" + text[:at] + secret[:3], "S: 535 " + secret[3:] + text[at:]])
    # One that is little more than blanks is looked for as it is, within one text.
    assert secret not in "".join(line[7:] for line in lines) or secret in HIDDEN or len(letters(secret)[0]) < FEW
    assert visible(visible(text)) == visible(text) and Redactor().text(text) == text
    both_ends(lines, len(lines))


TARGETS: t.Mapping[str, Target] = types.MappingProxyType(
    {
        target.__name__: target
        for target in (replies, conversation, sasl, certificates, http, tokens, dns, policies, proxies, redaction)
    }
)
