# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTTP request and its answer over our own transport: one deadline, bounded memory, no redirect followed (RFC 9110, 9112)."""

from __future__ import annotations

import ipaddress
import json
import re
import typing as t
import urllib.parse

from ..._shared.light import NamedTuple
from ..network.route import Route
from ..network.tls import TlsSettings
from ..network.transport import Deadline, Endpoint, run
from ..protocol.answer import HttpAnswer
from ..protocol.commands import Connect, Resolve, StartTls, Tunnel
from ..protocol.engine import Close, Effect, Read, Write
from ..protocol.failure import Failure
from ..protocol.log import ConversationLog

# Token endpoints and Graph answer a few KiB. Nothing they say is worth more memory than this.
MAX_HEAD = 32768
MAX_BODY = 1048576
MAX_CHUNK_LINE = 100  # the size of a chunk, and what is said besides
# No number that anybody means has more digits; older Pythons take quadratic time to read one.
MAX_DIGITS = 400

_TARGET = r"[\x21-\x7e]*\Z"
_STATUS = rb"(?s)HTTP/1\.[01] ([1-5][0-9]{2})(?: .*)?\Z"
_FIELD_NAME = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z"
_MEDIA_TYPE = r"(?a)[\w.+-]{1,60}/[\w.+-]{1,60}\Z"


class Url(NamedTuple):
    """``https://host:port/target``; ``target`` is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def where(self) -> str:
        """``host:port``, as diagnoses begin."""
        return "%s:%d" % (self.host, self.port)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"

    @property
    def authority(self) -> str:
        """As the Host header wants it: brackets for IPv6, no port where it is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == USUAL_PORTS[self.scheme] else "%s:%d" % (host, self.port)


USUAL_PORTS = {"https": 443, "http": 80}


def parse_url(text: str) -> Url:
    """An https URL; http only for this host itself, since secrets are sent there. Raises ValueError, which says what is wrong."""
    try:
        parts = urllib.parse.urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    host = parts.hostname or ""
    if not re.match(_TARGET, text) or parts.scheme not in USUAL_PORTS or not host or port == 0:
        raise ValueError("is not a URL such as https://login.example.com/token")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("has a user, a password or a # in it, which does not belong there")
    if parts.scheme == "http" and not _this_host(host):
        raise ValueError("is not https, and a secret would cross the network in clear text")
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    return Url(parts.scheme, host, port or USUAL_PORTS[parts.scheme], target)


