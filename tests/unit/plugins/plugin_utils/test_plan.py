# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a host: what is written, what is refused and how, what can be accepted. The entries are written here, as a user would."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
import yaml
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Secret
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import Catalogue
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import resolve
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import AppPlan, HostPlan
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning import gaps, plan, refusal
from ansible_collections.smarthost.mail.plugins.plugin_utils.problems import ProblemsError
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering import render

COMPLETE = """
title: Mailer
homepage: https://mailer.example.com
docs: https://mailer.example.com/docs
sources: [by hand]
evidence: documented
forms:
  env: {dialect: docker_env, path: "/etc/{name}/mail.env"}
  php: {dialect: php, path: /etc/mailer.php, lacks: {ca_path: PHP has no setting for it}}
security: {none: plain, opportunistic: may, starttls: must, tls: wrap}
lacks: {oauth2: no tokens, ms_graph: no Graph, reply_to: no setting}
settings: {MODE: =security, HOST: =host, PORT: =port, USER: =username, PASS: =password, FROM: =from,
  VERIFY: =validate_certs, CA: =ca_path, NAME: =tls_server_name}
mail_off: {MODE: "off"}
activate: {systemd: mailer, how: restart}
test: mailer test
"""
WEAK = """
title: Weak
homepage: https://weak.example.com
docs: https://weak.example.com/docs
sources: [by hand]
evidence: documented
forms: {env: {dialect: docker_env, path: /etc/weak.env}}
security: {none: plain, opportunistic: may}
lacks:
  starttls: {code: starttls-strippable, why: it falls back to clear text, instead: opportunistic}
  tls: it knows STARTTLS only
  verify: it does not look at certificates
  ca_path: it trusts the system's store only
  tls_server_name: it has no setting
  login: it never logs in
  oauth2: it knows no tokens
  ms_graph: it knows no Graph
  mail_off: it has no switch
refuse:
  - {when: "port and port not in (25, 587)", code: port-security, why: it connects to ports 25 and 587 only}
settings: {MODE: =security, HOST: =host, PORT: =port, FROM: =from_address, INSECURE: =not validate_certs}
activate: {how: none, reason: read anew}
test: send something
"""


@pytest.fixture
def catalogue(tmp_path: pathlib.Path) -> Catalogue:
    """A user's folder with two entries."""
    for name, text in {"mailer": COMPLETE, "weak": WEAK}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.yml").write_text(text, "utf-8")
    return Catalogue([str(tmp_path)])


def planned(
    catalogue: Catalogue, relay: str, apps: str, credential: str = "in_force", in_force: dict[str, str] | None = None
) -> HostPlan:
    """The plan of what is written as YAML."""
    return plan.plan_host(resolve.load(yaml.safe_load(relay), yaml.safe_load(apps)), catalogue, credential, in_force)


def refusals(catalogue: Catalogue, relay: str, apps: str = "[weak]") -> list[str]:
    """The refusals as they are shown."""
    return [str(refusal.problem(item)) for item in planned(catalogue, relay, apps).refusals]


# -- plans ----------------------------------------------------------------------------------------


def test_an_application_gets_the_relay_in_its_own_words(catalogue: Catalogue) -> None:
    (app,) = planned(
        catalogue, "{host: h, username: u, password: p, from: Ann <a@example.com>, ca_path: /ca.pem}", "[mailer]"
    ).apps
    assert app.files[0].path == "/etc/mailer/mail.env"
    assert app.files[0].tree == {
        "MODE": "wrap",
        "HOST": "h",
        "PORT": 465,
        "USER": "u",
        "PASS": Secret("p"),
        "FROM": "Ann <a@example.com>",
        "VERIFY": True,
        "CA": "/ca.pem",
    }
    assert app.files[0].secrets == {("PASS",)}
    assert "Secret" not in repr(app) and "'p'" not in repr(app)


def test_several_instances_and_several_relays_stand_side_by_side(catalogue: Catalogue) -> None:
    apps = planned(
        catalogue,
        "{default: a, relays: {a: {host: a.example.com}, b: {host: b.example.com, port: 587}}}",
        "[mailer, {name: second, app: mailer, relay: b}, {name: third, app: mailer, path: /srv/x, owner: me, mode: '0600'}]",
    ).apps
    assert [(app.request.name, app.path, app.relay.host, app.files[0].tree["MODE"]) for app in apps] == [
        ("mailer", "/etc/mailer/mail.env", "a.example.com", "wrap"),
        ("second", "/etc/second/mail.env", "b.example.com", "must"),
        ("third", "/srv/x", "a.example.com", "wrap"),
    ]
    assert (apps[2].files[0].owner, apps[2].files[0].mode) == ("me", "0600")


