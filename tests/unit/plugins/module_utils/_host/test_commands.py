# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings that an application's own tool reads and writes are set, taken back and rolled back as one set with files."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import sys
import time
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.deploy import run
from ansible_collections.smarthost.mail.plugins.module_utils._host.tools import bounded_output, tool_settings
from stand_ins.tool import Tool

from .conftest import codes

if t.TYPE_CHECKING:
    from .conftest import Answer, Host

SECRET = "dummy w\"o'r\\d $HOME ü-of-ours"
OTHERS = "database-password-of-others"
STARS = "*" * 32
FOUND = {
    "EmailSettings": {
        "SMTPServer": "old.example.com",
        "SMTPUsername": "old",
        "SMTPPassword": "old-password",
        "Other": "theirs",
    }
}
OURS = {"SMTPServer": "smtp.example.com", "SMTPUsername": "apps", "SMTPPassword": SECRET}


class Application:
    """One application of the host, set by its tool."""

    def __init__(
        self, host: Host, tool: Tool, words: t.Sequence[str], section: str, keys: t.Sequence[str], **command: t.Any
    ) -> None:
        self.host, self.tool, self.section = host, tool, section
        self.name = " ".join([tool.path, *words])
        self.command = {
            "tool": [tool.path, *words],
            "keys": [[section, key] for key in keys],
            "secrets": [[section, keys[-1]]],
            "masked": None,
            **command,
        }

    def change(self, action: str = "write", **options: t.Any) -> Answer:
        named = {} if action == "restore" else {"command": self.command}
        return {"app": "chat", "path": self.name, "action": action, **named, **options}

    def request(
        self,
        ours: t.Mapping[str, t.Any],
        *changes: Answer,
        files: t.Optional[t.Mapping[str, str]] = None,
        **options: t.Any,
    ) -> t.Any:
        texts = {self.host.path(name): text for name, text in (files or {}).items()}
        texts[self.name] = json.dumps({self.section: ours})
        named = {self.host.path(name): name for name in files or {}}
        plain = [{"app": "chat", "path": path, "action": "write"} for path in named]
        return self.host.request_for(
            texts, *plain, *(changes or [self.change()]), record={"apps": {"chat": {}}}, **options
        )

    def set(self, ours: t.Optional[t.Mapping[str, t.Any]] = None, *changes: Answer, **options: t.Any) -> Answer:
        return run(self.request(OURS if ours is None else ours, *changes, **options))

    @property
    def has(self) -> t.Dict[str, t.Any]:
        found: t.Dict[str, t.Any] = self.tool.has[self.section]
        return found


@pytest.fixture
def chat(host: Host, tmp_path: pathlib.Path) -> Application:
    """Mattermost's tool, which shows stars in place of a password."""
    tool = Tool(tmp_path / "bin", "mmctl", FOUND)
    read, write = ["config", "show"], ["config", "patch", "/dev/stdin"]
    return Application(host, tool, ["--local"], "EmailSettings", [*OURS], masked=STARS, read=read, write=write)


@pytest.fixture
def cloud(host: Host, tmp_path: pathlib.Path) -> Application:
    """Nextcloud's tool, which shows everything, also what is not ours."""
    tool = Tool(tmp_path / "bin", "occ", {"system": {"dbpassword": OTHERS, "SMTPServer": "old.example.com"}})
    return Application(
        host,
        tool,
        [],
        "system",
        [*OURS],
        read=["config:list", "system", "--private", "--output=json"],
        write=["config:import"],
    )


def roll_back(host: Host, **options: t.Any) -> Answer:
    return host.deploy(state="rolled_back", **options)


