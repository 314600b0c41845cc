# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which a server may spell what it was sent, so that a secret is found in what it says back."""

from __future__ import annotations

import base64

_HTML = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("'"): "&#39;"}
# Less of a longer base64 could be anything.
LEAST = 6
# Words of our own sentences. A part of a secret that is nothing but one of them tells nobody anything.
ORDINARY = ("password", "username", "credentials", "authentication", "certificate", "connection")
LONG = 256
_JSON = {ord('"'): '\\"', ord("\\"): "\\\\", ord("/"): "\\/"}


def spellings(text: str, fully: bool = False) -> set[str]:
    """``text`` in clear, escaped (URL, form, JSON, HTML, Python, quoted-printable), in hex and in base64, also within a longer base64; ``fully``:
    with every character escaped, too. A long one is a token or a line with one in it, of plain characters: fewer
    ways of writing it differ."""
    data = text.encode("utf-8")
    ascii_only = "".join(char if char.isascii() else f"\\u{ord(char):04x}" for char in text.translate(_JSON))
    markup = text.translate(_HTML)
    found = {text, ascii_only, ascii_only.replace("\\/", "/"), text.translate(_JSON), markup}
    found.update(markup.replace("&#39;", mark) for mark in ("&#x27;", "&apos;", "'"))
    found.update((text.translate(_JSON).replace("\\/", "/"), text.encode("unicode_escape").decode("ascii"), data.hex()))
    # A reply that is not UTF-8 is shown as latin-1 (see reply.py): the secret then looks like this.
    found.add(data.decode("latin-1"))
    every = (b"", b"/", b"-._~", b"/-._~", bytes(range(0x21, 0x3D)) + bytes(range(0x3E, 0x7F)))
    for mark, many in (("%", every), ("=", every)) if len(text) <= LONG else (("%", every[:1] + every[2:3]),):
        for kept in many:
            odd = [byte for byte in set(data) if byte not in kept and not (byte < 128 and chr(byte).isalnum())]
            escaped = data.decode("latin-1").translate({byte: f"{mark}{byte:02X}" for byte in odd})
            found.update((escaped, escaped.replace("%20", "+")))
    if fully and len(text) <= LONG:
        hexadecimal = [f"{byte:02x}" for byte in data]
        found.update(mark + mark.join(hexadecimal) for mark in ("%", "\\x"))
        found.add("".join(["&#%d;" % ord(char) for char in text]))
    return found | within_base64(data)


def within_base64(data: bytes) -> set[str]:
    """Base64 of ``data`` (both alphabets), alone and as it looks inside that of something longer, at each of the three offsets."""
    found = {base64.b64encode(data).decode("ascii").rstrip("=")}
    for offset in range(3):
        # The first characters also depend on what comes before, the last ones on what comes after.
        whole = base64.b64encode(b"\0" * offset + data).decode("ascii").rstrip("=")
        end = len(whole) - (1 if (offset + len(data)) % 3 else 0)
        part = whole[(0, 2, 3)[offset] : end]
        if len(part) >= LEAST:
            found.add(part)
    found.add(base64.b64encode(data).decode("ascii"))
    return found | {text.replace("+", "-").replace("/", "_") for text in found}