@pytest.mark.parametrize("relay", ["{type: none}", "{host: h, enabled: false, username: u, password: p}"])
def test_a_relay_that_is_off_turns_mail_off(catalogue: Catalogue, relay: str) -> None:
    (app,) = planned(catalogue, relay, "[mailer]").apps
    assert app.files[0].tree == {"MODE": "off"}
    assert (app.unexpressed, app.environment) == ((), {})


def test_only_what_is_present_is_planned(catalogue: Catalogue) -> None:
    host = planned(
        catalogue,
        "{host: h}",
        "[mailer, {name: gone, app: no_such, state: absent}, {name: mine, app: no_such, state: unmanaged}]",
    )
    assert (
        [app.request.name for app in host.apps],
        [r.name for r in host.absent],
        [r.name for r in host.unmanaged],
    ) == (["mailer"], ["gone"], ["mine"])


def test_preferences_without_a_setting_are_listed_and_do_not_fail(catalogue: Catalogue) -> None:
    (app,) = planned(
        catalogue,
        "{host: h, from: Ann <a@example.com>, reply_to: b@example.com, timeout: 5, message: {charset: utf-8}}",
        "[{name: mailer, helo: me}]",
    ).apps
    assert app.unexpressed == ("reply_to", "helo", "timeout", "charset")


def test_a_login_domain_is_a_preference_that_no_entry_need_explain(catalogue: Catalogue) -> None:
    relay = "{host: h, username: u, password: p, auth_mechanisms: [NTLM], auth_domain: SITE}"
    (app,) = planned(catalogue, relay, "[mailer]").apps
    assert app.unexpressed == ("auth_mechanisms", "auth_domain")


def test_a_name_that_only_the_address_reaches_is_unexpressed(catalogue: Catalogue) -> None:
    (app,) = planned(catalogue, "{host: h, port: 25, security: none, from: Ann <a@example.com>}", "[weak]").apps
    assert app.unexpressed == ("from_name",)


CREDENTIAL = "{host: h, username: old, password: p, credential_id: '1', next: {id: '2', username: new, password: q}}"


@pytest.mark.parametrize(
    ("credential", "in_force", "username"),
    [
        ("in_force", {}, "old"),
        ("in_force", {"mailer": "1"}, "old"),
        ("in_force", {"mailer": "2"}, "new"),
        ("in_force", {"mailer": "0"}, "old"),
        ("in_force", {"other": "2"}, "old"),
        ("current", {"mailer": "2"}, "old"),
        ("next", {}, "new"),
    ],
)
def test_a_routine_run_keeps_the_credential_that_the_hosts_record_names(
    catalogue: Catalogue, credential: str, in_force: dict[str, str], username: str
) -> None:
    (app,) = planned(catalogue, CREDENTIAL, "[mailer]", credential, in_force).apps
    assert app.files[0].tree["USER"] == username


def test_the_next_credential_of_the_same_user_needs_no_user_name(catalogue: Catalogue) -> None:
    (app,) = planned(
        catalogue, "{host: h, username: u, password: p, next: {id: '2', password: q}}", "[mailer]", "next"
    ).apps
    assert (app.files[0].tree["USER"], app.files[0].tree["PASS"]) == ("u", Secret("q"))


