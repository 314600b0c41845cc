# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes that are nearly right: from a seed and a source of chance always the same ones, without any tool."""

from __future__ import annotations

import random
import typing as t

# What parsers stumble over.
WORDS = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b"-",
    b"=",
    b":",
    b";",
    b"334 ",
    b"250-",
    b"250 ",
    b"535 5.7.8 ",
    b"\xff",
    b"\x80",
    b"\xe2\x80\xae",
    b"\xed\xa0\x80",
    b"\xf3\xa0\x81\x81",
    b"99999999999999999999",
    b"-1",
    b"\x30\x84\xff\xff\xff\xff",
    b"\x30\x80",
    b"[[[[[[[[",
    b'{"',
    b"\\u202e",
    b"\\x1b",
    b"AUTH PLAIN LOGIN",
    b"STARTTLS",
    b"PIPELINING",
    b"hunter2-Gehe!m",
    b"HTTP/1.1 200 OK\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 0\r\n",
)


def mutants(seeds: t.Sequence[bytes], count: int, chance: random.Random) -> t.Iterator[bytes]:
    """``count`` inputs, each some changes away from a seed."""
    for _number in range(count):
        data = bytearray(chance.choice(seeds))
        for _change in range(chance.randint(1, 6)):
            data = chance.choice(CHANGES)(data, chance, seeds)
        yield bytes(data[:20000])


def _flip(data: bytearray, chance: random.Random, seeds: t.Sequence[bytes]) -> bytearray:
    if data:
        data[chance.randrange(len(data))] = chance.randrange(256)
    return data


def _insert(data: bytearray, chance: random.Random, seeds: t.Sequence[bytes]) -> bytearray:
    at = chance.randint(0, len(data))
    data[at:at] = chance.choice(WORDS) * chance.choice((1, 1, 1, 2, 50))
    return data


def _delete(data: bytearray, chance: random.Random, seeds: t.Sequence[bytes]) -> bytearray:
    at = chance.randint(0, len(data))
    del data[at : at + chance.choice((1, 2, 4, 20))]
    return data


def _repeat(data: bytearray, chance: random.Random, seeds: t.Sequence[bytes]) -> bytearray:
    at = chance.randint(0, len(data))
    part = data[at : at + chance.choice((1, 8, 60))]
    data[at:at] = part * chance.choice((1, 2, 40))
    return data


def _splice(data: bytearray, chance: random.Random, seeds: t.Sequence[bytes]) -> bytearray:
    other = chance.choice(seeds)
    at = chance.randint(0, len(other))
    return data[: chance.randint(0, len(data))] + other[at:]


CHANGES = (_flip, _flip, _insert, _insert, _delete, _repeat, _splice)
