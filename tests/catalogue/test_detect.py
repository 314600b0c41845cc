# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How entries say that their application is seen, by what the real ones print and hold, and by those that are on this host."""

from __future__ import annotations

import re
import shutil
import subprocess
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._host.presence import detection
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import AppPlan, Ways
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import plan, status

CATALOGUE = Catalogue()
RELAY = {"host": "smtp.example.com", "port": 465, "username": "u", "password": "hunter2", "from": "a@example.com"}
TWENTY = (
    "nextcloud",
    "gitea",
    "forgejo",
    "grafana",
    "mattermost",
    "vaultwarden",
    "alertmanager",
    "postfix",
    "msmtp",
    "nullmailer",
    "exim",
    "gitlab_omnibus",
    "keycloak",
    "jenkins",
    "wordpress",
    "mediawiki",
    "redmine",
    "zabbix",
    "synapse",
    "authentik",
)
#: What the program prints, or a line of the file that the entry names, as its own sources and packages have it.
SAID = {
    "nextcloud": ("$OC_VersionString = '29.0.4';", "29.0.4"),
    "gitea": (
        "Gitea version 1.22.3 built with GNU Make 4.4.1, go1.23.2 : bindata, sqlite, sqlite_unlock_notify",
        "1.22.3",
    ),
    "forgejo": ("forgejo version 9.0.3+gitea-1.22.0 (release name 9.0.3) built with go1.23.4", "9.0.3"),
    "grafana": ("Version 10.4.2 (commit: 701c851be7a930e04fbc6ebb1cd4254da80edd4c, branch: v10.4.x)", "10.4.2"),
    "mattermost": ("Version: 9.5.1", "9.5.1"),
    "vaultwarden": ("vaultwarden 1.32.5", "1.32.5"),
    "alertmanager": (
        "alertmanager, version 0.27.0 (branch: HEAD, revision: 0aa3c2aad14cff039931923ab16b26b7481783b5)",
        "0.27.0",
    ),
    "postfix": ("3.7.11", "3.7.11"),
    "msmtp": ("msmtp version 1.8.23", "1.8.23"),
    "exim": ("Exim version 4.96 #2 built 26-Nov-2024 15:54:06", "4.96"),
    "gitlab_omnibus": ("gitlab-ce 16.7.0", "16.7.0"),
    "keycloak": ("Keycloak - Version 26.0.5", "26.0.5"),
    "wordpress": ("$wp_version = '6.5.3';", "6.5.3"),
    "mediawiki": ("define( 'MW_VERSION', '1.39.10' );", "1.39.10"),
    "redmine": ("== 2024-03-04 v5.1.2", "5.1.2"),
    "zabbix": ("zabbix_server (Zabbix) 7.0.13", "7.0.13"),
}
#: Programs that this suite's packages bring.
HERE = {"postfix": "postfix", "msmtp": "msmtp", "nullmailer": "nullmailer-send", "exim": "exim4"}


def planned(app: str, form: str | None = None) -> AppPlan:
    accept = ["always-verifies", "starttls-strippable", "needs-login", "port-security"]
    form = form or ("split" if app == "exim" else None)
    relay = RELAY if form != "debian" else {"host": "smtp.example.com"}  # which takes no login
    [found] = plan.plan_host(
        resolve.load(relay, [{"name": app, "accept": accept, **({"form": form} if form else {})}]), CATALOGUE
    ).apps
    return found


@pytest.mark.parametrize("app", TWENTY)
def test_an_entry_says_how_its_application_is_seen_and_what_reads_each_form(app: str) -> None:
    for form in CATALOGUE.find(app, "test").forms:
        present, ways = planned(app, form).presence, planned(app, form).presence.ways
        if (app, form) == ("authentik", "service"):
            continue  # of which nobody packages a unit
        assert status.looked_for(present) and ways != Ways(), form
        assert status.lines_to_add(present) or ways.native or ways.beside or ways.tool or ways.manual, form


@pytest.mark.parametrize("app", sorted(SAID))
def test_a_version_is_found_in_what_the_application_says(app: str) -> None:
    text, version = SAID[app]
    asked = planned(app).presence.detect.version or {}
    found = re.search(asked["find"], text)
    assert found and found.group(1) == version


def test_every_expression_for_a_version_has_its_sample() -> None:
    entries = {
        app
        for app in CATALOGUE.names()
        for form in CATALOGUE.find(app, "test").forms.values()
        if "find" in (form.detect.version or {})
    }
    assert entries == set(SAID)


@pytest.mark.parametrize(
    "app", sorted(app for app, program in HERE.items() if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin"))
)
def test_what_is_on_this_host_is_seen_with_the_version_that_its_package_has(app: str) -> None:
    item = planned(app)
    facts = status.facts_of({"detected": detection.detect(status.asked([item]))})[app]
    found = status.status_of(item, facts)
    assert found.status == "active" and f"command {HERE[app]}" in found.why, found
    query = [
        "dpkg-query",
        "-W",
        "-f",
        "${db:Status-Status} ${Version}\n",
        *(item.presence.detect.version or {})["package"],
    ]
    versions = subprocess.run(query, stdout=subprocess.PIPE, check=False, text=True).stdout.split()
    assert found.version and versions[1].partition(":")[2 if ":" in versions[1] else 0].startswith(found.version)


def test_what_a_command_prints_is_the_version_where_no_package_says_it() -> None:
    """The same programs by their own words, where they are here."""
    for app in HERE:
        version = dict(planned(app).presence.detect.version or {})
        if "run" in version and shutil.which(version["run"][0], path="/usr/sbin:/usr/bin:/sbin:/bin"):
            del version["package"]
            question: dict[str, t.Any] = {"app": app, "version": version}
            assert detection.detect([question])[app]["version"], app