# -- problems of a request ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("apps", "said"),
    [
        (
            "[mialer]",
            'smtp_relay_apps[0]: there is no application "mialer" in the catalogue. Did you mean "mailer"?   [unknown-application]',
        ),
        (
            "[{name: mailer, form: emv}]",
            'smtp_relay_apps[0].form: Mailer has no form "emv". Did you mean "env"?   [unknown-form]\n    One of: env, php, k8s_secret, compose.',
        ),
        (
            "[{name: a, app: mailer, path: /x}, {name: b, app: mailer, path: //./x}]",
            "smtp_relay_apps[1] (b): //./x is already written for a.   [same-file]\n    Give one of them another path.",
        ),
    ],
)
def test_a_request_that_cannot_be_is_a_problem(catalogue: Catalogue, apps: str, said: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        planned(catalogue, "{host: h}", apps)
    assert str(caught.value).startswith(said)


def test_all_requests_are_judged_at_once(catalogue: Catalogue) -> None:
    with pytest.raises(ProblemsError) as caught:
        planned(catalogue, "{host: h}", "[nothing_such, {name: mailer, form: x}]")
    assert [problem.code for problem in caught.value.problems] == ["unknown-application", "unknown-form"]


# -- refusals -------------------------------------------------------------------------------------

SAID = {
    "{host: h, port: 587, validate_certs: false}": [
        """\
smtp_relay_apps[0] (weak): Weak cannot require STARTTLS: it falls back to clear text.   [starttls-strippable]
    Use security: tls (port 465) for this relay or application, or a relay of type local_mta, or accept it by name: accept: [starttls-strippable]."""
    ],
    "{host: h, port: 587, validate_certs: false, accept: [starttls-strippable]}": [],
    "{host: h, validate_certs: false, accept: [no-tls, port-security]}": [
        """\
smtp_relay_apps[0] (weak): Weak cannot speak TLS from the first byte: it knows STARTTLS only.   [no-tls]
    Use security: starttls (port 587) for this relay or application, or a relay of type local_mta."""
    ],
    "{host: h, port: 2525, security: none}": [
        """\
smtp_relay_apps[0] (weak): Weak: it connects to ports 25 and 587 only.   [port-security]
    Accept it by name: accept: [port-security]."""
    ],
    "{host: h, port: 587, accept: [starttls-strippable], ca_path: /ca.pem}": [
        """\
smtp_relay_apps[0] (weak): Weak cannot verify the relay's certificate: it does not look at certificates.   [no-verify]
    Use a relay of type local_mta, or accept it by name: accept: [no-verify].""",
        """\
smtp_relay_apps[0] (weak): Weak cannot take a CA file: it trusts the system's store only.   [no-ca-path]
    Install the CA in the host's system store and leave ca_path out, or use a relay of type local_mta, or accept it by name: accept: [no-ca-path].""",
    ],
    "{host: h, port: 587, validate_certs: false, client_cert: /c.pem, accept: [starttls-strippable]}": [
        """\
smtp_relay_apps[0] (weak): Weak cannot show a client certificate: its entry has no settings for one.   [no-client-cert]
    Use a relay of type local_mta, or one without client_cert, or accept it by name: accept: [no-client-cert]."""
    ],
    "{host: h, port: 587, validate_certs: false, client_cert: /c.pem, accept: [starttls-strippable, no-client-cert]}": [],
    "{host: 127.0.0.1, port: 25, security: none, username: u, password: p}": [
        """\
smtp_relay_apps[0] (weak): Weak cannot log in: it never logs in.   [no-login]
    Use a relay without login, or one of type local_mta, or accept it by name: accept: [no-login]."""
    ],
    "{host: h, port: 25, security: opportunistic, oauth2: {client_id: c}, accept: [no-oauth2]}": [
        """\
smtp_relay_apps[0] (weak): Weak cannot log in with OAuth 2: it knows no tokens.   [no-oauth2]
    Use a relay with a password, or one of type local_mta."""
    ],
    "{type: none, accept: [no-off]}": [
        """\
smtp_relay_apps[0] (weak): Weak has no switch that turns mail off: it has no switch.   [no-off]
    Leave the application out, or set state: absent."""
    ],
    "{type: ms_graph, from: a@example.com, oauth2: {tenant_id: t, client_id: c, client_secret: s}, accept: [no-ms-graph]}": [
        """\
smtp_relay_apps[0] (weak): Weak cannot send through Microsoft Graph: it knows no Graph.   [no-ms-graph]
    Use a relay of type smtp."""
    ],
}


@pytest.mark.parametrize("relay", SAID)
def test_what_an_application_cannot_express_is_refused_with_the_ways_out(catalogue: Catalogue, relay: str) -> None:
    assert refusals(catalogue, relay) == SAID[relay]


@pytest.mark.parametrize(
    ("relay", "apps"),
    [
        ("{host: h, port: 587, accept: [starttls-strippable, no-verify]}", "[weak]"),
        ("{host: h, port: 587}", "[{name: weak, accept: [starttls-strippable, no-verify]}]"),
        ("{host: h, port: 587, accept: [no-verify]}", "[{name: weak, accept: [starttls-strippable]}]"),
    ],
)
def test_gaps_are_accepted_by_name_on_the_relay_or_the_application_and_shown(
    catalogue: Catalogue, relay: str, apps: str
) -> None:
    (app,) = planned(catalogue, relay, apps).apps
    assert app.files[0].tree["MODE"] == "may"
    assert refusal.accepted(app) == [
        {
            "name": "weak",
            "code": "starttls-strippable",
            "why": "Weak cannot require STARTTLS: it falls back to clear text.",
        },
        {
            "name": "weak",
            "code": "no-verify",
            "why": "Weak cannot verify the relay's certificate: it does not look at certificates.",
        },
    ]


def test_what_one_application_accepts_is_not_accepted_for_another(catalogue: Catalogue) -> None:
    host = planned(
        catalogue,
        "{host: h, port: 587, validate_certs: false}",
        "[{name: weak, accept: [starttls-strippable]}, {name: two, app: weak, path: /two}]",
    )
    assert ([app.request.name for app in host.apps], [item.name for item in host.refusals]) == (["weak"], ["two"])


def test_a_refused_application_does_not_stop_another(catalogue: Catalogue) -> None:
    host = planned(catalogue, "{host: h}", "[weak, mailer]")
    assert [app.request.name for app in host.apps] == ["mailer"]
    assert {item.gap.code for item in host.refusals} == {"no-tls", "no-verify", "port-security"}


def test_a_gap_of_one_form_does_not_concern_the_other(catalogue: Catalogue) -> None:
    assert refusals(catalogue, "{host: h, ca_path: /ca.pem}", "[{name: mailer, form: env}]") == []
    assert [
        text.rpartition("[")[2][:10]
        for text in refusals(catalogue, "{host: h, ca_path: /ca.pem}", "[{name: mailer, form: php}]")
    ] == ["no-ca-path"]


def test_nothing_of_tls_is_asked_where_there_is_none_and_no_ca_where_nothing_is_verified() -> None:
    def asked(text: str) -> list[str]:
        return gaps.capabilities_asked(resolve.load(yaml.safe_load(text), []).relays["default"])

    assert asked("{host: h, ca_path: /ca, tls_server_name: n}") == [
        "tls",
        "verify",
        "ca_path",
        "tls_server_name",
        "anonymous",
    ]
    assert asked("{host: h, ca_path: /ca, validate_certs: false}") == ["tls", "no_verify", "anonymous"]
    assert asked("{host: h, security: opportunistic, ca_path: /ca}") == ["opportunistic", "anonymous"]
    assert asked("{host: h, security: none, ca_path: /ca}") == ["none", "anonymous"]
    assert asked("{type: local_mta}") == ["none", "anonymous"]
    assert asked("{host: h, oauth2: {client_id: c}, username: u, password: p}") == ["tls", "verify", "oauth2"]


# -- an entry that says too little ----------------------------------------------------------------

DROPPED = [
    ("CA: =ca_path, ", "{host: h, ca_path: /ca.pem}", "ca_path"),
    (", NAME: =tls_server_name", "{host: h, tls_server_name: n}", "tls_server_name"),
    ("VERIFY: =validate_certs, ", "{host: h, validate_certs: false}", "no_verify"),
    ("PASS: =password, ", "{host: h, username: u, password: p}", "login"),
    ("oauth2: no tokens, ", "{host: h, oauth2: {client_id: c}}", "oauth2"),
    ("starttls: must, ", "{host: h, port: 587}", "starttls"),
    ('mail_off: {MODE: "off"}\n', "{type: none}", "mail_off"),
]


@pytest.mark.parametrize(("missing", "relay", "capability"), DROPPED, ids=[row[2] for row in DROPPED])
def test_what_an_entry_neither_maps_nor_explains_is_refused_and_never_dropped(
    tmp_path: pathlib.Path, missing: str, relay: str, capability: str
) -> None:
    assert missing in COMPLETE
    (tmp_path / "mailer").mkdir()
    (tmp_path / "mailer" / "app.yml").write_text(COMPLETE.replace(missing, ""), "utf-8")
    relay = relay[:-1] + ", accept: [no-verify, no-ca-path, no-server-name, no-login, starttls-strippable]}"
    found = planned(Catalogue([str(tmp_path)]), relay, "[mailer]").refusals
    assert [(item.gap.code, item.gap.why) for item in found] == [
        ("entry-invalid", f"the entry neither maps nor explains {capability}")
    ]
    assert "accept" not in str(refusal.problem(found[0]))


def test_keys_that_turn_mail_off_are_ours_so_that_they_go_when_it_is_on_again(tmp_path: pathlib.Path) -> None:
    (tmp_path / "mailer").mkdir()
    text = COMPLETE.replace('mail_off: {MODE: "off"}', "mail_off: {mail: {DISABLED: true}}")
    text = (
        text.replace("dialect: docker_env,", "dialect: goini, shared: true,")
        .replace("settings: {", "settings: {mail: {")
        .replace("=tls_server_name}", "=tls_server_name}}")
    )
    (tmp_path / "mailer" / "app.yml").write_text(text, "utf-8")
    (app,) = planned(Catalogue([str(tmp_path)]), "{host: h}", "[mailer]").apps
    assert ("mail", "DISABLED") in app.files[0].owns


TOOL = """
title: Service
homepage: https://service.example.com
docs: https://service.example.com/docs
sources: [by hand]
evidence: documented
forms:
  env: {dialect: docker_env, path: /etc/service.env}
  tool:
    dialect: json
    path: /opt/service/ctl
    command: {tool: ["{path}", --local], read: [get, "{object}"], write: [set, "{object}"], depth: 2, object: one, masked: "****"}
    settings: {mail: {host: =host, login: {user: =username, password: =password}}}
    mail_off: {mail: {stop: true}}
    activate: {how: none, reason: it knows already}
security: {none: plain, opportunistic: may, starttls: must, tls: wrap}
lacks: {verify: it does not look}
settings: {HOST: =host, USER: =username, PASS: =password}
activate: {systemd: service, how: restart}
test: service test
"""


def tool_plan(tmp_path: pathlib.Path, **said: t.Any) -> AppPlan:
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "app.yml").write_text(TOOL)
    relay = {
        "host": "smtp.example.com",
        "username": "apps",
        "password": "dummy",
        "from": "apps@example.com",
        "accept": ["no-verify"],
        **said.pop("relay", {}),
    }
    declared = resolve.load(relay, [{"name": "service", "form": "tool", **said}])
    return plan.plan_host(declared, Catalogue([str(tmp_path)])).apps[0]