def test_a_first_run_sets_what_differs_and_a_second_only_reads(chat: Application, cloud: Application) -> None:
    for application in (chat, cloud):
        first = application.set()
        assert first["changed"] and first["generation"], first.get("msg")
        assert {key: application.has[key] for key in OURS} == OURS
        asked = len(application.tool.calls)
        second = application.set()
        assert (second["changed"], second["generation"]) == (False, None)
        assert application.tool.calls[asked:] == [application.command["tool"][1:] + application.command["read"]]
        application.set({**OURS, "SMTPUsername": "other"})
        assert len(application.tool.calls) == asked + 4, "read, write, and read whether it was taken"
    assert chat.has["Other"] == "theirs" and cloud.has["dbpassword"] == OTHERS


def test_no_secret_is_ever_an_argument_or_in_the_environment_of_the_tool(chat: Application, cloud: Application) -> None:
    for application in (chat, cloud):
        application.set()
        assert "config" in application.tool.shown and SECRET not in application.tool.shown


def test_check_mode_says_the_same_as_the_run_and_only_reads(cloud: Application) -> None:
    before = cloud.tool.has
    predicted = cloud.set(check=True)
    assert cloud.tool.has == before and not cloud.host.state_dir.exists() and len(cloud.tool.calls) == 1
    actual = cloud.set()
    assert predicted == {**actual, "generation": None}
    assert [(file["path"], file["changed"], file["owner"], file["mode"]) for file in actual["files"]] == [
        (cloud.name, True, None, None)
    ]


def test_taking_back_restores_what_was_there_and_takes_out_what_was_not(cloud: Application) -> None:
    before = cloud.tool.has
    cloud.set()
    cloud.set({}, cloud.change("restore"))
    assert cloud.tool.has == before


def test_rolling_back_gives_the_secret_that_we_wrote_before_though_the_tool_does_not_show_it(chat: Application) -> None:
    chat.set()
    chat.set({**OURS, "SMTPPassword": "the-next-one"})
    assert chat.has["SMTPPassword"] == "the-next-one"
    assert roll_back(chat.host)["changed"] and chat.has["SMTPPassword"] == SECRET
    again = chat.set()
    assert not again["changed"], "what is there is known to be ours"
    kept = [name for name in chat.host.notes() if name.endswith("-kept")]
    assert len(kept) == 1 and chat.host.notes()[kept[0]] == 0o600


def test_a_secret_that_only_the_application_knew_is_emptied_and_never_left_as_ours_with_anothers_relay(
    chat: Application,
) -> None:
    chat.set()
    roll_back(chat.host)
    assert chat.tool.has["EmailSettings"] == {**FOUND["EmailSettings"], "SMTPPassword": ""}


def test_committing_leaves_no_older_secret_on_the_host(chat: Application) -> None:
    chat.set()
    chat.set({**OURS, "SMTPPassword": "the-next-one"})
    chat.host.deploy(state="committed")
    kept = b"".join(path.read_bytes() for path in chat.host.state_dir.rglob("*") if path.is_file())
    assert b"the-next-one" in kept and json.dumps(SECRET).encode() not in kept


def test_a_tool_that_refuses_leaves_everything_as_it_was_and_no_secret_in_what_it_said(chat: Application) -> None:
    chat.host.put("app.ini", "old")
    chat.tool.order(fail="Error: 400 bad setting\n" + "x" * 60 + "{given}\n")
    answer = chat.set(files={"app.ini": "new"})
    assert codes(answer) == ["tool-failed"] and "config patch /dev/stdin ended with status 1." in answer["msg"]
    assert "400 bad setting" in answer["msg"] and "********" in answer["msg"]
    for spelled in (SECRET, json.dumps(SECRET)[1:-1], "of-ours"):
        assert spelled not in answer["msg"]
    assert chat.tool.has == FOUND and chat.host.tree()["app.ini"][3] == b"old"
    assert "journal.json" not in chat.host.notes()
    chat.tool.order()
    assert chat.set(files={"app.ini": "new"})["changed"] and chat.host.tree()["app.ini"][3] == b"new"