def _this_host(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class HttpRequest(NamedTuple):
    """What is asked. Its headers and body may hold secrets: only method and URL are ever shown.

    ``accept`` is the media type that is wanted; ``most`` how many bytes of an answer are taken.
    """

    method: str
    url: Url
    headers: t.Tuple[t.Tuple[str, str], ...] = ()
    body: bytes = b""
    accept: str = "application/json"
    most: int = MAX_BODY

    def __repr__(self) -> str:
        return f"{self.method} {self.url}"

    def __str__(self) -> str:
        return repr(self)

    def encoded(self) -> bytes:
        """The bytes to send. Raises :class:`Failure` where a header would end early."""
        own: tuple[tuple[str, str], ...] = (
            ("Host", self.url.authority),
            ("User-Agent", "smarthost.mail"),
            ("Accept", self.accept),
            ("Connection", "close"),
        )
        if self.body or self.method == "POST":
            own += (("Content-Length", str(len(self.body))),)
        lines = [f"{self.method} {self.url.target} HTTP/1.1"] + ["{}: {}".format(*pair) for pair in own + self.headers]
        if not all(line.isascii() and line.isprintable() for line in lines):
            raise Failure("protocol_error", detail="a header of the request would hold a control character")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii") + self.body


class Response(NamedTuple):
    """A whole answer; header names are in lower case. It may say secrets back: show nothing of it that was not redacted."""

    status: int
    headers: t.Dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """``application/json``, or an empty text where it says none that can be read."""
        found = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return found if re.match(_MEDIA_TYPE, found) else ""

    @property
    def json(self) -> dict[str, t.Any] | None:
        """The object in the body, whatever type it claims to be of: some endpoints say text/plain. None where there is none."""
        try:
            said = json.loads(self.body.decode("utf-8"), parse_int=_number)
        except (ValueError, RecursionError):
            return None
        return said if isinstance(said, dict) else None


def _number(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError("not a number that anybody means")
    return int(digits)


class ResponseReader:
    """Collects bytes until one response is whole. Raises :class:`Failure` for what is not HTTP or more than is worth reading."""

    def __init__(self, most: int = MAX_BODY) -> None:
        self._most = most
        self._data = bytearray()
        self._status = 0
        self._headers: dict[str, str] = {}
        self._left: int | None = None
        self._body = bytearray()
        self._chunked = self._in_body = False

    def feed(self, data: bytes) -> Response | None:
        """What arrived; empty at the end of the connection. The response, once it is whole."""
        self._data += data
        while not self._in_body:
            if not self._head():
                if not data:
                    raise Failure("disconnected", detail="the server closed the connection before it had answered")
                return None
        whole = self._chunks() if self._chunked else self._plain(not data)
        if len(self._body) > self._most:
            raise Failure("protocol_error", detail="it answered more than %d bytes" % self._most)
        if whole:
            return Response(self._status, self._headers, bytes(self._body))
        if not data:
            raise Failure("disconnected", detail="the server closed the connection in the middle of its answer")
        return None

    def _head(self) -> bool:
        """Status line and headers (RFC 9112 4, 5); false where more bytes are needed. Answers 1xx are passed over."""
        if not b"HTTP/1."[: len(self._data)] == self._data[:7]:
            raise Failure("protocol_error", detail="it answers with something that is not HTTP")
        end = self._data.find(b"\r\n\r\n")
        if len(self._data) > MAX_HEAD and not 0 <= end <= MAX_HEAD:
            raise Failure("protocol_error", detail="its headers are longer than %d bytes" % MAX_HEAD)
        if end < 0:
            return False
        first, *lines = bytes(self._data[:end]).split(b"\r\n")
        del self._data[: end + 4]
        status = re.match(_STATUS, first)
        # By hand: a pattern that leaves out blanks at the end takes quadratic time for a line of blanks.
        fields = [line.partition(b":") for line in lines]
        if status is None or not all(colon and re.match(_FIELD_NAME, name) for name, colon, _value in fields):
            raise Failure("protocol_error", detail="its headers are not HTTP")
        self._status = int(status.group(1))
        self._headers = {
            name.decode("ascii").lower(): value.strip(b" \t").decode("latin-1") for name, _colon, value in fields
        }
        self._in_body = self._status >= 200
        if self._in_body:
            self._measure()
        return True

    def _measure(self) -> None:
        """How long the body is (RFC 9112 6.3): chunked, so many bytes, none, or until the connection ends."""
        length = self._headers.get("content-length", "")
        if self._headers.get("content-encoding", "identity").lower() != "identity":
            raise Failure("protocol_error", detail="it compresses its answer, which nobody asked for")
        if "transfer-encoding" in self._headers:
            if self._headers["transfer-encoding"].lower() != "chunked":
                raise Failure("protocol_error", detail="it answers in a transfer encoding that is not known here")
            self._chunked = True
        elif self._status in (204, 304):
            self._left = 0
        elif length:
            if not (length.isascii() and length.isdigit() and len(length) < 10):
                raise Failure("protocol_error", detail="the length of its answer is not a number")
            self._left = int(length)

    def _plain(self, ended: bool) -> bool:
        room = self._most + 1 - len(self._body) if self._left is None else self._left
        self._body += self._data[:room]
        taken = min(room, len(self._data))
        del self._data[:taken]
        if self._left is None:
            return ended
        self._left -= taken
        return self._left == 0

    def _chunks(self) -> bool:
        """RFC 9112 7.1: a size in hexadecimal, a line end, so many bytes, a line end; size 0 is the last. Trailers are not read."""
        while len(self._body) <= self._most:
            end = self._data.find(b"\r\n")
            if end < 0 and len(self._data) < MAX_CHUNK_LINE:
                return False
            # However the bytes arrive: a longer line is none, whether or not its end is here already.
            digits = bytes(self._data[: end if 0 <= end < MAX_CHUNK_LINE else 0]).partition(b";")[0].strip()
            if not re.match(rb"[0-9A-Fa-f]{1,8}\Z", digits):
                raise Failure("protocol_error", detail="the size of a chunk of its answer is not a number")
            size = int(digits, 16)
            if size == 0:
                return True
            if len(self._body) + size > self._most:
                raise Failure("protocol_error", detail="it answered more than %d bytes" % self._most)
            if len(self._data) < end + 2 + size + 2:
                return False
            self._body += self._data[end + 2 : end + 2 + size]
            del self._data[: end + 2 + size + 2]
        return False


_Exchange: t.TypeAlias = "t.Generator[t.List[Effect], t.Any, t.Any]"


class _HttpEngine:
    """Has the face of :class:`engine.Engine`, so the same transport carries it out. How it ended is in the two attributes."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange
        self.response: t.Any = None
        self.failure: Failure | None = None

    def start(self) -> list[Effect]:
        return self._go(lambda: next(self._exchange))

    def answered(self, answer: t.Any) -> list[Effect]:
        return self._go(lambda: self._exchange.send(answer))

    received = answered

    def broke(self, failure: Failure) -> list[Effect]:
        return self._go(lambda: self._exchange.throw(failure))

    def _go(self, step: t.Callable[[], list[Effect]]) -> list[Effect]:
        try:
            return step()
        except StopIteration as end:
            self.response = end.value
        except Failure as failure:
            self.failure = failure
        return [Close()]


def _reach(url: Url, record: ConversationLog, proxied: bool) -> _Exchange:
    """As far as the first request could be sent; what TLS settled on, or None where there is none."""
    with record.during("resolve"):
        record.resolved = yield [Resolve()]
    with record.during("connect"):
        record.peer = yield [Connect()]
    if proxied:
        with record.during("proxy"):
            yield [Tunnel()]
    if url.scheme == "https":
        with record.during("tls"):
            record.trace("*", "TLS handshake")
            record.tls = yield [StartTls()]
    return record.tls


def _exchange(request: HttpRequest, record: ConversationLog, step: str, proxied: bool) -> _Exchange:
    yield from _reach(request.url, record, proxied)
    with record.during(step):
        reader = ResponseReader(request.most)
        record.trace("C", str(request))
        data = yield [Write(request.encoded()), Read()]
        while True:
            response = reader.feed(data)
            if response is not None:
                break
            data = yield [Read()]
        shown = "HTTP %d, %s, %d bytes" % (response.status, response.media_type or "no type", len(response.body))
        record.trace("S", shown)
        record.reply = HttpAnswer(response.status, shown)
    return response


class HttpRoute(NamedTuple):
    """How to get there: what is trusted, and by way of which proxy."""

    tls: TlsSettings
    route: Route = Route()


def ask(request: HttpRequest, way: HttpRoute, record: ConversationLog, deadline: Deadline, step: str) -> Response:
    """Send one request on a connection of its own. Raises :class:`Failure`; its stage is resolve, connect, proxy, tls or ``step``.

    A redirect is an answer like any other: to follow it would hand the credential to whoever it names.
    """
    response: Response = _carry_out(
        _exchange(request, record, step, way.route.proxy is not None), request.url, way, record, deadline
    )
    return response


def reach(url: Url, way: HttpRoute, record: ConversationLog, deadline: Deadline) -> None:
    """Connect, and secure the connection, and say nothing. Raises :class:`Failure`; what TLS settled on is in ``record.tls``."""
    _carry_out(_reach(url, record, way.route.proxy is not None), url, way, record, deadline)


def _carry_out(exchange: _Exchange, url: Url, way: HttpRoute, record: ConversationLog, deadline: Deadline) -> t.Any:
    engine = _HttpEngine(exchange)
    run(engine, Endpoint(url.host, url.port, way.tls, way.route), record, deadline)
    if engine.failure is not None:
        raise engine.failure
    return engine.response