def test_a_tool_is_called_with_the_words_of_its_entry_for_keys_as_deep_as_it_sets_them(tmp_path: pathlib.Path) -> None:
    planned = tool_plan(tmp_path)
    (file,) = planned.files
    assert file.path == "/opt/service/ctl --local one" and planned.activate == {
        "how": "none",
        "reason": "it knows already",
    }
    assert file.command == {
        "tool": ["/opt/service/ctl", "--local"],
        "read": ["get", "one"],
        "write": ["set", "one"],
        "masked": "****",
        "token": None,
        "keys": [["mail", "stop"], ["mail", "host"], ["mail", "login"]],
        "secrets": [["mail", "login", "password"]],
    }


def test_users_say_how_the_tool_is_called_and_what_it_sets(tmp_path: pathlib.Path) -> None:
    (file,) = tool_plan(tmp_path, tool=["docker", "exec", "-i", "service", "ctl"], object="two").files
    assert file.command is not None
    assert (file.path, file.command["read"]) == ("docker exec -i service ctl two", ["get", "two"])


def test_a_tool_is_not_passed_over_where_a_form_is_a_file(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ProblemsError) as caught:
        tool_plan(tmp_path, form="env", tool=["ctl"], object="two")
    assert [str(problem) for problem in caught.value.problems] == [
        f"smtp_relay_apps[0].{key}: form env of Service is a file, so there is nothing to call.   [no-tool]\n    One of: tool."
        for key in ("tool", "object")
    ]


def test_a_password_that_is_what_the_tool_shows_for_any_is_refused(tmp_path: pathlib.Path) -> None:
    _rendered, refusals, _problems = render.render_app(tool_plan(tmp_path, relay={"password": "****"}), {})
    (gap,) = [item.gap for item in refusals]
    assert (
        gap.code == "value-not-carried"
        and "mail.login.password: it reads this as what it has already" in gap.why
        and "****" not in gap.why
    )
