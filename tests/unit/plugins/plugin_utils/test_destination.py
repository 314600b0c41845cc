# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rendering to a folder: what is written there, what an earlier render left, links, other people's files, and what cannot be written."""

from __future__ import annotations

import json
import os
import pathlib
import stat
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import plan
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import ProblemsError
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering.folder import destination
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering.folder.folder import RenderFolder

SECRET = 'canary "quoted" #secret'
RELAY = {"host": "smtp.example.com", "username": "apps@example.com", "password": SECRET, "from": "noreply@example.com"}
CATALOGUE = Catalogue()
GITEA, MSMTP = {"name": "gitea", "form": "ini", "path": "/srv/gitea/app.ini"}, {"name": "msmtp"}
Result = t.Dict[str, t.Any]


OTHER: dict[str, t.Any] = {"from": "other@example.com"}


def render(
    folder: pathlib.Path,
    *apps: t.Any,
    host: str = "web1",
    check: bool = False,
    diff: bool = False,
    keep: t.Sequence[str] = (),
    **relay: t.Any,
) -> Result:
    """One render, as the action does it."""
    planned = plan.plan_host(resolve.load({**RELAY, **relay}, list(apps)), CATALOGUE, "current")
    assert not planned.refusals
    with RenderFolder(destination.absolute(str(folder))) as opened:
        rendering = destination.Destination(opened, host)
        for item in planned.apps:
            rendering.add(item)
        rendering.keep(keep)
        return rendering.write(check, diff)


def refused(folder: pathlib.Path, *apps: t.Any, **options: t.Any) -> list[tuple[str, str]]:
    """Where and by which codes a render is refused; the folder is as it was."""
    before = standing(folder)
    with pytest.raises(ProblemsError) as caught:
        render(folder, *apps, **options)
    assert standing(folder) == before
    assert SECRET not in str(caught.value)
    return [(problem.where.replace(f"{folder}", "").lstrip("/"), problem.code) for problem in caught.value.problems]


def standing(folder: pathlib.Path) -> dict[str, t.Any]:
    """Everything below a folder, links unfollowed."""
    found: dict[str, t.Any] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
    return found


def manifest(folder: pathlib.Path) -> dict[str, Result]:
    """The entries of a manifest by file."""
    return {entry["file"]: entry for entry in json.loads((folder / "manifest.json").read_text("utf-8"))["files"]}


def permissions(folder: pathlib.Path) -> set[tuple[str, str]]:
    return {
        ("folder" if path.is_dir() else "file", oct(stat.S_IMODE(path.stat().st_mode)))
        for path in [folder, *folder.rglob("*")]
    }


# -- what is written ------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_files_are_the_callers_alone_and_the_manifest_says_whose_they_are_on_the_host(
    tmp_path: pathlib.Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        outcome = render(
            tmp_path / "deep" / "out",
            MSMTP,
            GITEA,
            "nextcloud",
            {"name": "env", "app": "gitea", "group": "git", "mode": "0644"},
        )
    finally:
        os.umask(before)
    folder = tmp_path / "deep" / "out"
    assert outcome["changed"] and outcome["manifest"] == str(folder / "manifest.json")
    assert permissions(folder) == {("folder", "0o700"), ("file", "0o600")}
    assert not [name for name in standing(folder) if name.startswith(".")]
    entries = manifest(folder)
    assert {
        name: (entry["path"], entry["owner"], entry["group"], entry["mode"]) for name, entry in entries.items()
    } == {
        "etc/msmtprc": ("/etc/msmtprc", "root", "mail", "0640"),
        "srv/gitea/app.ini": ("/srv/gitea/app.ini", None, None, None),
        "etc/gitea/mailer.env": (
            "/etc/gitea/mailer.env",
            None,
            "git",
            "0640",
        ),  # it holds a secret: others get no permission
        "var/www/nextcloud/config/zz-smarthost.config.php": (
            "/var/www/nextcloud/config/zz-smarthost.config.php",
            "www-data",
            "www-data",
            "0640",
        ),
    }
    assert (entries["srv/gitea/app.ini"]["shared"], entries["srv/gitea/app.ini"]["group_if_readable"]) == (True, "git")
    assert SECRET.replace('"', "") not in (folder / "manifest.json").read_text("utf-8")
    whole = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert (whole["version"], whole["host"], whole["written_by"]) == (1, "web1", "smarthost.mail.smtp_config")


