# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three files: the page (escaped, self-contained, accessible by its markup), the JSON, the JUnit XML."""

from __future__ import annotations

import html.parser
import json
import re
import typing as t
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting import exports, markup
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting.page import SCRIPT, page
from report import samples

FLEET = samples.report(samples.fleet())
PAGE = page(FLEET)


class Tags(html.parser.HTMLParser):
    """Every start tag of a page with its attributes, and whether each is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: t.List[t.Tuple[str, t.Dict[str, t.Optional[str]]]] = []
        self.open: t.List[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: t.List[t.Tuple[str, t.Optional[str]]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


TAGS = Tags(PAGE)


def test_markup_escapes_texts_and_attributes_and_leaves_elements() -> None:
    made = markup.element(
        "p", 'a < "b"', markup.element("b", "&"), None, ["x", "y"], class_="it's", hidden=True, open=False, id=None
    )
    assert made == '<p class="it&#x27;s" hidden>a &lt; &quot;b&quot;<b>&amp;</b>xy</p>'


def test_what_a_host_or_relay_said_is_text_and_never_markup() -> None:
    assert "<script>document" not in PAGE and "<img" not in PAGE
    assert "&lt;script&gt;document.title=&#x27;owned&#x27;&lt;/script&gt;" in PAGE
    assert [tag for tag, attributes in TAGS.found if any(name.startswith("on") for name in attributes)] == []
    assert sum(tag == "script" for tag, _attributes in TAGS.found) == 1
    assert "\u202e" not in PAGE and "⟨U+202E⟩" in PAGE


def test_every_element_is_closed_and_every_id_is_there_once() -> None:
    assert TAGS.open == []
    ids = [attributes["id"] for _tag, attributes in TAGS.found if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_page_needs_nothing_from_anywhere_and_says_so_to_the_browser() -> None:
    assert [
        value
        for _tag, attributes in TAGS.found
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "style")
    ] == ["#hosts"]
    assert "url(" not in PAGE and "@import" not in PAGE
    (policy,) = [
        attributes["content"]
        for tag, attributes in TAGS.found
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None and re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/]{43}='; script-src 'sha256-[\w+/]{43}='; base-uri 'none'; form-action 'none'",
        policy,
    )
    assert "innerHTML" not in SCRIPT


def test_every_table_has_a_caption_and_headers_with_scope_and_every_control_a_name() -> None:
    tags = [tag for tag, _attributes in TAGS.found]
    assert tags.count("table") == tags.count("caption") > 10
    assert {attributes["scope"] for tag, attributes in TAGS.found if tag == "th"} == {"col", "row"}
    assert [tag for tag in ("header", "main", "footer", "h1") if tags.count(tag) != 1] == []
    assert {attributes.get("for") for tag, attributes in TAGS.found if tag == "label"} >= {"filter"}


def test_the_page_says_first_what_to_do() -> None:
    places = [PAGE.index(f'<h2 id="{name}-title">') for name in ("todo", "relays", "accepted", "hosts")]
    assert places == sorted(places)


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_check_says_that_it_is_a_prediction(check_mode: bool) -> None:
    report = samples.report({"web1": {"apps": samples.applications(True)}}, check_mode=check_mode)
    assert ("Check mode: this is a prediction." in page(report)) is check_mode
    assert json.loads(exports.as_json(report))["check_mode"] is check_mode
    assert f'name="check_mode" value="{str(check_mode).lower()}"' in exports.as_junit(report)


def test_a_thousand_hosts_show_the_steps_of_failed_relays_only() -> None:
    large = page(samples.report(samples.thousand()))
    assert large.count('<details class="steps">') == 20
    assert len(large) < 8_000_000


def test_the_json_has_the_keys_that_the_documentation_names() -> None:
    data = json.loads(exports.as_json(FLEET))
    assert data["version"] == 1
    assert list(data) == ["version", "run", "check_mode", "at", "outcome", "sentence", "counts", "findings", "hosts"]
    assert {tuple(item) for item in data["findings"]} == {("where", "what", "code", "remedies", "hosts", "urgent")}
    assert {tuple(item) for item in data["hosts"]} == {
        ("name", "outcome", "failed", "sentence", "failure", "generation", "apps", "relays", "green", "undeclared")
    }
    assert {tuple(app) for item in data["hosts"] for app in item["apps"]} == {
        (
            "name",
            "outcome",
            "app",
            "title",
            "relay",
            "security",
            "credential_id",
            "form",
            "paths",
            "unexpressed",
            "accepted",
            "refusals",
            "activation",
            "test",
            "drift",
            "status",
            "status_why",
            "version",
            "proof",
            "proof_wanted",
            "proof_why",
            "stale",
            "down",
            "forwarder",
            "sender",
            "activates",
            "green",
            "unseen",
        )
    }
    assert {tuple(relay) for item in data["hosts"] for relay in item["relays"]} == {
        (
            "name",
            "host",
            "port",
            "security",
            "ok",
            "category",
            "level_reached",
            "diagnosis",
            "remedies",
            "confirmed_by",
            "blind_spots",
            "mechanism",
            "reply",
            "certificate",
            "steps",
            "ms",
        )
    }


def test_a_conversation_is_in_none_of_the_files() -> None:
    relay = samples.relay(
        transcript=["C: AUTH PLAIN dont-show-this"], capabilities={"before_tls": {"X": "dont-show-this"}}
    )
    report = samples.report({"web1": {"relays": [relay], "apps": samples.applications(), "password": "dont-show-this"}})
    assert "dont-show-this" not in page(report) + exports.as_json(report) + exports.as_junit(report)


def test_the_junit_file_has_the_structure_that_ci_servers_read() -> None:
    root = ET.fromstring(exports.as_junit(FLEET))
    assert root.tag == "testsuites" and [suite.attrib["name"] for suite in root] == [host.name for host in FLEET.hosts]
    for suite in root:
        cases = suite.findall("testcase")
        assert [child.tag for child in suite] == ["properties"] + ["testcase"] * len(cases)
        verdicts = [child for case in cases for child in case if child.tag != "system-out"]
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[attribute]) == sum(verdict.tag == tag for verdict in verdicts)
        assert int(suite.attrib["tests"]) == len(cases) and re.fullmatch(
            r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"]
        )
        assert all(set(case.attrib) == {"classname", "name", "time"} and len(case) <= 1 for case in cases)
        assert all(verdict.attrib["message"] and "\n" not in verdict.attrib["message"] for verdict in verdicts)
    for attribute in ("tests", "failures", "errors", "skipped"):
        assert int(root.attrib[attribute]) == sum(int(suite.attrib[attribute]) for suite in root)


@pytest.mark.parametrize(
    "host, case, verdict, kind",
    [
        ("gone.example.com", "host", "error", "unreachable"),
        ("git.example.com", "application gitea", "failure", "refused"),
        ("git.example.com", "application wiki", "skipped", None),
        ("login1.example.com", "relay main (postfix, alertmanager, grafana)", "failure", "auth_failed"),
        ("later.example.com", "host", "skipped", None),
        ("app1.example.com", "application django-legacy", "skipped", None),
        ("app1.example.com", "application postfix", None, None),
    ],
)
def test_each_outcome_is_a_case_with_its_verdict(
    host: str, case: str, verdict: t.Optional[str], kind: t.Optional[str]
) -> None:
    root = ET.fromstring(exports.as_junit(FLEET))
    found = root.find(f".//testsuite[@name='{host}']/testcase[@name='{case}']")
    assert found is not None
    assert [(child.tag, child.attrib.get("type")) for child in found] == ([(verdict, kind)] if verdict else [])


def test_a_difference_is_a_failure_for_a_ci_server() -> None:
    root = ET.fromstring(
        exports.as_junit(samples.report({"web1": {"apps": [samples.app("gitea", "Gitea", changed=True)]}}, "verify"))
    )
    assert [(item.attrib["type"], item.text) for item in root.iter("failure")] == [
        ("differs", "The files are not as declared.\n/etc/gitea/mail.conf")
    ]
