# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watches a run of the collection's playbooks: a bar below Ansible's own lines on a terminal, plain lines elsewhere."""

from __future__ import annotations

DOCUMENTATION = r"""
name: smtp_progress
type: aggregate
short_description: How far a run over a fleet is, with rate and time left
version_added: 0.1.0
author: Smarthost Maintainers (@smarthost)
description:
  - Shows, while the playbooks C(apply), C(verify) and C(rotate) of this collection run (or a play of one's own with its role or modules), the play
    and its batch, the step, how many hosts are done, failed, not reached, taken back and left, how many are done in a second, and the time left.
  - On a terminal this is a bar below what Ansible prints, whichever callback prints that. Anywhere else, under ansible-runner and AWX too, it is a
    plain line every now and then.
    Both are written to standard error, so that standard output stays what the other callback makes of it.
  - At the end it names the hosts that are not done with applications or relays, categories and SMTP codes, and the command to go on with.
    After C(rotate), which says all this itself, only the last count is shown.
  - Only names and codes are printed, never a value nor a message of a task.
  - A play without a step of this collection shows nothing.
requirements:
  - enable it in C(callbacks_enabled)
  - tqdm (on the controller), for the bar; without it there are plain lines
options:
  interval:
    description: How many seconds there are between two plain lines, at least. The begin of each play and batch has its line at once.
    type: float
    default: 10
    env:
      - name: SMTP_PROGRESS_INTERVAL
    ini:
      - section: callback_smtp_progress
        key: interval
  plain:
    description: Plain lines on a terminal as well, for a screen reader or a recording.
    type: bool
    default: false
    env:
      - name: SMTP_PROGRESS_PLAIN
    ini:
      - section: callback_smtp_progress
        key: plain
seealso:
  - module: smarthost.mail.smtp_report
"""

EXAMPLES = r"""
# for one run:
#   ANSIBLE_CALLBACKS_ENABLED=smarthost.mail.smtp_progress ansible-playbook smarthost.mail.rotate -i inventory
# for every run, in ansible.cfg; with the other two lines only what is not in order is printed above the bar:
ansible_cfg: |
  [defaults]
  callbacks_enabled = smarthost.mail.smtp_progress
  display_ok_hosts = false
  display_skipped_hosts = false
"""

import atexit
import os
import pathlib
import shlex
import sys
import time
import typing as t

from ansible import context
from ansible.playbook.block import Block
from ansible.plugins.callback import CallbackBase
from ansible.utils.color import ANSIBLE_COLOR
from ansible.utils.helpers import pct_to_int
from ansible_collections.smarthost.mail.plugins.module_utils._shared.visible import visible
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting import progress

try:
    from tqdm import tqdm
except ImportError:
    tqdm = None

ROLE = "smarthost.mail.smtp_relay"
COLLECTION = "smarthost.mail."
PLACE = "/smarthost/mail/"  # in the path of a task of ours, whose name is no template
REDRAW = 0.1  # seconds between two drawings of the bar, at least
LISTED = 20  # hosts that the last lines name, at most
NO_TQDM = "smtp_progress: the Python library tqdm is not installed on the controller, so there are plain lines: python3 -m pip install tqdm"


