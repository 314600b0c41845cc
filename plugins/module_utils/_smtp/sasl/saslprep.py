# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SASLprep (RFC 4013): one spelling for texts that look the same, so that both ends compute with the same bytes."""

from __future__ import annotations

import stringprep
import typing as t
import unicodedata

from .credential import UnusableMechanism

_PROHIBITED: tuple[t.Callable[[str], bool], ...] = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def saslprep(text: str, what: str) -> bytes:
    """``text`` prepared as a query (unassigned code points pass), in UTF-8.

    Raises :class:`UnusableMechanism`, which names ``what`` and never the text, for what RFC 4013 forbids.
    """
    if text.isascii() and text.isprintable():
        return text.encode("ascii")
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char for char in text if not stringprep.in_table_b1(char)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if any(prohibited(char) for char in prepared for prohibited in _PROHIBITED):
        raise UnusableMechanism(f"the {what} holds a character that RFC 4013 forbids")
    if any(map(stringprep.in_table_d1, prepared)):
        # RFC 3454 6: text that runs right to left begins and ends so, and holds nothing that runs left to right.
        ends = stringprep.in_table_d1(prepared[0]) and stringprep.in_table_d1(prepared[-1])
        if not ends or any(map(stringprep.in_table_d2, prepared)):
            raise UnusableMechanism(f"the {what} mixes directions of writing as RFC 4013 forbids")
    return prepared.encode("utf-8")
