# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports to look at: a fleet with every outcome and hostile words, one where all is well, and a thousand hosts."""

from __future__ import annotations

import typing as t

from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Redactor
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting import gather
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting.model import HOST_OUTCOMES, Report, Run

Facts = t.Dict[str, t.Any]
# What a hostile relay or host could say: markup, quotes, text that turns the line around it, and a word without end.
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=alert(1)> \"'`--> \u202egnp.exe\u202c " + "W" * 300

ACCEPTED = {
    "name": "alertmanager",
    "code": "no-ca-path",
    "why": "Alertmanager cannot take a CA file: it trusts the system store only.",
}
STARTTLS = {
    "where": "smtp_relay_apps[2] (gitea)",
    "code": "starttls-strippable",
    "what": "Gitea cannot require STARTTLS: it falls back to clear text when the relay stops offering STARTTLS.",
    "hint": "Use security: tls (port 465) for this relay or application, or accept it by name: accept: [starttls-strippable].",
}

DRIFT = [
    {"name": "grafana", "path": "/etc/grafana/mail.env", "keys": [], "what": "removed", "done": "overwritten"},
    {
        "name": "alertmanager",
        "path": "/etc/alertmanager/mail.conf",
        "keys": ["global.smtp_from", "global.smtp_hello"],
        "what": "changed",
        "done": "left",
    },
]


def app(name: str, title: str, **more: t.Any) -> Facts:
    """One application as smtp_config returns it."""
    return {
        "name": name,
        "app": name,
        "title": title,
        "form": "file",
        "path": f"/etc/{name}/mail.conf",
        "paths": [f"/etc/{name}/mail.conf"],
        "relay": "main",
        "security": "starttls",
        "credential_id": "2026-08",
        "changed": False,
        "unexpressed": [],
        "activate": {},
        "environment": {},
        "test": "",
        "status": "active",
        "status_why": "",
        "version": "1.2",
        "proof": "auth",
        "proof_wanted": "auth",
        "proof_why": "",
        "process": {"stale": False},
        **more,
    }


def step(
    name: str, text: str, code: t.Optional[int] = None, enhanced: str = "", meaning: str = "", ok: bool = True
) -> Facts:
    """One step as smtp_probe returns it."""
    return {"name": name, "ok": ok, "ms": 12.1, "code": code, "enhanced": enhanced, "text": text, "meaning": meaning}


def relay(days_left: int = 61, **more: t.Any) -> Facts:
    """One relay that works, as smtp_probe returns it."""
    steps = [
        step("resolve", ""),
        step("connect", ""),
        step("greeting", "smtp.example.com ESMTP", 220, meaning="ready"),
        step("ehlo", "smtp.example.com", 250, meaning="done"),
        step("starttls", "Ready to start TLS", 220, "2.0.0", "ready"),
        step("tls", ""),
        step("ehlo", "smtp.example.com", 250, meaning="done"),
        step("auth", "Authentication successful", 235, "2.7.0", "logged in"),
    ]
    return {
        "name": "main (postfix, alertmanager, grafana)",
        "host": "smtp.example.com",
        "port": 587,
        "security": "starttls",
        "ok": True,
        "category": "ok",
        "level_reached": "auth",
        "diagnosis": "smtp.example.com:587 works.",
        "remedies": [],
        "confirmed_by": "",
        "blind_spots": ["whether the sender is accepted"],
        "auth": {"offered": ["PLAIN", "LOGIN"], "tried": ["PLAIN"], "used": "PLAIN"},
        "reply": step("auth", "Authentication successful", 235, "2.7.0", "logged in"),
        "tls": {
            "version": "TLSv1.3",
            "cipher": "TLS_AES_256_GCM_SHA384",
            "verified": True,
            "subject": "CN=smtp.example.com",
            "names": ["smtp.example.com"],
            "issuer": "CN=Example CA",
            "not_after": "2027-01-21T00:00:00Z",
            "days_left": days_left,
        },
        "steps": steps,
        "timings_ms": {"total": 80.4},
        **more,
    }


def rejected(text: str = "Error: authentication failed") -> Facts:
    """The relay after it has rejected the login."""
    return relay(
        ok=False,
        category="auth_failed",
        level_reached="tls",
        diagnosis='smtp.example.com:587 rejected the login of "apps@example.com" (PLAIN).',
        remedies=["Correct the username or the password; the connection itself is fine."],
        confirmed_by="a second connection began with TLS and was greeted",
        reply=step("auth", text, 535, "5.7.8", "user name or password not valid"),
        auth={"offered": ["PLAIN", "LOGIN"], "tried": ["PLAIN"], "used": ""},
        steps=[*relay()["steps"][:-1], step("auth", text, 535, "5.7.8", "user name or password not valid", ok=False)],
    )