def test_the_readers_of_a_common_secret_are_in_the_manifest(tmp_path: pathlib.Path) -> None:
    render(tmp_path, MSMTP, {"name": "gitea", "group": "git"}, secret="file")
    entry = manifest(tmp_path)["etc/smarthost/secrets/default"]
    assert (entry["apps"], entry["readers"]) == (["msmtp", "gitea"], ["group:git", "group:mail"])
    assert (entry["owner"], entry["group"], entry["mode"], entry["secret"]) == (None, None, "0640", True)
    render(tmp_path, MSMTP, secret="file")
    entry = manifest(tmp_path)["etc/smarthost/secrets/default"]
    assert (entry["apps"], entry["group"], entry["mode"]) == (["msmtp"], "mail", "0640")


def test_what_a_tool_would_be_given_is_a_file_and_the_manifest_names_the_tool(tmp_path: pathlib.Path) -> None:
    render(tmp_path, {"name": "nextcloud", "form": "occ"})
    ((name, entry),) = manifest(tmp_path).items()
    assert json.loads((tmp_path / name).read_text("utf-8"))["system"]["mail_smtphost"] == "smtp.example.com"
    assert entry["path"] is None and entry["mode"] is None and "occ" in entry["tool"]


def test_a_second_render_changes_nothing_and_check_mode_predicts(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "out"
    assert render(folder, MSMTP, GITEA, check=True)["changed"] and not folder.exists()
    assert render(folder, MSMTP, GITEA)["changed"]
    before = standing(folder)
    assert not render(folder, MSMTP, GITEA)["changed"] and not render(folder, MSMTP, GITEA, check=True)["changed"]
    assert render(folder, MSMTP, GITEA, check=True, host="web1", password="another one")["changed"]
    assert standing(folder) == before
    outcome = render(folder, MSMTP, GITEA, **OTHER)
    assert [file["path"] for file in outcome["files"] if file["changed"]] == [
        str(folder / "etc/msmtprc"),
        str(folder / "srv/gitea/app.ini"),
    ]
    # Who owns it on the host is a change as well, of the manifest alone.
    outcome = render(folder, {**MSMTP, "group": "1000"}, GITEA, **OTHER)
    assert outcome["changed"] and not any(file["changed"] for file in outcome["files"])


def test_permissions_that_somebody_opened_are_closed(tmp_path: pathlib.Path) -> None:
    render(tmp_path / "out", MSMTP)
    (tmp_path / "out/etc/msmtprc").chmod(0o644)
    assert render(tmp_path / "out", MSMTP)["changed"]
    assert permissions(tmp_path / "out") == {("folder", "0o700"), ("file", "0o600")}


def test_the_difference_names_what_changes_and_no_secret(tmp_path: pathlib.Path) -> None:
    first = render(tmp_path, MSMTP, GITEA, diff=True)["diff"]
    second = render(tmp_path, MSMTP, diff=True, password="canary number two")["diff"]
    assert "canary" not in json.dumps([first, second])
    assert [entry["after_header"] for entry in first] == [
        str(tmp_path / "etc/msmtprc"),
        str(tmp_path / "srv/gitea/app.ini"),
    ]
    assert "accounts.default.password = (secret) (changed)" in second[0]["after"]
    assert (second[1]["before_header"], second[1]["after"]) == (str(tmp_path / "srv/gitea/app.ini"), "")


# -- what was there before ------------------------------------------------------------------------


def test_what_is_no_longer_planned_is_removed_with_the_folders_that_were_made_for_it(tmp_path: pathlib.Path) -> None:
    (tmp_path / "srv" / "mine").mkdir(parents=True)
    render(tmp_path, MSMTP, GITEA, {"name": "gitea2", "app": "gitea"})
    outcome = render(tmp_path, MSMTP)
    assert outcome["changed"] and outcome["removed"] == [
        str(tmp_path / "etc/gitea/mailer.env"),
        str(tmp_path / "srv/gitea/app.ini"),
    ]
    assert sorted(standing(tmp_path)) == ["etc", "etc/msmtprc", "manifest.json", "srv", "srv/mine"]
    assert json.loads((tmp_path / "manifest.json").read_text("utf-8"))["folders"] == ["etc"]
    render(tmp_path)
    assert sorted(standing(tmp_path)) == ["manifest.json", "srv", "srv/mine"]


def test_what_somebody_has_changed_or_had_before_us_is_left_and_reported_once(tmp_path: pathlib.Path) -> None:
    theirs = tmp_path / "srv/gitea/app.ini"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("; mine\n[server]\nHTTP_PORT = 3000\n", "utf-8")
    render(tmp_path, MSMTP, GITEA)
    assert "HTTP_PORT = 3000" in theirs.read_text("utf-8") and "smtp.example.com" in theirs.read_text("utf-8")
    with (tmp_path / "etc/msmtprc").open("a", encoding="utf-8") as file:
        file.write("# by hand\n")
    outcome = render(tmp_path)
    assert outcome["removed"] == [] and {item["path"] for item in outcome["drift"]} == {
        str(theirs),
        str(tmp_path / "etc/msmtprc"),
    }
    assert {item["done"] for item in outcome["drift"]} == {"kept"}
    assert theirs.exists() and (tmp_path / "etc/msmtprc").exists()
    assert render(tmp_path)["drift"] == [] and not render(tmp_path)["changed"]


def test_what_is_refused_or_unmanaged_now_stays(tmp_path: pathlib.Path) -> None:
    render(tmp_path, MSMTP, GITEA)
    assert not render(tmp_path, MSMTP, keep=["gitea"])["removed"]
    assert set(manifest(tmp_path)) == {"etc/msmtprc", "srv/gitea/app.ini"}


def test_a_file_that_no_render_wrote_is_not_replaced(tmp_path: pathlib.Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/msmtprc").write_text("account mine\n", "utf-8")
    assert refused(tmp_path, MSMTP) == [("etc/msmtprc", "dest-not-ours")]
    (tmp_path / "etc/msmtprc").unlink()
    render(tmp_path, MSMTP)
    (tmp_path / "manifest.json").unlink()
    assert render(tmp_path, MSMTP)["changed"], "the very same bytes are fine"


def test_a_file_of_ours_that_somebody_changed_is_as_declared_again(tmp_path: pathlib.Path) -> None:
    render(tmp_path, MSMTP)
    (tmp_path / "etc/msmtprc").write_text("", "utf-8")
    assert render(tmp_path, MSMTP)["changed"] and "smtp.example.com" in (tmp_path / "etc/msmtprc").read_text("utf-8")


def test_killed_before_the_last_file_the_next_render_finishes_it(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render(tmp_path, MSMTP, GITEA)
    real, calls = os.rename, []

    def rename(*names: t.Any, **options: t.Any) -> None:
        calls.append(names)
        if len(calls) > 2:
            raise KeyboardInterrupt
        real(*names, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", rename)
        with pytest.raises(KeyboardInterrupt):
            render(tmp_path, MSMTP, GITEA, password="number two")
    assert any(".smarthost-" in name for name in standing(tmp_path))
    assert render(tmp_path, MSMTP, GITEA, password="number two")["changed"]
    assert not any(".smarthost-" in name for name in standing(tmp_path))
    assert "number two" in (tmp_path / "srv/gitea/app.ini").read_text("utf-8")


# -- links, other things, other folders -----------------------------------------------------------


def test_no_link_in_the_folder_is_followed(tmp_path: pathlib.Path) -> None:
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    for folder in (elsewhere, out / "srv"):
        folder.mkdir(parents=True)
    (elsewhere / "app.ini").write_text("[server]\n", "utf-8")
    (out / "srv/gitea").symlink_to(elsewhere)
    (out / "etc").symlink_to(tmp_path)
    assert sorted(refused(out, MSMTP, GITEA)) == [("etc", "dest-link"), ("srv/gitea", "dest-link")]
    (out / "etc").unlink()
    (out / "etc").mkdir()
    (out / "etc/msmtprc").symlink_to(elsewhere / "app.ini")
    (out / "manifest.json").symlink_to(elsewhere / "app.ini")
    assert refused(out, MSMTP) == [("manifest.json", "dest-link")]
    (out / "manifest.json").unlink()
    assert refused(out, MSMTP) == [("etc/msmtprc", "dest-link")]
    assert standing(elsewhere) == {"app.ini": b"[server]\n"}


def test_the_folder_itself_may_be_reached_through_a_link(tmp_path: pathlib.Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    render(tmp_path / "out", MSMTP)
    assert (tmp_path / "real/etc/msmtprc").is_file()


def test_a_listed_file_that_became_a_link_is_left(tmp_path: pathlib.Path) -> None:
    out, mine = tmp_path / "out", tmp_path / "mine"
    mine.write_text("mine", "utf-8")
    render(out, MSMTP, GITEA)
    (out / "srv/gitea/app.ini").unlink()
    (out / "srv/gitea/app.ini").symlink_to(mine)
    outcome = render(out, MSMTP)
    assert outcome["removed"] == [] and [item["path"] for item in outcome["drift"]] == [str(out / "srv/gitea/app.ini")]
    assert mine.read_text("utf-8") == "mine" and (out / "srv/gitea/app.ini").is_symlink()


def test_a_hard_link_is_replaced_and_what_else_it_names_is_not_changed(tmp_path: pathlib.Path) -> None:
    out = tmp_path / "out"
    render(out, MSMTP)
    os.link(out / "etc/msmtprc", tmp_path / "copy")
    before = (tmp_path / "copy").read_bytes()
    render(out, MSMTP, password="another")
    assert (tmp_path / "copy").read_bytes() == before != (out / "etc/msmtprc").read_bytes()


def test_other_things_in_the_way_are_named_all_at_once(tmp_path: pathlib.Path) -> None:
    (tmp_path / "etc/msmtprc").mkdir(parents=True)
    (tmp_path / "srv").write_text("", "utf-8")
    os.mkfifo(tmp_path / "etc/pipe")
    apps = [
        MSMTP,
        {"name": "a", "app": "gitea", "path": "/srv/a.env"},
        {"name": "b", "app": "gitea", "path": "/etc/pipe"},
    ]
    assert sorted(refused(tmp_path, *apps)) == [
        ("etc/msmtprc", "target-is-folder"),
        ("etc/pipe", "not-a-file"),
        ("srv", "parent-not-folder"),
    ]


def test_names_that_meet_each_other_or_the_manifest(tmp_path: pathlib.Path) -> None:
    meet = [
        {"name": "a", "app": "gitea", "path": "/x"},
        {"name": "b", "app": "gitea", "path": "/x/y"},
        {"name": "c", "app": "gitea", "path": "/manifest.json"},
    ]
    assert {code for _where, code in refused(tmp_path, *meet)} == {"same-file"}


def test_a_folder_is_of_one_host(tmp_path: pathlib.Path) -> None:
    render(tmp_path, MSMTP)
    assert refused(tmp_path, GITEA, host="web2") == [("", "dest-of-other-host")]


@pytest.mark.parametrize("dest", ["", "  ", "/", "//", "/etc/..", "."])
def test_a_dest_that_is_no_folder_to_render_to(dest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    with pytest.raises(ProblemsError, match="dest-required"):
        destination.absolute(dest)


def test_a_relative_dest_is_below_the_current_folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert destination.absolute("./out") == str(tmp_path / "out")
    assert destination.absolute("~/out") == str(tmp_path / "home/out")
    render(pathlib.Path("out"), MSMTP)
    assert (tmp_path / "out/etc/msmtprc").is_file()


# -- what cannot be written, and manifests that are none -------------------------------------------


@pytest.mark.parametrize("what", ["file", "parent"])
def test_a_dest_that_is_a_file_or_below_one(tmp_path: pathlib.Path, what: str) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ProblemsError, match=r"Not a directory\. Nothing was written\.   \[write-failed\]"):
        render(tmp_path / "file" if what == "file" else tmp_path / "file" / "out", MSMTP)


def test_a_name_that_is_too_long_leaves_nothing_behind(tmp_path: pathlib.Path) -> None:
    long = {"name": "long", "app": "gitea", "path": "/opt/" + "x" * 300}
    with pytest.raises(ProblemsError, match=r"File name too long\. Nothing was written\."):
        render(tmp_path / "out", MSMTP, long)
    assert standing(tmp_path) == {}


DAMAGED = {
    "": "manifest-damaged",
    "{": "manifest-damaged",
    "[]": "manifest-damaged",
    "null": "manifest-damaged",
    "[" * 100_000: "manifest-damaged",
    '{"name": "My app", "icons": []}': "manifest-damaged",
    "\0": "manifest-damaged",
    '{"written_by": "smarthost.mail.smtp_config"}': "manifest-damaged",
    '{"written_by": "smarthost.mail.smtp_config", "version": true}': "manifest-damaged",
    '{"written_by": "smarthost.mail.smtp_config", "version": 2}': "manifest-newer",
    '{"written_by": "smarthost.mail.smtp_config", "version": 1, "host": "web1", "salt": "x", "folders": [], "files": []}': "manifest-damaged",
    '{"written_by": "smarthost.mail.smtp_config", "version": 1, "host": "web1", "salt": "x", "folders": 7, "files": [1]}': "manifest-damaged",
}


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_a_manifest_that_is_none_of_ours_is_left(tmp_path: pathlib.Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text, "utf-8")
    assert refused(tmp_path, MSMTP) == [("manifest.json", DAMAGED[text])]


@pytest.mark.parametrize("name", ["../victim", "/etc/passwd", "a/../../victim", "", "./victim", "a//b"])
def test_a_manifest_names_nothing_outside_of_its_folder(tmp_path: pathlib.Path, name: str) -> None:
    out = tmp_path / "out"
    (tmp_path / "victim").write_text("mine", "utf-8")
    render(out, MSMTP)
    found = json.loads((out / "manifest.json").read_text("utf-8"))
    found["files"][0]["file"] = name
    (out / "manifest.json").write_text(json.dumps(found), "utf-8")
    assert refused(out) == [("manifest.json", "manifest-damaged")]
    assert (tmp_path / "victim").read_text("utf-8") == "mine"
