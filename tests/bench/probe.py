# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the probe beside smtplib, swaks and check_smtp, alternating in one run, and writes build/bench-probe.json. Asserts no time."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t

from wire import Wire

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "unit" / "plugins" / "module_utils" / "smtp"))

import servers  # noqa: E402  # pylint: disable=wrong-import-position
import smtp_rig  # noqa: E402  # pylint: disable=wrong-import-position

ROUNDS = int(os.environ.get("PROBE_ROUNDS", "15"))
PASSWORD = "bench-dummy"
ENVELOPE: dict[str, t.Any] = {"level": "envelope", "from": "a@example.com", "to": ["b@example.com"]}
CHECK_SMTP = "/usr/lib/nagios/plugins/check_smtp"
# A user's Python has its bytecode on disk, for smtplib as for us.
ENV = dict(
    os.environ, PYTHONPATH=str(ROOT / ".venv" / "collections"), PYTHONPYCACHEPREFIX="", PYTHONDONTWRITEBYTECODE=""
)


class Run(t.NamedTuple):
    """A program to run: its arguments, what it reads, and whether it must succeed."""

    command: list[str]
    stdin: str = ""
    good: bool = True


class Row(t.NamedTuple):
    """One line of the table: what, the figure here, its unit, and what it is to be held against."""

    what: str
    value: float
    unit: str
    hold: str = ""


