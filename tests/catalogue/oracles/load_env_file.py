# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads one file by systemd's load_env_file and prints it as JSON: load_env_file.py LIBRARY FILE."""

from __future__ import annotations

import ctypes
import json
import sys


def main(library: str, path: str) -> None:
    """Calls the function; a negative number is an errno."""
    found = ctypes.POINTER(ctypes.c_char_p)()
    result = ctypes.CDLL(library).load_env_file(None, path.encode(), ctypes.byref(found))
    if result < 0:
        raise OSError(-result, "load_env_file failed")
    read = {}
    for index in range(10_000):
        if not found or found[index] is None:
            break
        name, _equals, value = found[index].decode("utf-8", "surrogateescape").partition("=")
        read[name] = value
    print(json.dumps(read))


if __name__ == "__main__":
    main(*sys.argv[1:])
