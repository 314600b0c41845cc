# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback smtp_progress over real runs: without a terminal, on a terminal, without its library. No time is asserted."""

from __future__ import annotations

import fcntl
import os
import pathlib
import pty
import re
import struct
import subprocess
import termios
import typing as t

import pytest
from report.fleet import ROOT, SECRETS, Site

ENABLED = {"ANSIBLE_CALLBACKS_ENABLED": "smarthost.mail.smtp_progress", "SMTP_PROGRESS_INTERVAL": "0"}
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# A playbook of somebody's own, in batches, that rescues where the login fails.
RESCUING = """
- hosts: all
  gather_facts: false
  serial: 2
  tasks:
    - block:
        - smarthost.mail.smtp_config: {relay: "{{ smtp_relay }}", apps: "{{ smtp_relay_apps }}", state_dir: "{{ smtp_relay_state_dir }}"}
        - name: "a title with {{ smtp_relay.password }} in it"
          smarthost.mail.smtp_probe: {relays: "{{ smtp_relay | smarthost.mail.smtp_probes(smtp_relay_apps) }}"}
      rescue:
        - debug: {msg: it is rescued}
          failed_when: inventory_hostname == 'typo'
"""
# Nothing of this collection is in it.
UNRELATED = "- {hosts: all, gather_facts: false, tasks: [{debug: {msg: hello}}]}"
SHORT = """
- hosts: all
  gather_facts: false
  tasks:
    - smarthost.mail.smtp_config: {relay: "{{ smtp_relay }}", apps: "{{ smtp_relay_apps }}", state: planned}
    - debug: {msg: "{{ 'long ' * 100 }}end"}
"""


def on_a_terminal(command: t.Sequence[str], **more: str) -> t.Tuple[int, str]:
    """Runs a command whose output and errors are a terminal of 120 columns; its status, and every byte that the terminal was sent."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", **ENABLED, **more},
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # how Linux says that nobody is at the other end
            chunk = b""
        if not chunk:
            break
        said += chunk
    os.close(ours)
    return process.wait(timeout=60), said.decode()


def as_seen(sent: str) -> t.List[str]:
    """The lines that remain on the terminal: of what was written over itself, the last that is more than blanks."""
    return [line.rstrip("\r").rpartition("\r")[2] for line in sent.split("\n")]


def play(site: Site, text: str) -> str:
    """A playbook of somebody's own."""
    path = site.folder / "site.yml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def last_lines(said: str) -> t.List[str]:
    """From the last count on."""
    lines = said.splitlines()
    return lines[max(number for number, line in enumerate(lines) if " hosts in " in line) :]


