# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NTLM, "SPA" in Outlook: NTLMv2 as [MS-NLMP] has it, carried as [MS-SMTPNTLM] says. No signing, no session key."""

from __future__ import annotations

import datetime
import hmac
import struct

from ..._shared.light import NamedTuple
from .credential import BadChallenge, Credential, Exchange, Session, require_md5
from .md4 import md4

SIGNATURE = b"NTLMSSP\0"
UNICODE, REQUEST_TARGET, NTLM, ALWAYS_SIGN, EXTENDED_SECURITY, TARGET_INFO = 0x1, 0x4, 0x200, 0x8000, 0x80000, 0x800000
FLAGS = UNICODE | REQUEST_TARGET | NTLM | ALWAYS_SIGN | EXTENDED_SECURITY
TIMESTAMP = 7  # MsvAvTimestamp, the one entry of the target information that we read
_EPOCH = datetime.datetime(1601, 1, 1, tzinfo=datetime.timezone.utc)


class Challenge(NamedTuple):
    """The server's CHALLENGE_MESSAGE: its flags, its random 8 bytes and what it says about itself."""

    flags: int
    challenge: bytes
    target_info: bytes


def ntlm(session: Session) -> Exchange:
    """NEGOTIATE as the initial response, then AUTHENTICATE."""
    require_md5()
    user, domain = _name(session.credential)
    message = yield SIGNATURE + struct.pack("<II", 1, FLAGS) + _field(0, 32) + _field(0, 32)
    challenge = read_challenge(message)
    stamp, own = timestamp(challenge.target_info), session.random(8)
    key = response_key(user, domain, session.credential.password.reveal())
    response = nt_response(key, challenge, own, stamp or _now())
    # 3.1.5.1.2: the old response is nothing but zeros where the server says its time.
    old = b"\0" * 24 if stamp else lm_response(key, challenge, own)
    for secret in (response, response[:16], old):
        session.hide(secret.hex())
    yield _authenticate(user, domain, old, response, challenge.flags)


def _name(credential: Credential) -> tuple[str, str]:
    r"""User and domain; without ``auth_domain``, the domain may be part of the name, as ``CORP\user``."""
    domain, _gap, user = ("", "", credential.username) if credential.domain else credential.username.rpartition("\\")
    return user, credential.domain or domain


def read_challenge(message: bytes) -> Challenge:
    """2.2.1.2. Raises :class:`BadChallenge`."""
    if len(message) < 32 or message[:8] != SIGNATURE or message[8:12] != b"\x02\0\0\0":
        raise BadChallenge("its challenge is not one of NTLM")
    (flags,) = struct.unpack_from("<I", message, 20)
    info = b""
    if flags & TARGET_INFO:
        if len(message) < 48:
            raise BadChallenge("its NTLM challenge is cut off")
        length, _most, offset = struct.unpack_from("<HHI", message, 40)
        info = message[offset : offset + length]
        if len(info) != length:
            raise BadChallenge("its NTLM challenge is cut off")
    return Challenge(flags, message[24:32], info)


def timestamp(target_info: bytes) -> bytes:
    """The server's time as it is written there (2.2.2.1), empty where it says none. Raises :class:`BadChallenge`."""
    at = 0
    while at + 4 <= len(target_info):
        kind, length = struct.unpack_from("<HH", target_info, at)
        value = target_info[at + 4 : at + 4 + length]
        if kind == TIMESTAMP and len(value) == 8:
            return value
        if kind == 0:
            break
        at += 4 + length
    return b""


def _now() -> bytes:
    """100 nanoseconds since 1601."""
    return struct.pack(
        "<Q", (datetime.datetime.now(datetime.timezone.utc) - _EPOCH) // datetime.timedelta(microseconds=1) * 10
    )


def response_key(username: str, domain: str, password: str) -> bytes:
    """NTOWFv2 (3.3.2)."""
    return hmac.new(md4(password.encode("utf-16-le")), (username.upper() + domain).encode("utf-16-le"), "md5").digest()


def nt_response(key: bytes, challenge: Challenge, own_challenge: bytes, stamp: bytes) -> bytes:
    """NtChallengeResponse: the proof in 16 bytes, and what it is of (3.3.2)."""
    temp = b"\x01\x01" + b"\0" * 6 + stamp + own_challenge + b"\0" * 4 + challenge.target_info + b"\0" * 4
    return hmac.new(key, challenge.challenge + temp, "md5").digest() + temp


def lm_response(key: bytes, challenge: Challenge, own_challenge: bytes) -> bytes:
    """LmChallengeResponse of NTLMv2 (3.3.2)."""
    return hmac.new(key, challenge.challenge + own_challenge, "md5").digest() + own_challenge


def _authenticate(username: str, domain: str, old: bytes, response: bytes, flags: int) -> bytes:
    """2.2.1.3, without version and MIC, which are not asked for."""
    encoding = "utf-16-le" if flags & UNICODE else "latin-1"
    parts = (old, response) + tuple(text.encode(encoding, "replace") for text in (domain, username, "")) + (b"",)
    at, fields = 64, b""
    for part in parts:
        fields += _field(len(part), at)
        at += len(part)
    return (
        SIGNATURE + struct.pack("<I", 3) + fields + struct.pack("<I", flags & (FLAGS | TARGET_INFO)) + b"".join(parts)
    )


def _field(length: int, offset: int) -> bytes:
    return struct.pack("<HHI", length, length, offset)
