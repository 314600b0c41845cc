# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Green only when it was seen: what of an application was not, or was seen to be wrong, in the words of one line each."""

from __future__ import annotations

from .model import App, Run, Unseen

ACTIVE, UNKNOWN, NOT_WIRED, NOT_INSTALLED = "active", "unknown", "not_wired", "not_installed"
NOT_TESTED = "not_tested"
_HERE = ("as_declared", "written", "would_be_written", "differs", "drifted", "left")
_SAID = {
    UNKNOWN: "It was not seen whether it is there and reads its file",
    NOT_WIRED: "It does not read its file",
    NOT_INSTALLED: "It is not installed",
}
_SHOW = {
    UNKNOWN: "Say what it runs as (unit or compose), or installed: true and wired: true for the application.",
    NOT_WIRED: "Make it read the file, as its page in docs/apps says.",
    NOT_INSTALLED: "Install it, or leave it out of the list.",
}
AGAIN = "Run smarthost.mail.apply again."


def unseen(app: App, run: Run, relay_failed: bool) -> tuple[Unseen, ...]:
    """Everything that keeps an application from being green. relay_failed: its relay was tried and is in the report as failing."""
    if app.outcome not in _HERE:
        return tuple(found for found in (_gone(app),) if found)
    return tuple(
        found
        for found in (
            _status(app, run),
            _left(app),
            _predicted(app),
            _process(app, run),
            _proof(app, run, relay_failed),
        )
        if found
    )


def is_green(app: App) -> bool:
    """Whether it was seen to be as declared, to be there, to read its file, to run with it, and to reach its relay as far as declared."""
    return app.outcome in ("as_declared", "written") and app.status == ACTIVE and not app.unseen


def not_forwarded(app: App) -> Unseen:
    """Its mail goes through a mail server of this host of which something was not seen: what answers on its port may be another."""
    what = f"It hands its mail to {app.forwarder}, of which not everything was seen."
    return Unseen(what, "not-forwarded", f"See what is said of {app.forwarder} on this host.", False)


def _status(app: App, run: Run) -> Unseen | None:
    """A rotation that finds the next credential in force has looked at the login and at what runs, and at nothing else."""
    if app.status == ACTIVE or run.run == "rotate" and app.status == UNKNOWN and not app.status_why:
        return None
    status = app.status if app.status in _SAID else UNKNOWN
    why = f": {app.status_why.rstrip('.')}" if app.status_why else ""
    show = "" if app.status_why else _SHOW[status]  # the sentence itself says what can be declared, or the line to add
    return Unseen(
        f"{_SAID[status]}{why}.",
        status.replace("_", "-"),
        show,
        status != UNKNOWN and app.outcome != "would_be_written",
    )


def _left(app: App) -> Unseen | None:
    if app.outcome != "left":
        return None
    what = f"Its files were left as they are, as it would not work with what is declared: {app.proof_why.rstrip('.')}."
    return Unseen(what, "left", "Correct the declaration or the relay, then run smarthost.mail.apply.", True)


def _gone(app: App) -> Unseen | None:
    if app.activation is None or not app.activation.missing:
        return None
    what = (
        f"It was taken back and not activated, as {app.activation.reason}: what runs may still have its old settings."
    )
    return Unseen(what, "not-activated", "Restart it where it runs.", False)


def _predicted(app: App) -> Unseen | None:
    if app.outcome != "would_be_written":
        return None
    return Unseen(
        "Nothing was written: this is a prediction.", "predicted", "Run smarthost.mail.apply without --check.", False
    )


def _process(app: App, run: Run) -> Unseen | None:
    if app.down:
        return Unseen("It is not running.", "not-running", "Start it, then run smarthost.mail.verify.", False)
    if app.stale:
        return Unseen("What runs is older than its files, and may not know of them.", "process-stale", AGAIN, True)
    if app.outcome != "written" or run.check_mode or not app.activates:
        return None
    if app.activation is None:
        return Unseen(
            "It was not activated, so what runs may not know of its new settings.", "not-activated", AGAIN, False
        )
    if app.activation.missing:
        what = f"It was not activated, as {app.activation.reason}: what runs may not know of its new settings."
        return Unseen(
            what,
            "not-activated",
            f"Restart it where it runs; or, where its name is misspelt, correct it. {AGAIN}",
            False,
        )
    if app.activation.activated or app.activation.reason != "as declared":
        return None
    return Unseen(
        "It is declared not to be activated, so what runs may not know of its new settings.",
        "not-activated",
        "Restart it.",
        False,
    )


def _proof(app: App, run: Run, relay_failed: bool) -> Unseen | None:
    if app.outcome == "left" or not app.proof_wanted or app.proof == app.proof_wanted:
        return None
    how_far = (
        "It was not tested whether it can send"
        if app.proof in ("", NOT_TESTED)
        else f"It was proven up to {app.proof} only"
    )
    why = f": {app.proof_why.rstrip('.')}" if app.proof_why else ""
    tried = relay_failed or bool(app.proof_why and app.proof not in ("", NOT_TESTED))
    return Unseen(f"{how_far}{why}.", "not-proven" if tried else "not-tested", _to_prove(app, run, tried), relay_failed)


def _to_prove(app: App, run: Run, tried: bool) -> str:
    """What has it proven. What was mended in the declaration has to be written as well, and a file that was left would be left again."""
    if any(item.done == "left" for item in app.drift):
        return "Say drift: enforce for it, or declare what its files hold, then run smarthost.mail.apply."
    playbook = {
        "apply": "smarthost.mail.apply",
        "verify": "smarthost.mail.apply, then smarthost.mail.verify",
        "rotate": "smarthost.mail.verify",
    }[run.run]
    if tried:
        return f"Once that is mended: run {playbook}."
    return "Run smarthost.mail.apply." if app.outcome in ("differs", "drifted") else "Run smarthost.mail.verify."
