# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTML by construction: every text is escaped unless an element made it. The only file that writes a < or a quote."""

from __future__ import annotations

import html
import typing as t


class Markup(str):
    """Text that is HTML already. Made by :func:`element` and, for our own style sheet and script, by hand."""

    __slots__ = ()


Child = t.Union[str, Markup, None, t.Iterable[t.Any]]
NOTHING = "–"  # what a cell without a value shows; a narrow screen leaves it out
_VOID = ("br", "input", "meta")


def element(tag: str, *children: Child, **attributes: t.Any) -> Markup:
    """``element("p", "a < b", class_="x")``. None children and None or False attributes are left out; True is a bare attribute."""
    head = tag + "".join(
        _attribute(name, value) for name, value in attributes.items() if value is not None and value is not False
    )
    return Markup(f"<{head}>" if tag in _VOID else f"<{head}>{join(*children)}</{tag}>")


def join(*children: Child) -> Markup:
    """Children one after another: markup as it is, text escaped, iterables flattened."""
    return Markup("".join(map(_child, children)))


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    return html.escape(child) if isinstance(child, str) else join(*child)


def _attribute(name: str, value: t.Any) -> str:
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(str(value))}"'


def table(caption: str, headings: t.Sequence[str], rows: t.Iterable[t.Sequence[Child]]) -> Markup:
    """A table whose first column heads its rows. Roles and labels keep its meaning where a narrow screen lays rows out as blocks."""
    head = element("tr", [element("th", heading, scope="col", role="columnheader") for heading in headings], role="row")
    body = [
        element("tr", [_cell(number, headings, cell) for number, cell in enumerate(row)], role="row") for row in rows
    ]
    return element(
        "table",
        element("caption", caption),
        element("thead", head, role="rowgroup"),
        element("tbody", body, role="rowgroup"),
        role="table",
    )


def _cell(number: int, headings: t.Sequence[str], cell: Child) -> Markup:
    # Where a cell is laid out as label and value, the value must be one box; a text is one as it stands.
    content = element("div", cell) if isinstance(cell, Markup) else join(cell)
    if number == 0:
        return element("th", content, scope="row", role="rowheader")
    return element(
        "td", content, role="cell", data_label=headings[number], class_="nothing" if cell == NOTHING else None
    )
