# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One secret file a host for each relay: who may read it, what a rotation touches, who is told of it, and when it is taken back."""

from __future__ import annotations

import os
import pathlib
import stat
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.filter.smtp import smtp_files, smtp_settings
from ansible_collections.smarthost.mail.plugins.module_utils._host.deploy import DeployCall, run
from ansible_collections.smarthost.mail.plugins.module_utils._shared.seal import new_key
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Secret
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import HostPlan
from ansible_collections.smarthost.mail.plugins.plugin_utils.deployment.changes import NOTHING_KNOWN, Deployment
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import plan
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import ProblemsError
from leave_out import need_root

RELAY = {
    "host": "smtp.example.com", "username": "apps", "password": "dummy-secret", "from": "noreply@example.com", "secret": "file",
    "credential_id": "a", "next": {"id": "b", "password": "dummy-next"},
}  # fmt: skip
GITEA = {"name": "gitea", "group": "1"}
MSMTP = {"name": "msmtp", "group": "2"}
VIKUNJA = {"name": "vikunja", "group": "1"}
PLACE = "etc/smarthost/secrets/default"


class Fleet:
    """One host below a folder, and runs of the whole way from declaration to files."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.root, self._state = folder / "root", str(folder / "state")
        self.root.mkdir()

    def run(
        self,
        *apps: t.Any,
        relay: t.Any = None,
        credential: str = "current",
        check: bool = False,
        gone: t.Sequence[str] = (),
    ) -> dict[str, t.Any]:
        """Configure these applications, and take back those that are gone."""
        declared = resolve.load(relay or RELAY, [{"owner": str(os.geteuid()), **app} for app in apps])
        planned = plan.plan_host(declared, Catalogue(), credential)
        assert not planned.refusals
        deployment = Deployment(NOTHING_KNOWN)
        below = [[file._replace(path=f"{self.root}{file.path}") for file in item.files] for item in planned.apps]
        assert all(deployment.add(item._replace(files=tuple(files))) for item, files in zip(planned.apps, below))
        arguments = deployment.arguments(new_key())
        arguments["record"] = {**arguments["record"], "remove": list(gone)}
        changes = [
            {"app": name, "path": file["path"], "action": "restore"}
            for name in gone
            for file in run(DeployCall("query", self._state))["record"]["apps"][name]["files"]
            if "readers" not in file
        ]
        answer = run(
            DeployCall("present", self._state, check, **{**arguments, "changes": (*arguments["changes"], *changes)})
        )
        assert "problems" not in answer, answer.get("msg")
        return answer

    def changed(self, answer: t.Mapping[str, t.Any]) -> set[str]:
        """Paths below the root that a run changed."""
        return {os.path.relpath(file["path"], self.root) for file in answer["files"] if file["changed"]}

    def roll_back(self) -> None:
        assert "problems" not in run(DeployCall("rolled_back", self._state))

    @property
    def secret(self) -> pathlib.Path:
        return self.root / PLACE


@pytest.fixture
def fleet(tmp_path: pathlib.Path) -> Fleet:
    need_root("it gives groups to files")
    return Fleet(tmp_path)


def touched(answer: t.Mapping[str, t.Any]) -> set[str]:
    return {app["name"] for app in answer["applications"] if app["touched"]}


def test_the_secret_stands_once_and_the_settings_name_its_file(fleet: Fleet) -> None:
    fleet.run(GITEA, VIKUNJA)
    assert fleet.secret.read_bytes() == b"dummy-secret", "and not even a line end"
    others = [path.read_text() for path in fleet.root.rglob("*") if path.is_file() and path != fleet.secret]
    assert (
        len(others) == 2
        and not any("dummy" in text for text in others)
        and all("/etc/smarthost/secrets/default\n" in text for text in others)
    )
    found = fleet.secret.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o640, 1)
    assert stat.S_IMODE(fleet.secret.parent.stat().st_mode) == 0o711
    again = fleet.run(GITEA, VIKUNJA)
    assert not again["changed"]


def test_applications_of_several_groups_read_one_file_and_nobody_else_does(fleet: Fleet) -> None:
    fleet.run(GITEA, MSMTP)
    assert list(fleet.secret.parent.iterdir()) == [fleet.secret]

    def can_read(group: int) -> bool:
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setgid(group)
            os.setuid(65534)
            os._exit(0 if os.access(PLACE, os.R_OK) else 1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    here = os.getcwd()
    os.chdir(fleet.root)  # the folders above are the test's own, 0700
    try:
        assert [can_read(group) for group in (1, 2, 3)] == [True, True, False]
    finally:
        os.chdir(here)
    assert not fleet.run(GITEA, MSMTP)["changed"]
    fleet.run(GITEA, gone=["msmtp"])
    assert "system.posix_acl_access" not in os.listxattr(fleet.secret) and fleet.secret.stat().st_gid == 1


def test_a_rotation_changes_the_one_file_and_tells_those_that_read_it_only_at_their_start(fleet: Fleet) -> None:
    first = fleet.run(GITEA, VIKUNJA, MSMTP)
    assert touched(first) == {"gitea", "vikunja", "msmtp"}
    predicted = fleet.run(GITEA, VIKUNJA, MSMTP, credential="next", check=True)
    answer = fleet.run(GITEA, VIKUNJA, MSMTP, credential="next")
    assert fleet.changed(answer) == fleet.changed(predicted) == {PLACE}
    assert touched(answer) == {"gitea", "vikunja"}, "msmtp reads it for each message"
    assert fleet.secret.read_text() == "dummy-next"
    fleet.roll_back()
    assert fleet.secret.read_text() == "dummy-secret"


def test_the_secret_file_goes_with_its_last_user(fleet: Fleet) -> None:
    fleet.run(GITEA, VIKUNJA)
    fleet.run(GITEA, gone=["vikunja"])
    assert fleet.secret.is_file()
    fleet.run(gone=["gitea"])
    assert not fleet.secret.exists() and not (fleet.root / "etc").exists()


def test_who_has_the_secret_among_its_settings_again_needs_the_file_no_more(fleet: Fleet) -> None:
    fleet.run(GITEA)
    fleet.run({**GITEA, "secret": "inline"})
    assert not fleet.secret.exists() and "dummy-secret" in (fleet.root / "etc/gitea/mailer.env").read_text()


def test_applications_of_another_run_keep_their_file_and_its_readers(fleet: Fleet) -> None:
    fleet.run(GITEA)
    fleet.run(MSMTP)
    fleet.run(MSMTP, gone=["gitea"])
    assert fleet.secret.is_file() and fleet.secret.stat().st_gid == 2


def test_one_that_has_the_next_credential_takes_the_others_of_its_file_along() -> None:
    declared = resolve.load(RELAY, [GITEA, VIKUNJA, {"name": "postfix", "secret": "inline"}])
    planned = plan.plan_host(declared, Catalogue(), "in_force", {"gitea": "b", "vikunja": "a", "postfix": "a"})
    assert [item.relay.credential and item.relay.credential.id for item in planned.apps] == ["b", "b", "a"]


def test_what_cannot_is_refused_with_the_ways_out_and_may_be_accepted() -> None:
    def planned(**item: t.Any) -> HostPlan:
        return plan.plan_host(resolve.load(RELAY, [{"name": "joplin_server", **item}]), Catalogue())

    [refusal] = planned().refusals
    assert refusal.gap.code == "no-secret-file"
    assert planned(secret="inline").apps and [
        gap.code for gap in planned(accept=["no-secret-file"]).apps[0].accepted
    ] == ["no-secret-file"]
    [gap] = [
        item.gap
        for item in plan.plan_host(resolve.load(RELAY, [{"name": "gitea", "form": "ini"}]), Catalogue()).refusals
    ]
    assert gap.hint == "Use form: env"


def test_a_login_in_a_file_of_its_own_anyway_is_one() -> None:
    [item] = plan.plan_host(resolve.load(RELAY, ["postfix"]), Catalogue()).apps
    assert [file.path for file in item.files] == ["/etc/postfix/sasl_passwd", "/etc/postfix/main.cf"]


def test_the_filters_give_the_file_and_the_settings_without_it() -> None:
    assert smtp_files(RELAY, "gitea")["/etc/smarthost/secrets/default"] == "dummy-secret"
    assert smtp_settings(RELAY, "gitea")["GITEA__mailer__PASSWD__FILE"] == "/etc/smarthost/secrets/default"


def test_a_password_that_stands_where_its_place_belongs_is_never_shown() -> None:
    with pytest.raises(ProblemsError) as error:
        resolve.load({**RELAY, "secret": "hunter2"}, [])
    assert [problem.code for problem in error.value.problems] == ["secret-place"] and "hunter2" not in str(error.value)


def test_the_plan_holds_the_secret_where_it_cannot_print_itself() -> None:
    [item] = plan.plan_host(resolve.load(RELAY, ["msmtp"]), Catalogue()).apps
    assert item.files[1].tree == Secret("dummy-secret") and "dummy-secret" not in repr(item)