def test_a_tool_that_says_yes_and_does_nothing_is_found_out(chat: Application) -> None:
    chat.tool.order(ignore=True)
    answer = chat.set()
    assert codes(answer) == ["settings-not-taken"]
    assert "did not take EmailSettings.SMTPServer, EmailSettings.SMTPUsername," in answer["msg"]
    assert chat.tool.has == FOUND and "record.json" not in chat.host.notes()


def test_of_two_tools_the_first_is_undone_when_the_second_refuses(chat: Application, cloud: Application) -> None:
    chat.set({**OURS, "SMTPServer": "first.example.com"})
    before = chat.tool.has
    cloud.tool.order(fail="no")
    texts = {chat.name: json.dumps({"EmailSettings": OURS}), cloud.name: json.dumps({"system": OURS})}
    answer = run(
        chat.host.request_for(
            texts, chat.change(), {**cloud.change(), "app": "cloud"}, record={"apps": {"chat": {}, "cloud": {}}}
        )
    )
    assert codes(answer) == ["tool-failed"] and chat.tool.has == before


def test_everything_that_no_tool_answers_is_said_at_once(chat: Application, cloud: Application) -> None:
    pathlib.Path(chat.tool.path).unlink()
    cloud.tool._at.write_text(f"#!{sys.executable}\nprint('Nextcloud is in maintenance mode')\n")
    texts = {chat.name: "{}", cloud.name: "{}"}
    answer = run(chat.host.request_for(texts, chat.change(), {**cloud.change(), "app": "cloud"}))
    assert codes(answer) == ["tool-missing", "tool-output"] and not chat.host.state_dir.exists()
    assert "Say tool: with the words that call it here." in answer["msg"] and "maintenance" not in answer["msg"]


def test_what_reading_prints_is_never_told_when_it_fails(cloud: Application) -> None:
    cloud.tool._at.write_text(
        f"#!{sys.executable}\nimport sys\nprint({OTHERS!r})\nsys.exit('cannot read config.php')\n"
    )
    answer = cloud.set()
    assert (
        codes(answer) == ["tool-failed"] and "cannot read config.php" in answer["msg"] and OTHERS not in answer["msg"]
    )


def test_killed_after_the_tool_has_set_it_the_next_run_finishes_the_set(chat: Application) -> None:
    chat.host.put("app.ini", "old")
    chat.tool.order(kill=True)
    pid = os.fork()
    if pid == 0:
        chat.set(files={"app.ini": "new"})
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
    assert chat.has["SMTPPassword"] == SECRET and chat.host.tree()["app.ini"][3] == b"old"
    predicted = chat.set(files={"app.ini": "new"}, check=True)
    assert (predicted["recovered"], predicted["files"][0]["changed"]) == ("finished", False)
    settled = chat.set(files={"app.ini": "new"})
    assert (settled["recovered"], settled["generation"]) == ("finished", None)
    assert chat.host.tree()["app.ini"][3] == b"new" and {key: chat.has[key] for key in OURS} == OURS
    roll_back(chat.host)
    assert chat.has["SMTPServer"] == "old.example.com" and chat.host.tree()["app.ini"][3] == b"old"


def test_a_set_that_can_be_neither_finished_nor_undone_stops_the_next_run_and_says_so(chat: Application) -> None:
    chat.tool.order(kill=True)
    pid = os.fork()
    if pid == 0:
        chat.set()
        os._exit(0)
    os.waitpid(pid, 0)
    path = pathlib.Path(chat.tool.path)
    path.rename(path.with_suffix(".away"))
    answer = chat.host.deploy({"other.env": "A=1"})
    assert codes(answer) == ["tool-missing", "not-settled"] and chat.host.tree() == {}
    path.with_suffix(".away").rename(path)
    assert (
        chat.host.deploy({"other.env": "A=1"})["recovered"] == "undone" and chat.has["SMTPServer"] == "old.example.com"
    )