def applications(changed: bool = False) -> t.List[Facts]:
    """Three applications through one relay."""
    return [
        app("postfix", "Postfix", changed=changed, test="sendmail -v you@example.com"),
        app("alertmanager", "Alertmanager", form="yaml", unexpressed=["timeout"]),
        app(
            "grafana",
            "Grafana",
            form="env",
            changed=changed,
            paths=["/etc/grafana/mail.env", "/etc/systemd/system/grafana-server.service.d/mail.conf"],
        ),
    ]


def fleet() -> t.Dict[str, t.Optional[Facts]]:
    """Hosts by name; None recorded nothing."""
    activated = [
        {"app": "postfix", "activated": True, "how": "reload", "reason": ""},
        {"app": "grafana", "activated": False, "how": "none", "reason": "the unit is not running"},
    ]
    wrong = {
        "task": "Probe",
        "problems": [],
        "msg": (
            '0 ok, 1 failed.\nmain (postfix): auth: smtp.example.com:587 rejected the login of "apps@example.com" (PLAIN). [auth_failed]\n'
            "    They said: 535 5.7.8 Error: authentication failed\n    It means: user name or password not valid.\n"
            "    - Correct the username or the password; the connection itself is fine."
        ),
    }
    return {
        "app1.example.com": {
            "apps": applications(True),
            "activated": activated,
            "accepted": [ACCEPTED],
            "unmanaged": ["django-legacy"],
            "generation": "20261121T051700Z-1",
            "relays": [
                relay(9),
                relay(name="alerts (alertmanager)", host="mail.example.net", port=465, security="tls"),
            ],
        },
        "app2.example.com": {
            "apps": applications(),
            "accepted": [ACCEPTED],
            "relays": [relay(9)],
            "absent": ["oldwiki", "older"],
            "activations": [{"app": "oldwiki"}],
        },
        "git.example.com": {
            "declared": ["postfix", "wiki", "gitea"],
            "failure": {
                "task": "Write the mail settings of every application",
                "msg": "Nothing was written on this host (1 problem).",
                "problems": [STARTTLS],
            },
            "refusals": [STARTTLS],
        },
        "login1.example.com": {"apps": applications(), "relays": [rejected()], "failure": wrong},
        "login2.example.com": {"apps": applications(), "relays": [rejected(HOSTILE)], "failure": wrong},
        "disk.example.com": {
            "declared": ["postfix"],
            "failure": {
                "task": "Write the mail settings of every application",
                "msg": "Nothing was written (1 problem).",
                "problems": [
                    {
                        "where": "/etc/postfix/main.cf",
                        "what": "The file system is read-only.",
                        "hint": "Remount it for writing, then run again.",
                        "code": "not-writable",
                    }
                ],
            },
        },
        "gone.example.com": {
            "declared": ["postfix", "grafana"],
            "failure": {
                "task": "",
                "unreachable": True,
                "msg": "Failed to connect to the host via ssh: Connection timed out",
            },
        },
        "edited.example.com": {"apps": applications(), "drift": DRIFT},
        "later.example.com": None,
        HOSTILE: {
            "apps": [app("postfix", HOSTILE, unexpressed=[HOSTILE])],
            "relays": [relay()],
            "failure": {"task": HOSTILE, "msg": HOSTILE},
        },
    }


def thousand() -> t.Dict[str, t.Optional[Facts]]:
    """A thousand hosts with ten applications each; every fiftieth has a login that is rejected."""

    def one(number: int) -> Facts:
        apps = [app(f"app{index}", "Application", changed=number % 7 == 0) for index in range(10)]
        return {
            "apps": apps,
            "relays": [rejected() if number % 50 == 0 else relay()],
            "failure": {"task": "Probe", "msg": "no"} if number % 50 == 0 else {},
        }

    return {f"host{number:04}.example.com": one(number) for number in range(1000)}


def report(facts: t.Mapping[str, t.Optional[Facts]], run: str = "apply", check_mode: bool = False) -> Report:
    """A report of these facts."""
    about = Run(run, check_mode, "2026-11-21T06:00:00Z")
    hosts = [
        gather.silent(name, still_to_come=True) if found is None else gather.host(name, found, about, Redactor())
        for name, found in facts.items()
    ]
    return Report(about, tuple(sorted(hosts, key=lambda host: HOST_OUTCOMES.index(host.outcome))))