class Mailbox(servers.Mailbox):  # type: ignore[misc]  # servers is found by the path set above
    """aiosmtpd's handler that also offers PIPELINING, which aiosmtpd can do and does not say."""

    async def handle_EHLO(
        self, server: t.Any, session: t.Any, envelope: t.Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return responses[:1] + ["250-PIPELINING"] + responses[1:]


@contextlib.contextmanager
def relay(pem: pathlib.Path, implicit: bool) -> t.Iterator[int]:
    """A relay with this certificate; gives its port."""
    controller = servers.Relay(Mailbox(), servers.server_context(pem), implicit)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def ours(*relays: dict[str, t.Any], good: bool = True) -> Run:
    return Run([sys.executable, str(HERE / "once.py")], json.dumps([smtp_rig.options(**one) for one in relays]), good)


def login(port: int, ca: pathlib.Path, security: str = "starttls", **more: t.Any) -> dict[str, t.Any]:
    return dict({"port": port, "security": security, "ca_path": str(ca), "username": "u", "password": PASSWORD}, **more)


def swaks(port: int, ca: pathlib.Path, *more: str) -> Run:
    server = ["swaks", "--server", "127.0.0.1", "--port", str(port), "--helo", "me.example"]
    server += ["-tls", "--tls-verify", "--tls-ca-path", str(ca)]
    return Run(server + ["--auth", "PLAIN", "--auth-user", "u", "--auth-password", PASSWORD, *more])


def check_smtp(port: int, seconds: float = 10) -> Run:
    """Does not verify the certificate."""
    server = [CHECK_SMTP, "-H", "127.0.0.1", "-p", str(port), "-F", "me.example", "-t", "%d" % seconds]
    return Run(server + ["-S", "-A", "LOGIN", "-U", "u", "-P", PASSWORD])


def script(name: str, port: int, ca: pathlib.Path, seconds: float = 10) -> Run:
    """ours.py and peer.py: the same arguments, the same work, the same interpreter."""
    return Run([sys.executable, str(HERE / name), str(port), str(ca), str(seconds)], PASSWORD)


def took(run: Run, must: bool = True) -> tuple[float, str]:
    """Wall time in seconds, and what it printed. A program that does not do what it should ends the bench."""
    started = time.monotonic()
    done = subprocess.run(
        run.command, input=run.stdin, env=ENV, capture_output=True, text=True, check=False, timeout=120
    )
    seconds = time.monotonic() - started
    if must and (done.returncode == 0) != run.good:
        sys.exit("%s: exit status %d\n%s%s" % (run.command, done.returncode, done.stdout, done.stderr))
    return seconds, done.stdout


def process(port: int, ca: pathlib.Path) -> list[Row]:
    """Whole processes on loopback: verify and log in. What Ansible adds around a module is the same for every module, and left out."""
    runs = {
        "ours": script("ours.py", port, ca),
        "smtplib": script("peer.py", port, ca),
        "swaks": swaks(port, ca, "--quit-after", "AUTH"),
        "check_smtp, without verifying": check_smtp(port),
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    work: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(ROUNDS + 1):
        for name, run in runs.items():
            before = processor()
            seconds = took(run)[0]
            if number:  # the first round fills the caches
                times[name].append(seconds)
                work[name].append(processor() - before)
    hold = {"ours": "<= smtplib, <= swaks"}
    found = []
    for name, all_ in times.items():
        found.append(Row("verify + login, process, " + name, statistics.median(all_) * 1000, "ms", hold.get(name, "")))
    # On a busy machine this tells more than the clock.
    for name, all_ in work.items():
        found.append(Row("the same, processor time, " + name, statistics.median(all_) * 1000, "ms", hold.get(name, "")))
    return found


def processor() -> float:
    """Seconds of processor time of all programs that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def trips(port: int, tls_port: int, ca: pathlib.Path) -> list[Row]:
    """Round trips at 100 ms, counted on the wire, TCP and QUIT included."""
    found = []
    envelope = ["--pipeline", "--from", "a@example.com", "--to", "b@example.com", "--quit-after", "RCPT"]
    cases: tuple[tuple[str, int, t.Callable[[int], Run], str], ...] = (
        ("ours, STARTTLS", port, lambda at: ours(login(at, ca, **ENVELOPE)), "<= 8"),
        ("ours, TLS", tls_port, lambda at: ours(login(at, ca, "tls", **ENVELOPE)), "<= 6"),
        ("swaks --pipeline, STARTTLS", port, lambda at: swaks(at, ca, *envelope), ""),
    )
    for name, target, made, hold in cases:
        wire = Wire(target, 0.1)
        seconds = took(made(wire.port))[0]
        found.append(Row("round trips with envelope, " + name, wire.trips[0], "", hold))
        found.append(Row("the same, process at 100 ms, " + name, seconds * 1000, "ms"))
        wire.close()
    return found


def deadline(ca: pathlib.Path) -> list[Row]:
    """3 s against one byte a second."""
    wire, what = Wire(0, 0), "3 s deadline against one byte a second, "
    seconds, printed = took(ours(login(wire.port, ca, timeout=3), good=False), must=False)
    found = [
        Row(what + "ours, whole process", seconds, "s"),
        Row(what + "ours, inside the module", json.loads(printed)["ms"] / 1000, "s", "<= 3.2"),
    ]
    for name, run in (("check_smtp", check_smtp(wire.port, 3)), ("smtplib", script("peer.py", wire.port, ca, 3))):
        found.append(Row(what + name, took(run, must=False)[0], "s"))
    wire.close()
    return found


def many(port: int, ca: pathlib.Path) -> list[Row]:
    """50 relays at 100 ms in one call, beside one after the other."""
    wire = Wire(port, 0.1)
    asked = [login(wire.port, ca, name="r%d" % number) for number in range(50)]
    whole, printed = took(ours(*asked))
    single = json.loads(took(ours(asked[0]))[1])
    each = single["relays"][0][2] / 1000
    wire.close()
    came = json.loads(printed)
    slowest = max(one[2] for one in came["relays"]) / 1000
    return [
        Row("50 relays at 100 ms, whole process", whole, "s"),
        Row("50 relays at 100 ms, inside the module", came["ms"] / 1000, "s", "<= 1.5"),
        Row("50 relays at 100 ms, slowest one", slowest, "s"),
        Row("50 relays one after the other, computed", 50 * each, "s"),
    ]


def rows() -> list[Row]:
    """Everything, in one run."""
    missing = [name for name in ("swaks", CHECK_SMTP) if not shutil.which(name)]
    if missing:
        sys.exit("The bench needs {}: apt install swaks monitoring-plugins-basic".format(" and ".join(missing)))
    smtp_password, servers.PASSWORD = servers.PASSWORD, PASSWORD
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            authority = servers.Authority(pathlib.Path(name))
            pem = authority.issue("bench")
            with relay(pem, False) as port, relay(pem, True) as tls_port:
                ca = authority.path
                return process(port, ca) + trips(port, tls_port, ca) + deadline(ca) + many(port, ca)
    finally:
        servers.PASSWORD = smtp_password


def main() -> None:
    """Print the table and write build/bench-probe.json."""
    found = rows()
    print("\n%-62s %10s     %s" % ("the probe, medians of %d" % ROUNDS, "here", "hold"))
    for row in found:
        print("%-62s %10.2f %-2s  %s" % row)
    out = ROOT / "build" / "bench-probe.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps([row._asdict() for row in found], indent=1) + "\n", encoding="utf-8")
    print("\nwritten: build/bench-probe.json")


if __name__ == "__main__":
    main()