def test_a_tool_that_never_ends_is_ended_with_all_that_it_started(
    cloud: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool_settings, "TIMEOUT_SECONDS", 3)
    cloud.tool._at.write_text("#!/bin/sh\nsleep 600 & echo $! > $0.pid\nwait\n")
    answer = cloud.set()
    assert codes(answer) == ["tool-failed"] and "did not end within 3 seconds." in answer["msg"]
    left = pathlib.Path("/proc", pathlib.Path(cloud.tool.path + ".pid").read_text().strip(), "cmdline")
    deadline = time.monotonic() + 20  # a signal is not the end yet
    while not _gone(left) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _gone(left)


def _gone(cmdline: pathlib.Path) -> bool:
    """Whether the process is no more, or only its number is left for its parent."""
    try:
        return not cmdline.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_somebody_elses_change_is_told_by_its_key_and_left_or_overwritten_as_declared(cloud: Application) -> None:
    cloud.set()
    theirs = {**cloud.tool.has["system"], "SMTPServer": "by.hand.example.com"}
    cloud.tool.put({"system": theirs})
    left = cloud.set()
    assert (left["changed"], left["drift"][0]["keys"], left["drift"][0]["done"]) == (
        False,
        ["system.SMTPServer"],
        "left",
    )
    enforced = cloud.set(OURS, cloud.change(drift="enforce"))
    assert enforced["changed"] and cloud.has["SMTPServer"] == "smtp.example.com"


def test_another_way_to_the_same_application_has_the_last_word(cloud: Application) -> None:
    cloud.set()
    moved = Application(
        cloud.host, cloud.tool, [], "system", [*OURS], read=cloud.command["read"], write=cloud.command["write"]
    )
    moved.name, moved.command["tool"] = f"env {cloud.tool.path}", ["env", cloud.tool.path]
    moved.set({**OURS, "SMTPServer": "new.example.com"})
    assert moved.has["SMTPServer"] == "new.example.com"


def test_stars_are_never_told_as_a_password_that_somebody_could_try(chat: Application) -> None:
    chat.set()
    chat.host.deploy(state="committed")
    for blob in (chat.host.state_dir / "originals").glob("*-kept"):
        blob.write_bytes(b"{}")  # as where nobody knows
    told = json.loads(chat.host.told_at(chat.name))["EmailSettings"]
    assert "SMTPPassword" not in told and told["SMTPUsername"] == "apps"


def test_a_query_tells_what_the_application_has(chat: Application, cloud: Application) -> None:
    for application, password in ((chat, SECRET), (cloud, SECRET)):
        application.set()
        assert json.loads(application.host.told_at(application.name)) == {
            application.section: {**OURS, list(OURS)[-1]: password}
        }


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("#!/bin/sh\nexec yes\n", " prints more than 8388608 bytes."),
        ("#!/bin/sh\nyes >&2 & sleep 0.5; kill $!\nexit 3\n", " ended with status 3."),
        ("#!/bin/sh\nyes '{\"a\":' | head -n 200\nprintf 0\nyes '}' | head -n 200\n", " prints is not a JSON object."),
        ("#!/bin/sh\nyes '[' | head -c 200000\n", " prints is not a JSON object."),
    ],
)
def test_a_tool_that_prints_without_end_or_too_deeply_is_a_problem_of_bounded_size(
    cloud: Application, script: str, said: str
) -> None:
    cloud.tool._at.write_text(script)
    answer = cloud.set()
    assert codes(answer)[0] in ("tool-failed", "tool-output") and said in answer["msg"] and len(answer["msg"]) < 3000


def test_of_a_line_that_was_cut_nothing_is_shown_for_it_may_begin_in_the_middle_of_a_secret() -> None:
    cut = (SECRET * 9000).encode()
    assert bounded_output.last_lines(cut) == [] and bounded_output.last_lines(cut + b"\nlast") == ["last"]
    assert bounded_output.last_lines(b"one\n\ntwo") == ["one", "", "two"]
