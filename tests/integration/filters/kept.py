# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A filter for tasks.py: it keeps a text in a file of the controller, without the second that a module takes for that."""

from __future__ import annotations

import pathlib
import typing as t


def kept_at(text: str, path: str) -> str:
    """Write the text to the path; answers the path."""
    pathlib.Path(path).write_text(text, encoding="utf-8")
    return path


class FilterModule:
    """Where Ansible finds it."""

    def filters(self) -> t.Dict[str, t.Callable[..., str]]:
        """The filter by its name."""
        return {"kept_at": kept_at}
