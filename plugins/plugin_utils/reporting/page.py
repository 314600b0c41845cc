# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page: one HTML file that needs no network, says first what to do, and holds every host. See page.css and page.js."""

from __future__ import annotations

import base64
import hashlib
import pathlib
import typing as t

from . import summary
from .host_section import certificate_words, host_section, look_of, mark
from .markup import NOTHING, Child, Markup, element, join, table
from .model import Report

_FOLDER = pathlib.Path(__file__).resolve().parent
STYLE = Markup((_FOLDER / "page.css").read_text(encoding="utf-8"))
SCRIPT = Markup((_FOLDER / "page.js").read_text(encoding="utf-8"))
# Hosts that need work are open when the page opens, unless there are so many that nobody reads them so.
OPEN = 5
# With more hosts, the steps of relays that work are in the JSON file only: the page must open at once.
STEPS = 100
# So many names are shown before the rest is folded away.
NAMES = 8
RUN_TITLES = {"apply": "Apply mail settings", "verify": "Verify mail settings", "rotate": "Rotate mail credential"}
OUTCOMES = {"failed": ("bad", "✗", "Failed:"), "attention": ("warn", "!", "Attention:"), "ok": ("good", "✓", "Good:")}


def page(report: Report) -> str:
    """The whole document."""
    title = f"{RUN_TITLES[report.run.run]}{' (prediction)' if report.run.check_mode else ''}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy()),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex"),
        element("title", f"{summary.sentence(report)} {title}"),
        element("style", STYLE),
    )
    body = element(
        "body",
        element("a", "Skip to the hosts", href="#hosts", class_="skip"),
        _header(report, title),
        element("main", _todo(report), _relays(report), _taken(report), _hosts(report)),
        _footer(),
        element("script", SCRIPT),
    )
    return "<!DOCTYPE html>\n" + element("html", head, body, lang="en") + "\n"


def _policy() -> str:
    """Nothing but this page's own style sheet and script, by their hashes (CSP Level 3 section 2.3.1)."""
    style, script = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (STYLE, SCRIPT))
    return f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"


def _header(report: Report, title: str) -> Markup:
    tone, symbol, word = OUTCOMES[summary.outcome(report)]
    note = element(
        "p", "Check mode: this is a prediction. Nothing was changed on any host.", class_="note", role="note"
    )
    tiles = [
        element("li", mark(*look_of(name, _all_green(report, name))), element("span", str(number), class_="number"))
        for name, number in summary.counts(report).items()
    ]
    days = [
        item.certificate.days_left
        for item in summary.endpoints(report)
        if item.certificate and item.certificate.days_left is not None
    ]
    if days:
        soonest = "has ended" if min(days) < 0 else f"in {summary.day_count(min(days))}"
        tiles.append(
            element(
                "li",
                element("span", "First certificate to end", class_="label"),
                element("span", soonest, class_="number"),
            )
        )
    return element(
        "header",
        element("p", title, class_="title"),
        element("h1", mark(tone, symbol, word), " ", summary.sentence(report)),
        element("p", element("time", report.run.at.replace("T", " ").replace("Z", " UTC"), datetime=report.run.at)),
        note if report.run.check_mode else None,
        element("ul", tiles, class_="tiles", aria_label="Hosts by outcome"),
    )


def _all_green(report: Report, outcome: str) -> bool:
    return all(host.green for host in report.hosts if host.outcome == outcome)


def _todo(report: Report) -> Markup | None:
    todos = summary.todos(report)
    if not todos:
        return None
    return _section(
        "todo", "What to do", element("ol", [_todo_item(todo, len(report.hosts)) for todo in todos], class_="todo")
    )


def _todo_item(todo: summary.Todo, of: int) -> Markup:
    finding = todo.finding
    tone = ("bad", "✗", "to fix") if todo.urgent else ("warn", "!", "to watch")
    where = (element("b", finding.where), ": ") if finding.where else None
    return element(
        "li",
        element(
            "p",
            mark(*tone),
            " ",
            where,
            element("span", finding.what, class_="said"),
            " ",
            element("code", finding.code),
        ),
        element("ul", [element("li", remedy) for remedy in finding.remedies]) if finding.remedies else None,
        element(
            "div",
            f"On {len(todo.hosts)} of {of} {'host' if of == 1 else 'hosts'}: ",
            _names(todo.hosts),
            class_="hosts",
        ),
    )


def _names(names: t.Sequence[str]) -> Child:
    if len(names) <= NAMES:
        return ", ".join(names)
    return (
        ", ".join(names[:NAMES]),
        element("details", element("summary", f"and {len(names) - NAMES} more"), ", ".join(names[NAMES:])),
    )


def _relays(report: Report) -> Markup | None:
    endpoints = summary.endpoints(report)
    if not endpoints:
        return None
    headings = ("Relay", "Outcome", "Works from", "Address", "Security", "Certificate", "Credential in force")
    return _section(
        "relays", "Relays", table("Each relay once, as all hosts see it", headings, map(_endpoint, endpoints))
    )


def _endpoint(item: summary.RelaySummary) -> tuple[Child, ...]:
    tone = (
        ("good", "✓", "works")
        if item.works == item.tried
        else ("bad", "✗", "fails from some" if item.works else "fails")
    )
    categories = (" ", [element("code", category) for category in item.categories]) if item.categories else None
    ids = ", ".join(item.credential_ids) or NOTHING
    return (
        item.name,
        join(mark(*tone), categories),
        f"{item.works} of {item.tried} {'host' if item.tried == 1 else 'hosts'}",
        item.address,
        item.security,
        certificate_words(item.certificate),
        ids,
    )


def _taken(report: Report) -> Markup | None:
    taken = summary.taken(report)
    if not taken:
        return None
    items = [
        element(
            "li",
            element("p", element("code", item.gap.code), " ", element("span", item.gap.why, class_="said")),
            element("div", _names(item.users), class_="hosts"),
        )
        for item in taken
    ]
    return _section(
        "accepted",
        "Accepted by name",
        element("p", "Gaps that the declaration takes knowingly."),
        element("ul", items, class_="todo"),
    )


def _hosts(report: Report) -> Markup:
    opened = {host.name for host in report.hosts if host.failed}
    opened = opened if len(opened) <= OPEN else set()
    if len(report.hosts) == 1:
        opened = {report.hosts[0].name}
    tools = element(
        "form",
        element("label", "Filter", for_="filter"),
        element("input", id="filter", type="search", placeholder="host, application, relay, word", autocomplete="off"),
        element("label", element("input", id="only", type="checkbox"), " Only what needs a look", class_="check"),
        element("button", "Open all", type="button", id="all", aria_pressed="false"),
        element("output", id="count", for_="filter only"),
        id="tools",
        role="search",
        hidden=True,
    )
    return _section(
        "hosts",
        "Hosts",
        tools,
        [host_section(host, host.name in opened, len(report.hosts) <= STEPS) for host in report.hosts],
    )


def _footer() -> Markup:
    words = "The page holds no secret. It names hosts, relays and accounts: keep it among those who may know them."
    return element("footer", element("p", f"Written by smarthost.mail. {words}"))


def _section(name: str, title: str, *children: Child) -> Markup:
    return element(
        "section",
        element("h2", title, id=f"{name}-title"),
        children,
        id=name,
        aria_labelledby=f"{name}-title",
        tabindex="-1" if name == "hosts" else None,
    )