def test_without_a_terminal_there_are_plain_lines_and_the_last_ones_name_hosts_reasons_codes_and_the_command(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENABLED.items():
        monkeypatch.setenv(name, value)
    done = site.run("apply", site.hosts(), "-e", "secret_of_the_command_line=abc", "-vv")
    count, *rest = last_lines(done.stderr)
    assert re.fullmatch(r"apply: 5 hosts in [0-9:]+: 1 done, 3 failed, 1 unreachable\.", count)
    assert rest == [
        "login: failed; default (msmtp): auth_failed 535 5.7.8",
        "refuses: failed; smtp_relay_apps[0] (gitea): starttls-strippable; smtp_relay_apps[0] (gitea): no-ca-path",
        "typo: failed; smtp_relay.hots: unknown-key",
        "gone: unreachable; Fail where something is wrong",
        f"Go on with: ansible-playbook smarthost.mail.apply -i {site.folder}/inventory.json --limit gone,login,refuses,typo and the same -e",
    ]
    assert "apply: 0/5 hosts done, 0 failed, 5 left\n" in done.stderr
    assert re.search(
        r"apply: 1/5 hosts done, 3 failed, 1 unreachable, 0 left(, [0-9.]+ hosts/m?[ins]+)? \([a-z]+ [0-9]/5\)",
        done.stderr,
    )
    assert [secret for secret in (*SECRETS, "abc") if secret in done.stderr] == [] and " hosts in " not in done.stdout


def test_batches_are_counted_and_a_rescued_host_has_not_failed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENABLED.items():
        monkeypatch.setenv(name, value)
    hosts = site.hosts()
    named = {name: hosts[name] for name in ("works", "login", "gone", "typo")}
    done = site.run(play(site, RESCUING), {**named, "more": hosts["works"]})
    count, *rest = last_lines(done.stderr)
    assert re.fullmatch(
        r"site: 5 hosts in [0-9:]+: 1 done, 1 failed, 1 unreachable, 1 rescued, 1 not finished\.", count
    ), done.stderr
    assert rest[:2] == ["typo: failed; smtp_relay.hots: unknown-key", "gone: unreachable"]
    assert rest[2].endswith("--limit gone,more,typo"), (
        "all of the second batch are lost, so Ansible does not begin the third"
    )
    assert "site: 0/5 hosts done, 0 failed, 5 left (batch 1/3)" in done.stderr
    assert (
        re.search(r"site: 1/5 hosts done, 1 failed, 3 left.* \(batch 2/3\)", done.stderr)
        and "batch 3/3" not in done.stderr
    )
    assert [secret for secret in SECRETS if secret in done.stderr] == []


def test_on_a_terminal_there_is_a_bar_and_what_ansible_prints_is_whole_above_it(site: Site) -> None:
    status, sent = on_a_terminal(site.command(play(site, SHORT), {"works": site.hosts()["works"]}))
    assert status == 0
    assert re.search(r"\r\|[^|]{10}\| site: 1/1 hosts done, 0 failed, 0 left.* \(settings 1/1\)", sent)
    seen = as_seen(sent)
    assert f'    "msg": "{"long " * 100}end"' in seen, "a long line is not cut, nor broken"
    assert [line for line in seen if "hosts done" in line] == [], "nothing of the bar is left behind"
    assert re.fullmatch(r"site: 1 hosts in [0-9:]+: 1 done\.", seen[-2])
    assert COLOUR.findall(sent) == [], "NO_COLOR is set"


def test_the_bar_is_coloured_where_ansible_is(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR")
    hosts = site.hosts()
    status, sent = on_a_terminal(site.command(play(site, SHORT), {"works": hosts["works"], "typo": hosts["typo"]}))
    green, red = "\r|\x1b[32m", "\r|\x1b[31m"
    assert status != 0 and 0 < sent.index(green) < sent.index(red)


@pytest.mark.parametrize("plain", ["library missing", "asked for", "dumb terminal"])
def test_on_a_terminal_there_are_plain_lines_where_there_is_no_bar(
    site: Site, tmp_path: pathlib.Path, plain: str
) -> None:
    (tmp_path / "tqdm.py").write_text("raise ImportError", encoding="utf-8")
    more = {
        "library missing": {"PYTHONPATH": str(tmp_path)},
        "asked for": {"SMTP_PROGRESS_PLAIN": "true"},
        "dumb terminal": {"TERM": "dumb"},
    }
    status, sent = on_a_terminal(site.command(play(site, SHORT), {"works": site.hosts()["works"]}), **more[plain])
    assert status == 0 and "site: 0/1 hosts done, 0 failed, 1 left" in as_seen(sent)
    assert ("python3 -m pip install tqdm" in sent) == (plain == "library missing")


def test_a_play_without_a_step_of_ours_shows_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENABLED.items():
        monkeypatch.setenv(name, value)
    done = site.run(play(site, UNRELATED), {"works": {}})
    assert done.returncode == 0 and done.stderr == ""


def test_the_files_that_the_role_may_leave_out_are_its_files() -> None:
    from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting import progress

    tasks = {
        path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "roles" / "smtp_relay" / "tasks").glob("*.yml")
    }
    assert [name for name in progress.ENTRY_POINTS if name not in tasks] == []
    assert [name for name in progress.INCLUDED if f"include_tasks: {name}" not in "".join(tasks.values())] == []
    # What each entry point takes stands in its file or in a file that this includes.
    for name, steps in progress.ENTRY_POINTS.items():
        included = [other for other in tasks if f"include_tasks: {other}.yml" in tasks[name]]
        text = "".join(tasks[each] for each in (name, *included))
        assert [step for step in steps if f"smarthost.mail.{step}:" not in text] == [], name
