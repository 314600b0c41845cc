# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Units as their files say: drop-ins, order, masks, templates, aliases, specifiers."""

from __future__ import annotations

import os
import pathlib

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.services import units

GITEA = """\
[Unit]
Description=Gitea (Git with a cup of tea)
After=network.target

[Service]
# Uncomment notify and watchdog if you want to use them
Type=simple
User=git
ExecStart=/usr/local/bin/gitea web \\
  # a comment between
  --config /etc/gitea/app.ini
Environment=USER=git HOME=/home/git GITEA_WORK_DIR=/var/lib/gitea
EnvironmentFile=-/etc/default/gitea

[Install]
WantedBy=multi-user.target
"""


@pytest.fixture
def root(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A host's folders of units, below a folder of the test's."""
    folders = tuple(str(tmp_path) + folder for folder in units.FOLDERS)
    monkeypatch.setattr(units, "FOLDERS", folders)
    return tmp_path


def write(root: pathlib.Path, path: str, text: str) -> pathlib.Path:
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    return place


def reads(name: str, path: str) -> bool:
    unit = units.load(name)
    assert unit is not None
    return unit.reads(path)


def test_a_unit_reads_what_it_and_its_drop_ins_name(root: pathlib.Path) -> None:
    assert units.load("gitea") is None
    write(root, "/lib/systemd/system/gitea.service", GITEA)
    assert reads("gitea", "/etc/default/gitea") and not reads("gitea", "/etc/gitea/mailer.env")
    write(root, "/etc/systemd/system/gitea.service.d/mail.conf", "[Service]\nEnvironmentFile=/etc/gitea/mailer.env\n")
    assert reads("gitea.service", "/etc/default/gitea") and reads("gitea", "/etc/gitea/mailer.env")
    write(root, "/run/systemd/system/gitea.service.d/zz.conf", "[Service]\nEnvironmentFile=\n")
    assert not reads("gitea", "/etc/gitea/mailer.env"), "an empty value resets what stands before it, in any drop-in"


def test_a_drop_in_that_is_about_to_be_written_counts(root: pathlib.Path) -> None:
    write(root, "/lib/systemd/system/gitea.service", GITEA)
    path = str(root) + "/etc/systemd/system/gitea.service.d/smarthost-mail.conf"
    more = {path: "[Service]\nEnvironmentFile=/srv/100%%/mail.env\n"}
    loaded = units.load("gitea", more)
    assert loaded and loaded.reads("/srv/100%/mail.env") and not os.path.exists(path)
    write(root, "/etc/systemd/system/gitea.service.d/z.conf", "[Service]\nEnvironmentFile=\n")
    loaded = units.load("gitea", more)
    assert loaded and not loaded.reads("/srv/100%/mail.env"), "what somebody else resets after it is reset"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/etc/systemd/system/service.d/all.conf", "[Service]\nEnvironmentFile=/m\n"),
        ("/etc/systemd/system/gitea-.service.d/prefix.conf", "[Service]\nEnvironmentFile=/m\n"),
        ("/etc/systemd/system/gitea-one.service.d/a.conf", "[Service]\nEnvironmentFile=-/m\n"),
        ("/usr/lib/systemd/system/gitea-one.service.d/a.conf", "[Service]\r\nEnvironmentFile = /m\r\n"),
        ("/etc/systemd/system.control/gitea-one.service.d/a.conf", "[Service]\nEnvironmentFile=/x/../m\n"),
    ],
)
def test_where_drop_ins_may_stand(root: pathlib.Path, path: str, text: str) -> None:
    write(root, "/lib/systemd/system/gitea-one.service", GITEA)
    write(root, path, text)
    assert reads("gitea-one", "/m")


def test_of_drop_ins_of_one_name_the_first_folders_wins_and_a_mask_is_none(root: pathlib.Path) -> None:
    write(root, "/lib/systemd/system/gitea.service", GITEA)
    write(root, "/lib/systemd/system/gitea.service.d/mail.conf", "[Service]\nEnvironmentFile=/m\n")
    assert reads("gitea", "/m")
    write(root, "/etc/systemd/system/gitea.service.d/mail.conf", "[Service]\nEnvironmentFile=/other\n")
    assert not reads("gitea", "/m") and reads("gitea", "/other")
    (root / "etc/systemd/system/gitea.service.d/mail.conf").unlink()
    (root / "etc/systemd/system/gitea.service.d/mail.conf").symlink_to("/dev/null")
    assert not reads("gitea", "/m")


def test_a_masked_unit_is_none_and_one_in_etc_replaces_the_packages(root: pathlib.Path) -> None:
    write(root, "/lib/systemd/system/gitea.service", GITEA)
    write(root, "/etc/systemd/system/gitea.service", "[Service]\nExecStart=/bin/true\n")
    assert not reads("gitea", "/etc/default/gitea")
    (root / "etc/systemd/system/gitea.service").unlink()
    (root / "etc/systemd/system/gitea.service").symlink_to("/dev/null")
    assert units.load("gitea") is None


def test_templates_and_aliases(root: pathlib.Path) -> None:
    write(
        root,
        "/lib/systemd/system/gitea@.service",
        "[Service]\nEnvironmentFile=/etc/gitea/%i.env\nEnvironmentFile=/etc/%p/%%x.env\n",
    )
    assert reads("gitea@git2", "/etc/gitea/git2.env") and reads("gitea@git2", "/etc/gitea/%x.env")
    write(root, "/etc/systemd/system/gitea@.service.d/a.conf", "[Service]\nEnvironmentFile=/m\n")
    assert reads("gitea@git2", "/m")
    (root / "etc/systemd/system/forge.service").symlink_to("../../../lib/systemd/system/gitea@.service")
    assert reads("forge", "/m"), "drop-ins of the unit that an alias leads to"


def test_what_a_command_line_names(root: pathlib.Path) -> None:
    write(root, "/lib/systemd/system/gitea.service", GITEA)
    unit = units.load("gitea")
    assert unit and unit.names("/etc/gitea/app.ini") and unit.names("/var/lib/gitea/custom/conf/app.ini")
    assert not unit.names("/etc/gitea/other.ini") and not unit.names("/etc/gitea/app.ini.d/x")
    write(
        root,
        "/etc/systemd/system/gitea.service.d/a.conf",
        "[Service]\nExecStart=\nExecStart=/usr/bin/gitea --config=/srv/app.ini\n",
    )
    unit = units.load("gitea")
    assert unit and unit.names("/srv/app.ini") and not unit.names("/etc/gitea/app.ini")


def test_what_is_no_file_or_too_many_is_passed_over(root: pathlib.Path) -> None:
    write(root, "/lib/systemd/system/gitea.service", GITEA + "no equals sign\n[Service\n")
    folder = root / "etc/systemd/system/gitea.service.d"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "pipe.conf")
    (folder / "folder.conf").mkdir()
    (folder / "dangling.conf").symlink_to("nowhere")
    (folder / "readme.txt").write_text("[Service]\nEnvironmentFile=/m\n")
    (folder / "binary.conf").write_bytes(b"\xff\xfe\x00[Service]\n")
    assert reads("gitea", "/etc/default/gitea") and not reads("gitea", "/m")


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("gitea", "gitea.service"),
        ("php8.2-fpm", "php8.2-fpm.service"),
        ("gitea.service", "gitea.service"),
        ("a@b.c", "a@b.c.service"),
        ("x.socket", "x.socket"),
    ],
)
def test_a_name_without_its_type_is_a_services(name: str, full: str) -> None:
    assert units.full_name(name) == full