class Above:
    """A stream on the bar's terminal. What is written to it goes above the bar, unchanged; while a line is open there is no bar."""

    def __init__(self, stream: t.TextIO, meter: t.Any) -> None:
        self._stream, self._meter, self.open_line = stream, meter, False

    def __getattr__(self, name: str) -> t.Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write the text where the bar is, and the bar below it."""
        self._meter.clear()
        self._meter.fp.flush()
        written = self._stream.write(text)
        self._stream.flush()
        self.open_line = not text.endswith("\n")
        if not self.open_line:
            self._meter.refresh()
        return written


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no types
    """Counts events, and shows the count."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "smarthost.mail.smtp_progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self._playbook, self._plays, self._number = "", 0, 0
        self._id = ""  # of the play that was begun last, with steps of ours or without
        self._play: progress.Play | None = None
        self._meter: t.Any = None
        self._streams: tuple[t.TextIO, t.TextIO] | None = None
        self._asked = False  # whether there is a terminal
        self._said_at = self._began = time.monotonic()
        self._every: set[str] = set()
        self._lost: dict[str, str] = {}  # in which trouble a host was last
        self._why: dict[str, list[str]] = {}
        self._found: dict[str, list[str]] = {}  # what a step that did not fail has found to be wrong
        self._told: t.Mapping[str, t.Any] | None = None  # what the playbook's own summary says of each host

    # -- events of Ansible ------------------------------------------------------------------------

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        self._playbook = pathlib.PurePath(playbook._file_name).stem
        self._plays = len(playbook.get_plays())
        atexit.register(self._end_bar)

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        if play._uuid != self._id:  # else it is the next batch of the same play
            self._id, self._number = play._uuid, self._number + 1
            self._play = self._counted(play)
            self._every |= self._play.hosts if self._play else set()
        if self._play:
            self._play.begin(_hosts(play), self._lost)
            self._show(True)

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        if self._play:
            self._play.at(_action(task))
            self._show()

    def v2_runner_on_ok(self, result: t.Any) -> None:
        task, told, name = _part(result, "task"), _part(result, "result"), _part(result, "host").get_name()
        action = _action(task)
        if action == "smtp_rotation" and isinstance(told.get("hosts"), dict):
            self._told = told["hosts"]
        if self._play and action == "smtp_config" and "/rotate_back." in str(task.get_path()):
            self._play.lost(name, progress.BACK)
        elif self._play and action in progress.STEPS:
            self._found[name] = progress.reasons(told)
            self._play.took(name, action)
            self._lost.pop(name, None)
        # The end of a step is always drawn.
        self._show(
            self._meter is not None and self._play is not None and action in progress.STEPS and self._play.everywhere
        )

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        task = _part(result, "task")
        included = progress.INCLUDED.get(str(task.args.get("_raw_params")), ()) if _ours(task) else ()
        for action in (_action(task), *included):
            if self._play:
                self._play.skipped(_part(result, "host").get_name(), action)
        self._show()

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        if ignore_errors:
            self.v2_runner_on_ok(result)
            return
        task, name = _part(result, "task"), _part(result, "host").get_name()
        if _action(task) in progress.STEPS:
            self._why.setdefault(name, progress.reasons(_part(result, "result")) or [progress.STEPS[_action(task)]])
        elif PLACE in str(task.get_path()):
            self._why.setdefault(name, self._found.get(name) or [str(task.name)])
        self._lose(name, progress.FAILED)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._lose(_part(result, "host").get_name(), progress.UNREACHABLE)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        self._end_bar()
        if self._play:
            self._play.end()
        for line in self._summary(stats) if self._every else ():
            self._display.display(visible(line), stderr=True)

    # -- what is counted --------------------------------------------------------------------------

    def _counted(self, play: t.Any) -> progress.Play | None:
        """What is known of a play before it runs, or None where it takes no step of ours."""
        steps = {step for task in _tasks(play.get_tasks()) for step in _steps(task)}
        steps.update(
            step for role in play.get_roles() if role.get_name() == ROLE for step in progress.ENTRY_POINTS["main"]
        )
        if not steps:
            return None
        hosts = _hosts(play, ignore_restrictions=True)
        return progress.Play(hosts, steps, _batches(len(hosts), play.serial), time.monotonic())

    def _lose(self, name: str, how: str) -> None:
        if self._play:
            self._play.lost(name, how)
            if how != progress.FAILED or name not in self._lost:
                self._lost[name] = how
        self._show(self._meter is not None)

    # -- what is shown ----------------------------------------------------------------------------

    def _show(self, now: bool = False) -> None:
        """Draw the bar or say a line; ``now``: even if that was done a moment ago."""
        if not self._play:
            return
        meter = self._open_bar()
        passed = time.monotonic() - self._said_at
        if not now and passed < (REDRAW if meter is not None else float(self.get_option("interval"))):
            return
        self._said_at = time.monotonic()
        line = visible(f"{self._playbook}: ") + self._play.line(
            self._said_at, f"play {self._number}/{self._plays}" if self._plays > 1 else ""
        )
        if meter is None:
            self._display.display(line, stderr=True)
            return
        meter.total, meter.n = len(self._play.hosts), self._play.work
        meter.colour = ("red" if self._lost else "green") if ANSIBLE_COLOR else None
        meter.set_description_str(line, refresh=not getattr(sys.stdout, "open_line", False))

    def _open_bar(self) -> t.Any:
        """The bar, or None where there are plain lines."""
        if not self._asked:
            self._asked = True
            recorded = "AWX_ISOLATED_DATA_DIR" in os.environ  # ansible-runner: its terminal is a file that people read
            wanted = (
                sys.stderr.isatty()
                and not recorded
                and os.environ.get("TERM") != "dumb"
                and not self.get_option("plain")
            )
            if wanted and tqdm is None:
                self._display.warning(NO_TQDM)
            elif wanted:
                tqdm.monitor_interval = 0  # no thread: Ansible forks
                self._meter = tqdm(
                    total=1, file=sys.stderr, bar_format="|{bar:10}| {desc}", dynamic_ncols=True, leave=False
                )
                self._streams = sys.stdout, sys.stderr
                sys.stdout, sys.stderr = (
                    Above(stream, self._meter) if stream.isatty() else stream for stream in self._streams
                )
        return self._meter

    def _end_bar(self) -> None:
        """Give the terminal back."""
        if self._meter is not None and self._streams is not None:
            sys.stdout, sys.stderr = self._streams
            self._meter.close()
            self._meter = None

    def _summary(self, stats: t.Any) -> t.Iterator[str]:
        """The last lines. A rotation's own summary has named everything, and knows best what came of each host."""
        head = f"{self._playbook}: {len(self._every)} hosts in {progress.clock(time.monotonic() - self._began)}: "
        if self._told is not None:
            words = ["done" if word == "verified" else str(word).replace("_", " ") for word in self._told.values()]
            yield head + ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words)) + "."
            return
        failed = {name for name in self._every if stats.failures.get(name)}
        unreachable = {name for name in self._every if stats.dark.get(name)} | {
            name for name in failed if self._lost.get(name) == progress.UNREACHABLE
        }
        failed -= unreachable
        rescued = {name for name in self._every if stats.rescued.get(name)} - unreachable - failed
        done = set(self._play.named(progress.DONE)) if self._play else self._every
        left = (self._play.hosts if self._play else set()) - done - unreachable - failed - rescued
        counts = {"failed": failed, "unreachable": unreachable, "rescued": rescued, "not finished": left}
        done = self._every.difference(*counts.values())
        yield (
            head
            + ", ".join([f"{len(done)} done", *(f"{len(names)} {word}" for word, names in counts.items() if names)])
            + "."
        )
        for word in ("failed", "unreachable"):
            yield from (
                f"{name}: {word}" + "".join(f"; {why}" for why in self._why.get(name, ()))
                for name in sorted(counts[word])[:LISTED]
            )
        open_ = sorted(failed | unreachable | left)
        if open_:
            yield f"Go on with: {_command(open_)}"


