# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of the module to a :class:`RelayTarget`, with every problem named at once."""

from __future__ import annotations

import typing as t

from ..._shared.problem import Problem
from ..._shared.secret import Secret
from ..._shared.security import PORT_OF, SECURITY_OF
from ..._shared.text import unfit
from ..network.route import LMTP_PORT, at, is_path, read_route, read_tls
from ..sasl.credential import Credential
from ..sasl.mechanisms import NAMES
from . import message
from .target import RelayTarget

if t.TYPE_CHECKING:
    from ..web.http import Url
    from ..web.oauth2 import OAuth2
    from .mta_sts_options import Asked as MtaSts


Options: t.TypeAlias = "t.Mapping[str, t.Any]"


def read(options: Options) -> tuple[RelayTarget | None, list[Problem]]:
    """One relay, or None and the problems."""
    options, oauth2, graph, problems = _by_token(_names_apart(options))
    problems += [*_control_characters(options), *_contradictions(options)]
    port, security, wrong = _port_and_security(options)
    problems += wrong
    route, wrong = read_route(options)
    problems += wrong
    tls, wrong = read_tls(options)
    problems += wrong
    mta_sts, wrong = _mta_sts(options)
    problems += wrong
    wanted, wrong = message.read(options)
    problems += wrong + _expected(_given(options.get("expect")))
    if problems:
        return None, problems
    credential = _credential(options)
    sender = options.get("from") or (credential.username if credential and graph else "")
    level = _level(options, credential is not None, graph is not None)
    return (
        RelayTarget(
            name=options.get("name") or at(options["host"], port),
            host=options["host"],
            port=port,
            security=security,
            tls=tls,
            route=route,
            credential=credential,
            mechanisms=_mechanisms(options),
            allow_plaintext_auth=options["allow_plaintext_auth"],
            helo=options.get("helo") or "",
            timeout=float(options["timeout"]),
            sender=sender,
            level=level,
            send=options["send"],
            message=wanted,
            expect=_given(options.get("expect")),
            min_cert_days=options.get("min_cert_days") or 0,
            diagnose=options["diagnose"],
            state_dir=options["state_dir"],
            oauth2=oauth2,
            graph=graph,
            credential_id=options.get("credential_id") or "",
            mta_sts=mta_sts,
            **_envelope(options, sender if level == "envelope" and graph is None else ""),
        ),
        [],
    )


def _level(options: Options, login: bool, graph: bool) -> str:
    """How far to go: as asked, else as far as what was given can be proven. Graph shows no more than ``auth`` without sending."""
    if options["send"] != "never":
        return "envelope"
    return options.get("level") or ("envelope" if options.get("from") and not graph else "auth" if login else "tls")


def _envelope(options: Options, sender: str) -> dict[str, t.Any]:
    """Recipients and further senders. ``sender``: whose own address stands in where no recipient is named; empty for nobody's."""
    own = bool(sender) and not options.get("to")
    further = tuple(options.get("also_from") or ()) if sender else ()
    return {
        "recipients": (sender,) if own else tuple(options.get("to") or ()),
        "also_from": further,
        "own_recipient": own,
    }


def _names_apart(options: Options) -> Options:
    """The same with bare addresses in ``from`` and ``reply_to``, which the envelope needs, and their display names beside them."""
    apart: dict[str, t.Any] = dict(options)
    for key in ("from", "reply_to"):
        if options.get(key):
            apart[key + "_name"], apart[key] = message.mailbox(options[key])
    return apart


def _expected(expect: dict[str, t.Any]) -> list[Problem]:
    if not expect:
        return []
    # Imported here: most probes expect nothing but that all is well.
    from . import expectation

    return expectation.problems(expect)


