# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that opens sockets: names, addresses, bytes, and one deadline over all of it."""

from __future__ import annotations

import errno
import socket
import time
import typing as t
from _thread import allocate_lock, start_new_thread

from ..._shared.light import NamedTuple
from ..protocol.commands import Compute, Connect, Patience, Resolve, StartTls, Tunnel
from ..protocol.engine import Read, Write
from ..protocol.failure import Failure
from ..protocol.log import Address, ConversationLog, Peer
from . import tls
from .aside import Aside, in_time
from .route import Route, is_path

if t.TYPE_CHECKING:
    from ..protocol.engine import AnyEngine, Effect
    from .proxy import Take, TakeHead

_UNREACHABLE = (
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.EHOSTDOWN,
    errno.EADDRNOTAVAIL,
    errno.EAFNOSUPPORT,
)
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_FAMILIES = {socket.AF_INET: "ipv4", socket.AF_INET6: "ipv6"}
_WANTED = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
# Each has its share of the time that there is.
MOST_ADDRESSES = 20
# The timeout of the socket, where it does see the deadline, is to tell of it.
GRACE = 0.05
ENDED = ("tls_handshake_closed", "disconnected")


class Deadline:
    """A point in time, by a clock that nobody can set."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds to go; raises :class:`Failure` when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise Failure("deadline_exceeded")
        return left

    def rest(self) -> float:
        """Seconds to go, or 0 when there are none."""
        return max(self._end - time.monotonic(), 0.0)

    def within(self, seconds: float) -> Deadline:
        """A deadline no later than this one."""
        return Deadline(min(seconds, self._end - time.monotonic()))


class Endpoint(NamedTuple):
    """Where to go, how to get there and how to secure it.

    ``reserve``: seconds of the deadline that connecting must leave, for finding out why it failed.
    ``ip``: the one address to use of those that the host has; empty for any.
    """

    host: str
    port: int
    tls: tls.TlsSettings
    route: Route = Route()
    reserve: float = 0.0
    ip: str = ""


def run(engine: AnyEngine, endpoint: Endpoint, record: ConversationLog, deadline: Deadline) -> None:
    """Carry out the engine's effects until it says close. Never raises on account of the network."""
    wire = _Wire(endpoint, record, deadline)
    try:
        effects = engine.start()
        while True:
            answer: t.Callable[[], list[Effect]] | None = None
            try:
                for effect in effects:
                    answer = wire.carry_out(effect, engine)
            except (OSError, Failure) as exc:
                effects = engine.broke(wire.explain(exc))
                continue
            if answer is None:
                return
            effects = answer()
    finally:
        wire.close()