def _command(names: t.Sequence[str]) -> str:
    """The command of this run for these hosts. Variables of the command line may be secrets, and are not repeated."""
    given = context.CLIARGS
    words = [
        "ansible-playbook",
        *given["args"],
        *(word for source in given.get("inventory") or () for word in ("-i", source)),
    ]
    words += ["--limit", ",".join(names)] if len(names) <= LISTED else []
    return shlex.join(map(str, words)) + (" and the same -e" if given.get("extra_vars") else "")


def _part(result: t.Any, name: str) -> t.Any:
    """``host``, ``task`` or ``result`` of a task result, which ansible-core before 2.19 knows with an underscore only."""
    return getattr(result, name) if hasattr(result, name) else getattr(result, f"_{name}")


def _action(task: t.Any) -> str:
    """``smtp_probe`` for a task of that module of ours, else an empty string."""
    name = str(task.resolved_action or task.action)
    return name[len(COLLECTION) :] if name.startswith(COLLECTION) else ""


def _ours(task: t.Any) -> bool:
    return task._role is not None and task._role.get_name() == ROLE


def _steps(task: t.Any) -> t.Iterable[str]:
    """The steps that a task of a play stands for: its own, or those of the role that it brings in."""
    if _ours(task):
        return progress.ENTRY_POINTS["main"]
    if task.args.get("name") == ROLE:
        return progress.ENTRY_POINTS.get(str(task.args.get("tasks_from", "main")), ())
    return [_action(task)] if _action(task) in progress.STEPS else []


def _tasks(tasks: t.Iterable[t.Any]) -> t.Iterator[t.Any]:
    """Every task of a play, those in blocks as well."""
    for task in tasks:
        if isinstance(task, list):
            yield from _tasks(task)
        elif isinstance(task, Block):
            yield from _tasks([*task.block, *task.rescue, *task.always])
        else:
            yield task


def _hosts(play: t.Any, **more: bool) -> list[str]:
    """The names of the hosts of this batch of a play, or of all its batches."""
    return [host.get_name() for host in play.get_variable_manager()._inventory.get_hosts(play.hosts, **more)]


def _batches(hosts: int, serial: t.Sequence[t.Any]) -> int:
    """Into how many batches Ansible divides so many hosts."""
    number, left = 0, hosts
    while left > 0:
        size = pct_to_int(serial[min(number, len(serial) - 1)], hosts) if serial else 0
        number, left = number + 1, left - size if size > 0 else 0
    return number
