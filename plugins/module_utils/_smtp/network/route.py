# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to get to a relay: the options of the way there and of TLS, read and checked together."""

from __future__ import annotations

import base64
import re
import typing as t

from ..._shared.light import NamedTuple
from ..._shared.problem import Problem
from ..._shared.secret import Secret
from .tls import ClientCertificate, TlsSettings

PROXY_PORTS = {"socks5": 1080, "http": 3128}
LMTP_PORT = 24  # IANA; there is no other port for LMTP over TCP, and never 25 (RFC 2033 5)

_FINGERPRINT = r"(?i)(?:(sha256|spki-sha256):)?((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})\Z"
_SERVER = r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]+|[0-9a-fA-F:.]+?))(?::(\d{1,5}))?\Z"

Options: t.TypeAlias = "t.Mapping[str, t.Any]"


class Proxy(NamedTuple):
    """``kind`` is ``socks5`` or ``http``. Printing it does not print the password."""

    kind: str
    host: str
    port: int
    username: str
    password: Secret

    @property
    def basic(self) -> str:
        """The login as RFC 7617 writes it."""
        return base64.b64encode((f"{self.username}:{self.password.reveal()}").encode("utf-8")).decode("ascii")


class Route(NamedTuple):
    """``addresses``: first, all, ipv4 or ipv6; ``resolve``: host, mx or srv; ``dns_servers``: (address, port) each;
    ``introduction``: the version of the PROXY protocol with whose header a connection begins, empty for none;
    ``step_timeout``: seconds for one step, 0 for as many as there are."""

    protocol: str = "smtp"
    addresses: str = "first"
    source_address: str = ""
    resolve: str = "host"
    proxy: t.Optional[Proxy] = None
    dns_servers: t.Tuple[t.Tuple[str, int], ...] = ()
    dane: bool = False
    introduction: str = ""
    step_timeout: float = 0.0

    @property
    def asks_dns(self) -> bool:
        """Whether something other than addresses is to be looked up, which the standard library cannot."""
        return self.resolve != "host" or self.dane


def is_path(host: str) -> bool:
    """Whether this host is a unix socket."""
    return host.startswith("/")


def at(host: str, port: int) -> str:
    """Where it is, in one word for people."""
    return host if is_path(host) else "%s:%d" % (host, port)


def read_route(options: Options) -> tuple[Route, list[Problem]]:
    """The way to the relay, and every problem."""
    proxy, problems = _proxy(options.get("proxy") or "")
    servers = [re.match(_SERVER, text) for text in options.get("dns_servers") or ()]
    route = Route(
        protocol=options.get("protocol") or "smtp",
        addresses=options.get("addresses") or "first",
        source_address=options.get("source_address") or "",
        resolve=options.get("resolve") or "host",
        proxy=proxy,
        dns_servers=tuple((found.group(1) or found.group(2), int(found.group(3) or 53)) for found in servers if found),
        dane=options.get("dane") == "report",
        step_timeout=float(options.get("step_timeout") or 0),
        introduction=options["proxy_protocol"] if options.get("proxy_protocol") in ("v1", "v2") else "",
    )
    if not all(found and _is_address(found.group(1) or found.group(2)) for found in servers):
        what, hint = (
            "not each of them is an address, or an address and a port.",
            "Such as: 192.0.2.53 or 192.0.2.53:5353.",
        )
        problems.append(Problem("dns_servers", what, "dns-server-form", hint))
    return route, [*problems, *_contradictions(options, route)]


