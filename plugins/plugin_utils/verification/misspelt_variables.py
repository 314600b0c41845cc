# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables by name: one that is misspelt has no effect, which nobody would notice."""

from __future__ import annotations

import difflib
import typing as t

from ..problems import Problem, did_you_mean, one_of

#: What a user may set, for the role and the playbooks.
PUBLIC = (
    "smtp_relay",
    "smtp_relay_activate",
    "smtp_relay_apps",
    "smtp_relay_canary",
    "smtp_relay_catalogue",
    "smtp_relay_configure",
    "smtp_relay_credential",
    "smtp_relay_dest",
    "smtp_relay_fail_on",
    "smtp_relay_generation",
    "smtp_relay_hosts",
    "smtp_relay_on_unsupported",
    "smtp_relay_probe",
    "smtp_relay_probe_level",
    "smtp_relay_probe_send",
    "smtp_relay_probe_to",
    "smtp_relay_prune",
    "smtp_relay_report_dest",
    "smtp_relay_report_run",
    "smtp_relay_revoked",
    "smtp_relay_revoked_from",
    "smtp_relay_rotation_delay",
    "smtp_relay_rotation_from_controller",
    "smtp_relay_rotation_gap_delay",
    "smtp_relay_rotation_gap_wait",
    "smtp_relay_rotation_retries",
    "smtp_relay_rotation_soak",
    "smtp_relay_serial",
    "smtp_relay_state_dir",
)
#: What our own tasks leave behind.
OURS = (
    "smtp_relay_activated",
    "smtp_relay_back_logins",
    "smtp_relay_back_refused",
    "smtp_relay_baseline",
    "smtp_relay_batch_failed",
    "smtp_relay_changed_now",
    "smtp_relay_config",
    "smtp_relay_failure",
    "smtp_relay_first_verified",
    "smtp_relay_new",
    "smtp_relay_planned",
    "smtp_relay_probed",
    "smtp_relay_reactivated",
    "smtp_relay_report",
    "smtp_relay_reported",
    "smtp_relay_revoked_here",
    "smtp_relay_revoked_there",
    "smtp_relay_rotation",
    "smtp_relay_rotation_back",
    "smtp_relay_rotation_end",
    "smtp_relay_rotation_failure",
    "smtp_relay_rotation_plan",
    "smtp_relay_sampled",
    "smtp_relay_state",
    "smtp_relay_verified",
    "smtp_relay_written",
)
#: Those of them that take one of a few words. smtp_relay_probe takes true and false as well.
WORDS: t.Mapping[str, t.Sequence[str]] = {
    "smtp_relay_fail_on": ("nothing", "wrong", "unseen"),
    "smtp_relay_probe": ("first", "after", "never"),
    "smtp_relay_probe_level": ("connect", "tls", "auth", "envelope"),
    "smtp_relay_probe_send": ("never", "on_change", "always"),
}
_SWITCH = ("true", "yes", "false", "no")
_LABELLED = "smtp_relay_apps_"  # each of these adds to smtp_relay_apps
_ALIKE = 0.88
_LENGTHS = (min(map(len, PUBLIC)) - 2, max(map(len, PUBLIC)) + 2)


def wrong_words(variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> list[Problem]:
    """Each variable of the role whose value is none of its words: one that is misspelt would switch off what it is for.

    A value that cannot be templated is told by the task that needs it.
    """
    found = []
    for name, words in WORDS.items():
        try:
            word = str(template(variables[name])) if name in variables else words[0]
        except Exception:  # noqa: B902
            continue
        if word in words or name == "smtp_relay_probe" and word.lower() in (*words, *_SWITCH):
            continue
        found.append(Problem(name, f'"{word}" is not known.{did_you_mean(word, words)}', "not-allowed", one_of(words)))
    return found


def misspelt(variables: t.Iterable[t.Any]) -> list[str]:
    """A warning for each variable whose name is nearly that of one of ours."""
    found = []
    for name in sorted(str(name) for name in variables):
        if (
            name in PUBLIC
            or name in OURS
            or name.startswith(("_", _LABELLED))
            or not _LENGTHS[0] <= len(name) <= _LENGTHS[1]
        ):
            continue
        if not {"s", "m", "t", "p", "r", "e", "l"} <= set(name.lower()):
            continue  # most of a host's variables are nothing like ours
        close = difflib.get_close_matches(name.lower(), PUBLIC, n=1, cutoff=_ALIKE)
        if close:
            found.append(f'The variable {name} has no effect here. Did you mean "{close[0]}"?')
    return found
