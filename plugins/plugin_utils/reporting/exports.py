# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same report for machines: JSON as the model is, and JUnit for what shows test results (CI servers)."""

from __future__ import annotations

import dataclasses
import json
import typing as t
import xml.etree.ElementTree as ET

from . import summary
from .model import VERSION, App, Drift, Report, ReportedFinding, ReportedHost, ReportedRelay


def as_json(report: Report) -> str:
    """The JSON file. Its keys are documented in the module smtp_report; a key is never taken away within a version."""
    content = {
        "version": VERSION,
        **dataclasses.asdict(report.run),
        "outcome": summary.outcome(report),
        "sentence": summary.sentence(report),
        "counts": summary.counts(report),
        "findings": [
            {**dataclasses.asdict(todo.finding), "hosts": todo.hosts, "urgent": todo.urgent}
            for todo in summary.todos(report)
        ],
        "hosts": [dataclasses.asdict(host) for host in report.hosts],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def as_junit(report: Report) -> str:
    """The JUnit XML file: one suite a host, one case for the host, each application and each relay."""
    suites = [_suite(host, report) for host in report.hosts]
    root = ET.Element("testsuites", {"name": f"smarthost.mail {report.run.run}", **_totals(suites)})
    root.extend(suites)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _totals(suites: t.Iterable[ET.Element]) -> dict[str, str]:
    suites = list(suites)
    totals = {
        key: str(sum(int(suite.attrib[key]) for suite in suites)) for key in ("tests", "failures", "errors", "skipped")
    }
    return {**totals, "time": f"{sum(float(suite.attrib['time']) for suite in suites):.3f}"}


def _suite(host: ReportedHost, report: Report) -> ET.Element:
    cases = [
        _of_host(host),
        *(_of_app(host, app) for app in host.apps),
        *(_of_relay(host, relay) for relay in host.relays),
    ]
    count = {
        key: str(sum(case.find(tag) is not None for case in cases))
        for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    }
    seconds = sum(float(case.attrib["time"]) for case in cases)
    suite = ET.Element(
        "testsuite",
        {
            "name": host.name,
            "hostname": host.name,
            "timestamp": report.run.at.rstrip("Z"),
            "tests": str(len(cases)),
            **count,
            "time": f"{seconds:.3f}",
        },
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (("run", report.run.run), ("check_mode", str(report.run.check_mode).lower())):
        ET.SubElement(properties, "property", {"name": name, "value": value})
    suite.extend(cases)
    return suite


def _case(host: ReportedHost, name: str, milliseconds: float = 0) -> ET.Element:
    return ET.Element("testcase", {"classname": host.name, "name": name, "time": f"{milliseconds / 1000:.3f}"})


def _verdict(case: ET.Element, tag: str, kind: str, what: str, more: t.Iterable[str] = ()) -> ET.Element:
    # An attribute holds one line; what to do goes below.
    ET.SubElement(case, tag, {"message": " ".join(what.split()), "type": kind}).text = "\n".join([what, *more])
    return case


def _of_host(host: ReportedHost) -> ET.Element:
    """Whether the host's run went to its end. What a refusal or a relay ended is shown there."""
    case = _case(host, "host")
    if host.outcome == "not_run":
        ET.SubElement(case, "skipped", {"message": host.sentence})
    elif host.failure is not None:
        kind = "error" if host.outcome == "unreachable" else "failure"
        more = [line for finding in host.failure.findings for line in (_line(finding), *finding.remedies)]
        return _verdict(case, kind, host.outcome, host.failure.message, more)
    return case


def _of_app(host: ReportedHost, app: App) -> ET.Element:
    case = _case(host, f"application {app.name}")
    if app.outcome == "refused" and host.failed:
        return _verdict(
            case,
            "failure",
            "refused",
            app.refusals[0].what,
            [line for item in app.refusals for line in (_line(item), *item.remedies)],
        )
    if app.outcome == "refused":
        ET.SubElement(case, "skipped", {"message": "refused: " + " ".join(item.what for item in app.refusals)})
    elif app.outcome == "unmanaged":
        ET.SubElement(case, "skipped", {"message": "not managed"})
    elif app.outcome == "not_done":
        ET.SubElement(case, "skipped", {"message": "not done: the run ended before"})
    elif app.outcome == "left" or any(item.wrong for item in app.unseen):
        worst = next(item for item in app.unseen if item.wrong)
        return _verdict(case, "failure", worst.code, worst.what, [f"{item.what} {item.show}" for item in app.unseen])
    elif app.outcome == "differs":
        return _verdict(
            case, "failure", "differs", "The files are not as declared.", [*app.paths, *map(_drift, app.drift)]
        )
    elif not app.green and app.unseen:
        # What was not seen is neither passed nor failed.
        ET.SubElement(
            case, "skipped", {"message": "not all seen: " + " ".join(f"{item.what} {item.show}" for item in app.unseen)}
        )
    elif app.drift:
        ET.SubElement(case, "system-out").text = "\n".join(map(_drift, app.drift))
    return case


def _drift(drift: Drift) -> str:
    return f"{drift.what} by somebody else: {' '.join((drift.path, *drift.keys))}; {drift.done.replace('_', ' ')}"


def _of_relay(host: ReportedHost, relay: ReportedRelay) -> ET.Element:
    case = _case(host, f"relay {relay.name}", relay.ms)
    return case if relay.ok else _verdict(case, "failure", relay.category, relay.diagnosis, relay.remedies)


def _line(finding: ReportedFinding) -> str:
    return f"{finding.where}: {finding.what} [{finding.code}]" if finding.where else f"{finding.what} [{finding.code}]"
