# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Seal: file contents made opaque for the way between controller and target, whose module results ssh prints at -vvv.

What it is for: neither the bytes of a file nor their base64 can be found in a log, a callback or a terminal. Both sides use
it with a key made for one task (``new_key``), handed to the module in a ``no_log`` option.
What it is not: protection from anyone who can read the module's arguments, which hold the key; nor a way to store anything.

A sealed text is base64 of ``nonce (16) + tag (32) + data XOR keystream``. The keystream is SHAKE-256 (FIPS 202) of key, label
and nonce; the tag is HMAC-SHA-256 (RFC 2104) of label, nonce and what follows, so that a wrong key or label is noticed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import typing as t

NONCE_BYTES = 16
TAG_BYTES = 32

#: Label of the sealed ``contents`` option.
CONTENTS = "contents"
#: Label of the sealed ``facts`` option.
FACTS = "facts"


#: How bytes that are no UTF-8 travel in texts, on both sides (PEP 383).
ERRORS = "surrogateescape"

#: An argument specification of Ansible, and options that were read by it.
Spec = t.Mapping[str, t.Mapping[str, t.Any]]
Options = t.Mapping[str, t.Any]


class SealError(ValueError):
    """The text cannot be opened. Never holds the key or any of the text."""


def new_key() -> str:
    """A key for one task, as hex."""
    return os.urandom(32).hex()


def read_label(path: str) -> str:
    """Label of the content of ``path`` as state query returns it."""
    return f"read {path}"


def original_label(path: str) -> str:
    """Label of the bytes that stood at ``path`` before it became ours, as state query returns them."""
    return f"original {path}"


def seal(key: str, label: str, data: bytes) -> str:
    """``data`` as opaque ASCII. The same label must be given to open it. Raises SealError when the key is not hex."""
    raw = _key_bytes(key)
    nonce = os.urandom(NONCE_BYTES)
    body = _xor(data, _keystream(raw, label, nonce, len(data)))
    return base64.b64encode(nonce + _tag(raw, label, nonce, body) + body).decode("ascii")


def unseal(key: str, label: str, text: str) -> bytes:
    """The bytes that ``seal`` was given. Raises SealError when key or label differ or the text is damaged."""
    raw = _key_bytes(key)
    try:
        blob = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise SealError("this is not a sealed text") from None
    nonce, tag, body = blob[:NONCE_BYTES], blob[NONCE_BYTES : NONCE_BYTES + TAG_BYTES], blob[NONCE_BYTES + TAG_BYTES :]
    if not hmac.compare_digest(tag, _tag(raw, label, nonce, body)):
        raise SealError("sealed under another key or label, or damaged on the way")
    return _xor(body, _keystream(raw, label, nonce, len(body)))


def fingerprint(key: str, data: bytes) -> str:
    """Tells whether a file is still the same within one task; without the task's key nothing can be guessed from it."""
    return _tag(_key_bytes(key), "fingerprint", b"", data).hex()


def seal_contents(key: str, contents: t.Mapping[str, bytes]) -> str:
    """The ``contents`` option of smtp_deploy: whole files by path, sealed as one text."""
    plain = {path: base64.b64encode(data).decode("ascii") for path, data in contents.items()}
    return seal(key, CONTENTS, json.dumps(plain).encode("ascii"))


def unseal_contents(key: str, text: str) -> dict[str, bytes]:
    """The files that ``seal_contents`` was given. Raises SealError."""
    try:
        plain = json.loads(unseal(key, CONTENTS, text))
        return {path: base64.b64decode(data, validate=True) for path, data in plain.items()}
    except (AttributeError, TypeError, binascii.Error, json.JSONDecodeError):
        raise SealError("what was sealed is not a set of files") from None


def seal_facts(key: str, facts: t.Mapping[str, t.Any]) -> str:
    """The ``facts`` option of smtp_deploy: by path what our keys have in a shared file, ``wanted`` and ``present``."""
    return seal(key, FACTS, json.dumps(facts).encode("ascii"))


def unseal_facts(key: str, text: str) -> dict[str, dict[str, dict[str, bytes]]]:
    """By path ``wanted`` and ``present``, each by key. Raises SealError."""
    try:
        plain = json.loads(unseal(key, FACTS, text))
        return {
            path: {
                part: {name: value.encode("utf-8") for name, value in values.items()} for part, values in facts.items()
            }
            for path, facts in plain.items()
        }
    except (AttributeError, json.JSONDecodeError):
        raise SealError("what was sealed is not a set of facts") from None


def seal_options(key: str, spec: Spec, options: Options) -> dict[str, t.Any]:
    """``options`` with every text sealed in its place that the argument specification says is a secret (``no_log``)."""
    return with_secrets(spec, options, lambda label, text: seal(key, label, text.encode("utf-8", ERRORS)))


def unseal_options(key: str, spec: Spec, options: Options) -> tuple[dict[str, t.Any], set[str]]:
    """What ``seal_options`` was given, and the secrets in it. Raises SealError."""
    secrets: set[str] = set()

    def opened(label: str, text: str) -> str:
        plain = unseal(key, label, text).decode("utf-8", ERRORS)
        secrets.update({plain} - {""})
        return plain

    return with_secrets(spec, options, opened), secrets


def with_secrets(
    spec: Spec, options: Options, turn: t.Callable[[str, str], str], within: str = "option"
) -> dict[str, t.Any]:
    """A copy of ``options`` with each secret turned, given its label and itself; what the specification does not know stays."""
    turned = dict(options)
    for name, value in options.items():
        about, label = spec.get(name, {}), f"{within} {name}"
        if value is None:
            continue
        if about.get("no_log"):
            turned[name] = turn(label, value)
        elif about.get("options") and isinstance(value, list):
            turned[name] = [with_secrets(about["options"], item, turn, label) for item in value]
        elif about.get("options"):
            turned[name] = with_secrets(about["options"], value, turn, label)
    return turned


def _key_bytes(key: str) -> bytes:
    try:
        raw = bytes.fromhex(key)
    except ValueError:
        raw = b""
    if len(raw) < 16:
        raise SealError("the key is not at least 32 hexadecimal digits")
    return raw


def _labelled(purpose: bytes, key: bytes, label: str, nonce: bytes) -> bytes:
    """Key, label and nonce with lengths before them, so that no two triples give the same bytes."""
    parts = (purpose, key, label.encode("utf-8", ERRORS), nonce)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _keystream(key: bytes, label: str, nonce: bytes, length: int) -> bytes:
    return hashlib.shake_256(_labelled(b"keystream", key, label, nonce)).digest(length)


def _tag(key: bytes, label: str, nonce: bytes, body: bytes) -> bytes:
    return hmac.new(key, _labelled(b"tag", b"", label, nonce) + body, hashlib.sha256).digest()


def _xor(data: bytes, stream: bytes) -> bytes:
    # Whole-number XOR is two orders of magnitude faster than a loop over bytes.
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")