def _given(values: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    return {key: value for key, value in (values or {}).items() if value is not None}


def _credential(options: Options) -> Credential | None:
    """Who logs in: by name, or by client certificate where that is asked for by name or by level."""
    by_certificate = bool(options.get("client_cert")) and (
        "EXTERNAL" in _mechanisms(options) or options.get("level") == "auth"
    )
    # A token is for a mailbox: where no other is named, for the sender's.
    name = options.get("username") or (options.get("from") if options.get("oauth2") else "")
    if not name and not by_certificate:
        return None
    return Credential(
        username=name or "",
        password=Secret(options.get("password") or ""),
        domain=options.get("auth_domain") or "",
        certificate=bool(options.get("client_cert")),
    )


def _mechanisms(options: Options) -> tuple[str, ...]:
    return tuple(name.upper() for name in options.get("auth_mechanisms") or ())


def _by_token(options: Options) -> tuple[Options, OAuth2 | None, Url | None, list[Problem]]:
    """The way to a token, and where Graph is if that is the type; the host is then Graph's."""
    if not options.get("oauth2") and options.get("type") != "ms_graph":
        return options, None, None, []
    # Imported here: most relays take a password, and need not pay for it.
    from . import oauth2_options

    oauth2, problems = oauth2_options.read(options)
    if options.get("type") != "ms_graph":
        return options, oauth2, None, problems
    changed, graph, wrong = oauth2_options.as_graph(options)
    return changed, oauth2, graph, problems + wrong


def _mta_sts(options: Options) -> tuple[MtaSts | None, list[Problem]]:
    if options.get("mta_sts") != "report":
        return None, []
    # Imported here: hardly any probe asks for it.
    from . import mta_sts_options

    return mta_sts_options.read(options)


def _control_characters(options: Options) -> list[Problem]:
    """CR, LF, NUL and their like end a command early and begin another. Values are not shown."""
    found = []
    for key, value in sorted(options.items()):
        texts = value if isinstance(value, (list, tuple)) else (value,)
        if any(isinstance(text, str) and unfit(text) for text in texts):
            what = "this holds a control character (a line end, a tab or the like)."
            found.append(Problem(key, what, "control-character", "Write it without."))
    return found


def _contradictions(options: Options) -> t.Iterator[Problem]:
    """What cannot be, whatever the relay says."""
    level, send = options.get("level"), options["send"]
    envelope = level == "envelope" or send != "never"
    unknown = sorted({name for name in options.get("auth_mechanisms") or () if name.upper() not in NAMES})
    yield from _host(options.get("host") or "")
    yield from _addresses(options)
    if options.get("password") and not options.get("username"):
        yield _half("username", "a password stands here without a user name.")
    if options.get("username") and not _proof(options):
        yield _half("password", "a user name stands here without a password.")
    if level == "auth" and not any(options.get(key) for key in ("username", "oauth2", "client_cert")):
        yield Problem(
            "level", "auth needs a login.", "level-credential", "Give username and password, oauth2 or client_cert."
        )
    if (envelope and not options.get("from")) or (send != "never" and not options.get("to")):
        yield Problem(
            "from, to",
            "a sender or a recipient is missing.",
            "envelope-addresses",
            "level: envelope needs from; send needs from and to.",
        )
    if options.get("also_from") and send != "never":
        yield Problem("also_from", "a message is from one sender.", "send-senders", "Leave it out with send.")
    if send != "never" and level not in (None, "envelope"):
        yield Problem("level", f"{level} and send do not go together.", "send-level", "Leave level out.")
    if _blank(options.get("helo") or ""):
        yield Problem("helo", "this is not a host name.", "helo-form", "Write one name, without blanks.")
    if options["timeout"] <= 0:
        yield Problem("timeout", "this is not a number of seconds.", "out-of-range", "Write more than 0.")
    if (options.get("step_timeout") or 1) <= 0:
        yield Problem("step_timeout", "this is not a number of seconds.", "out-of-range", "Write more than 0.")
    if unknown:
        yield Problem(
            "auth_mechanisms",
            "not a login mechanism: {}.".format(", ".join(unknown)),
            "auth-mechanism",
            "One of: {}.".format(", ".join(NAMES)),
        )


def _half(missing: str, what: str) -> Problem:
    return Problem(missing, what, "missing-key", "Give both, or neither for a relay without login.")


def _host(host: str) -> list[Problem]:
    if not host:
        return [Problem("host", "host is missing.", "missing-key", "Such as: smtp.example.com.")]
    if (_blank(host) or "/" in host) and not is_path(host):
        hint = "Write a name, an address or the path of a unix socket, without blanks."
        return [Problem("host", "this is not a host name, an IP address or a path.", "not-a-host", hint)]
    return []


def _addresses(options: Options) -> list[Problem]:
    hint = "Write address@domain; from may have a name, as Example <user@example.com>."
    found = []
    for key in ("from", "also_from", "to"):
        given = options.get(key) or ()
        if any(_blank(text) or "<" in text or ">" in text for text in ([given] if isinstance(given, str) else given)):
            found.append(Problem(key, "this is not a mail address.", "not-an-address", hint))
    return found


def _blank(text: str) -> bool:
    return any(map(str.isspace, text))


def _proof(options: Options) -> bool:
    """Whether there is anything that proves who logs in."""
    return any(options.get(key) for key in ("password", "oauth2", "client_cert"))


def _port_and_security(options: Options) -> tuple[int, str, list[Problem]]:
    """Each from the other where one is left out; TLS on 465 (RFC 8314) where both are. LMTP and unix sockets: in clear text."""
    port: int | None = options.get("port")
    security: str | None = options.get("security")
    if is_path(options.get("host") or ""):
        return 0, security or "none", []
    if options.get("protocol") == "lmtp" and port in (None, LMTP_PORT):
        return LMTP_PORT, security or "none", []
    if port is not None and not 0 < port < 65536:
        return (
            0,
            "",
            [Problem("port", '"%d" is not a TCP port.' % port, "port-range", "Write a number from 1 to 65535.")],
        )
    if security is None and port is None:
        security = "tls"
    if security is None:
        if port not in SECURITY_OF:
            what = f"with port {port} it must be said how the connection is secured."
            return 0, "", [Problem("security", what, "security-unsaid", "One of: {}.".format(", ".join(PORT_OF)))]
        security = SECURITY_OF[port]
    return port or PORT_OF[security], security, []