class _Wire:
    """A socket, a deadline, and what the transcript is told about them."""

    def __init__(self, endpoint: Endpoint, record: ConversationLog, deadline: Deadline) -> None:
        self._endpoint = endpoint
        self._record = record
        self._whole = self._deadline = deadline
        self._step: Deadline | None = None
        self._sock: socket.socket | None = None
        self._found: list[t.Any] = []
        self._guard: t.Any = None

    def carry_out(self, effect: Effect, engine: AnyEngine) -> t.Callable[[], list[Effect]] | None:
        """Do one thing. Returns how to tell the engine, where it waits to be told."""
        if not isinstance(effect, Read):
            self._begin_step()
        if isinstance(effect, Patience):
            self._deadline = self._whole if effect.seconds is None else self._whole.within(effect.seconds)
        elif isinstance(effect, Write):
            # What a server said before it hung up is still there to be read, and tells more than a broken pipe.
            try:
                self._ready().sendall(effect.data)
            except (ConnectionError, *tls.HUNG_UP):
                pass
        elif isinstance(effect, Read):
            data = self._ready().recv(16384)
            return lambda: engine.received(data)
        elif isinstance(effect, Resolve):
            self._found = self._look_up()
            return lambda: engine.answered([address[4][0] for address in self._found])
        elif isinstance(effect, Connect):
            peer = self._connect()
            return lambda: engine.answered(peer)
        elif isinstance(effect, Tunnel):
            self._tunnel()
            self._introduce()
            return lambda: engine.answered(True)
        elif isinstance(effect, StartTls):
            sock = self._ready()
            self._guard = _guarded(sock, self._whole)
            self._sock, info = tls.handshake(sock, self._endpoint.tls)
            self._record.certificate = self._sock.getpeercert(True) or b""
            return lambda: engine.answered(info)
        elif isinstance(effect, Compute):
            worked = in_time(effect.work, self._deadline.left())
            if worked is None:
                raise Failure("deadline_exceeded")
            return lambda: engine.answered(worked)
        else:  # Close, the last of the effects
            self.close()
        return None

    def _look_up(self) -> list[t.Any]:
        found = _resolve(self._endpoint, self._deadline)
        if len(found) > MOST_ADDRESSES:
            text = "%s has %d addresses, of which the first %d are used"
            self._record.warnings.append(text % (self._endpoint.host, len(found), MOST_ADDRESSES))
        return found[:MOST_ADDRESSES]

    def _ready(self) -> socket.socket:
        if self._sock is None:
            raise AssertionError("the engine opens the connection before it uses it")
        self._sock.settimeout(min(self._deadline.left(), self._step.left()) if self._step else self._deadline.left())
        return self._sock

    def _begin_step(self) -> None:
        """A step is what we do and all that we wait for after it, however many bytes that comes in."""
        seconds = self._endpoint.route.step_timeout
        self._step = self._whole.within(seconds) if seconds else None

    def explain(self, exc: Exception) -> Failure:
        """One name for it; where it was the step that took too long, with how long it might."""
        failure = _explain(exc)
        if failure.category in ENDED and self._guard is not None and not self._whole.rest():
            # Not the peer: the guard has ended the connection.
            failure = Failure("deadline_exceeded")
        if (
            failure.category == "deadline_exceeded"
            and self._step is not None
            and not self._step.rest()
            and self._whole.rest()
        ):
            failure.facts.setdefault("timeout", self._endpoint.route.step_timeout)
        return failure

    def _connect(self) -> Peer:
        """Every address in turn, each with its share of what is left; the first that answers is used."""
        failure = Failure("dns_failure")
        source = self._endpoint.route.source_address
        for number, (family, kind, protocol, _name, address) in enumerate(self._found):
            started = time.monotonic()
            self._begin_step()
            share = max(self._deadline.left() - self._endpoint.reserve, 0.05) / (len(self._found) - number)
            try:
                self._sock = socket.socket(family, kind, protocol)
                self._sock.settimeout(min(share, self._step.left()) if self._step else share)
                if source:
                    self._sock.bind((source, 0))
                self._sock.connect(address)
                if family != socket.AF_UNIX:
                    # Commands are small and wait for their answer: Nagle's algorithm would only hold them back.
                    self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as exc:
                failure = _explain(exc, connecting=True)
                self._note(family, address, failure, started)
                self.close()
                continue
            self._note(family, address, None, started)
            self._begin_step()
            if self._endpoint.route.proxy is None:
                self._introduce()
            return _peer(self._sock, address[0], proxied=self._endpoint.route.proxy is not None)
        raise failure

    def _introduce(self) -> None:
        """Say who connects, where the relay wants that before anything else."""
        version = self._endpoint.route.introduction
        if not version:
            return
        # Imported here: few relays want one.
        from . import proxy_protocol

        sock = self._ready()
        through = self._endpoint.route.proxy is not None or sock.family == socket.AF_UNIX
        data, shown = proxy_protocol.header(
            version, *(("", 0, "", 0) if through else (*sock.getsockname()[:2], *sock.getpeername()[:2]))
        )
        self._record.trace("*", f"PROXY protocol {version}: {shown}")
        sock.sendall(data)

    def _note(self, family: int, address: t.Any, failure: Failure | None, started: float) -> None:
        ip, port = (address, 0) if family == socket.AF_UNIX else address[:2]
        ms = round((time.monotonic() - started) * 1000, 1)
        said, category = (failure.detail or failure.category, failure.category) if failure else ("", "")
        self._record.addresses.append(
            Address(ip, port, _FAMILIES.get(socket.AddressFamily(family), "unix"), failure is None, said, ms, category)
        )
        self._record.trace("*", "connect to {}: {}".format("%s port %d" % (ip, port) if port else ip, said or "ok"))

    def _tunnel(self) -> None:
        """Let the proxy connect to the relay."""
        # Imported here: few connections go through one.
        from . import proxy

        settings = self._endpoint.route.proxy
        if settings is None:
            raise AssertionError("only called where there is a proxy")
        self._record.trace(
            "*", "%s proxy, connect to %s port %d" % (settings.kind, self._endpoint.host, self._endpoint.port)
        )
        talk = proxy.tunnel(settings, self._endpoint.host, self._endpoint.port)
        try:
            step = next(talk)
            while True:
                if isinstance(step, proxy.Say):
                    self._ready().sendall(step.data)
                    step = next(talk)
                else:
                    step = talk.send(self._take(step))
        except StopIteration:
            return

    def _take(self, wanted: Take | TakeHead) -> bytes:
        """Not a byte more than wanted: what follows is the relay's."""
        data = b""
        while not wanted.satisfied_by(data):
            more = self._ready().recv(wanted.next_bytes(data))
            if not more:
                raise Failure("disconnected", detail="the proxy closed the connection")
            data += more
        return data

    def close(self) -> None:
        """Let go of the socket."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        if self._guard is not None:
            self._guard.release()
            self._guard = None


def _guarded(sock: socket.socket, deadline: Deadline) -> t.Any:
    """Ends the connection at the deadline unless the lock that it returns is released before.

    OpenSSL knows no deadline: while a peer sends what TLS itself takes up (session tickets, requests for a handshake, empty records), it
    returns to nobody, and a timeout of the socket is for silence only.
    """
    twin, over = sock.dup(), allocate_lock()
    over.acquire()

    def watch() -> None:
        if not over.acquire(timeout=deadline.rest() + GRACE):
            try:
                twin.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the peer was quicker
        twin.close()

    start_new_thread(watch, ())
    return over


def _peer(sock: socket.socket, ip: str, proxied: bool) -> Peer:
    if sock.family == socket.AF_UNIX:
        return Peer(ip, "127.0.0.1", loopback=True)
    # Behind a proxy, even one on this host, there is a network.
    return Peer(ip, sock.getsockname()[0], not proxied and (ip.startswith("127.") or ip == "::1"))


def _resolve(endpoint: Endpoint, deadline: Deadline) -> list[t.Any]:
    """All addresses that may be used, in the system's order. In a thread, since the resolver knows no deadline."""
    host, port = endpoint.host, endpoint.port
    if is_path(host):
        return [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", host)]
    if endpoint.route.proxy is not None:
        host, port = endpoint.route.proxy.host, endpoint.route.proxy.port
    family = _WANTED.get(endpoint.route.addresses, 0)

    def look_up() -> list[t.Any]:
        return socket.getaddrinfo(tls.as_sent(endpoint.ip or host), port, family, socket.SOCK_STREAM)

    found: t.Any = in_time(look_up, deadline.left())
    if found is None:
        raise Failure("deadline_exceeded", detail="the resolver did not answer in time")
    if isinstance(found, Exception):
        raise Failure("dns_failure", detail=str(getattr(found, "strerror", None) or found)) from found
    return list(found)


class OwnName:
    """This host's full name, looked up once for however many probes ask for it, none of which waits longer than it can spare."""

    def __init__(self) -> None:
        self._search = Aside(socket.getfqdn)

    def within(self, seconds: float) -> str:
        """The name, or an empty text if there is none worth saying (RFC 5321 4.1.4 then wants the address)."""
        for name in (self._search.within(seconds), socket.gethostname()):
            if (
                isinstance(name, str)
                and "." in name
                and not name.startswith("localhost.")
                and not name.endswith(".arpa")
            ):
                return name
        return ""


def _explain(exc: Exception, connecting: bool = False) -> Failure:
    """One name for what the operating system says."""
    if isinstance(exc, Failure):
        return exc
    known = tls.explain(exc)
    if known is not None:
        return known
    text = str(getattr(exc, "strerror", None) or exc)
    if isinstance(exc, socket.timeout) or "timed out" in text:
        return Failure(
            "connect_timeout" if connecting else "deadline_exceeded", detail="no answer in time" if connecting else ""
        )
    if isinstance(exc, ConnectionRefusedError):
        return Failure("connect_refused", detail=text)
    number = getattr(exc, "errno", None)
    if number in _UNREACHABLE:
        return Failure("network_unreachable", detail=text)
    if number in _FORBIDDEN:
        return Failure("port_blocked", detail=text)
    return Failure("disconnected", detail=text)