def _contradictions(options: Options, route: Route) -> t.Iterator[Problem]:
    host, path = options.get("host") or "", is_path(options.get("host") or "")
    proven = options.get("tls_server_name") or options.get("tls_fingerprints")
    if route.source_address and not _is_address(route.source_address):
        yield Problem(
            "source_address",
            "this is not an IP address.",
            "source-address-form",
            "Write an address of this host, such as 192.0.2.1.",
        )
    if path and bool(
        route.proxy or route.source_address or route.asks_dns or route.addresses != "first" or options.get("port")
    ):
        yield Problem(
            "host", "a unix socket has no port, no addresses, no DNS and no proxy.", "unix-socket", "Leave them out."
        )
    if route.proxy and (route.addresses != "first" or route.source_address != ""):
        yield Problem(
            "proxy",
            "the proxy looks the name up and chooses the address.",
            "proxy-addresses",
            "Leave addresses and source_address out.",
        )
    if route.protocol == "lmtp" and options.get("port") == 25:
        yield Problem(
            "port", "LMTP must not use port 25 (RFC 2033).", "lmtp-port", "It is usually 24, or a unix socket."
        )
    if route.resolve != "host" and _is_address(host):
        yield Problem(
            "resolve", f"an address has no {route.resolve} record.", "resolve-address", "Give a name as host."
        )
    if route.resolve != "host" and bool(options.get("username")) and not proven:
        yield Problem(
            "resolve",
            "names from DNS prove nothing, and would be given the password.",
            "resolve-login",
            "Say in tls_server_name which name the relay's certificate must carry.",
        )


def _is_address(text: str) -> bool:
    # Imported here, as below: few relays need it, and it takes long to load.
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _proxy(url: str) -> tuple[Proxy | None, list[Problem]]:
    """Never shows the value: it may hold a password."""
    if not url:
        return None, []
    import urllib.parse

    hint = "Write socks5://host:1080 or http://user:password@host:3128."
    wrong = [Problem("proxy", "this is not a proxy's address.", "proxy-form", hint)]
    try:
        parts = urllib.parse.urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None, wrong
    if parts.scheme not in PROXY_PORTS or not host or parts.path.strip("/") or parts.query or parts.fragment:
        return None, wrong
    name, password = (urllib.parse.unquote(part or "") for part in (parts.username, parts.password))
    too_long = parts.scheme == "socks5" and max(len(name.encode("utf-8")), len(password.encode("utf-8"))) > 255
    if too_long or (name and parts.scheme == "http" and ":" in name) or re.search("[\x00-\x1f\x7f]", name + password):
        what = "its login cannot be said in this kind of proxy (RFC 1929, RFC 7617)."
        return None, [Problem("proxy", what, "proxy-login", "Use another login, or another kind of proxy.")]
    return Proxy(parts.scheme, host, port or PROXY_PORTS[parts.scheme], name, Secret(password)), []


def read_tls(options: Options) -> tuple[TlsSettings, list[Problem]]:
    """What was declared of TLS, and every problem."""
    matches = [re.match(_FINGERPRINT, text) for text in options.get("tls_fingerprints") or ()]
    certificate, key = options.get("client_cert") or "", options.get("client_key") or ""
    client = ClientCertificate(certificate, key or certificate, Secret(options.get("client_key_password") or ""))
    settings = TlsSettings(
        verify=options["validate_certs"],
        ca_path=options.get("ca_path") or "",
        server_name=options.get("tls_server_name") or options.get("host") or "",
        min_version=options["tls_min_version"],
        fingerprints=tuple(
            "{}:{}".format((found.group(1) or "sha256").lower(), found.group(2).replace(":", "").lower())
            for found in matches
            if found
        ),
        ca_added=options.get("ca_mode") == "add",
        client=client if certificate else None,
        strict=bool(options.get("tls_x509_strict")),
        ciphers=options.get("tls_ciphers") or "",
    )
    return settings, list(_tls_contradictions(options, all(matches)))


def _tls_contradictions(options: Options, fingerprints: bool) -> t.Iterator[Problem]:
    """fingerprints: whether each of them is one."""
    certificate = options.get("client_cert")
    if not fingerprints:
        yield Problem(
            "tls_fingerprints",
            "not each of them is a fingerprint.",
            "not-a-fingerprint",
            "Write sha256: (of the certificate) or spki-sha256: (of its public key) and 64 hexadecimal digits.",
        )
    if options.get("client_key") and not certificate:
        yield Problem(
            "client_key",
            "a key stands here without client_cert.",
            "client-key-alone",
            "Give both, or client_cert alone.",
        )
    if options.get("client_key_password") and not certificate:
        yield Problem(
            "client_key_password",
            "a password stands here without client_cert.",
            "client-key-alone",
            "Leave it out, or give client_cert.",
        )
    if options.get("ca_mode") == "add" and not options.get("ca_path"):
        yield Problem("ca_mode", "there is no CA to add.", "ca-mode", "Name it in ca_path, or leave ca_mode out.")
