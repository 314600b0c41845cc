# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The login that an application's own files hold, read as the application reads them: the plan in reverse.

Which setting holds what follows from the entry: it is rendered once with a credential of two words that stand nowhere else, and
where these words are found afterwards, the user name and the secret stand in the files on the host. Around them may be other text
(``user:password``, a URL), and they may be spelled (percent signs, JSON): the spelling is the one that gives the same file again
when it is rendered with what was read.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t
import urllib.parse

from ...module_utils._shared.secret import Secret
from ..declaration.model import AppPlan, DeclaredCredential, FilePlan
from ..declaration.plain_values import texts_in
from ..dialects._registry import dialect
from ..dialects.base import NotValid
from ..planning.plan import plan_app
from . import merge_guard
from .render import render_app, secret_marker

# Some applications take only an address for a user name; in a URL its @ is spelled with a percent sign.
USER_WORD, SECRET_WORD, ADDRESS = "smarthostusername", "smarthostpassphrase", "@smarthost.invalid"
_WORDS = re.compile(f"({USER_WORD}|{SECRET_WORD})(?:(?:@|%40)smarthost\\.invalid)?")
NO_SECRET = "its files hold no secret"
BY_HAND = "a person enters it"
NOT_THERE = "its setting is not there"
NOT_ALIKE = "its files hold several logins that differ"
NOT_UNDERSTOOD = "its setting is not of the form that the entry writes"

#: File and key path of one setting.
Place = t.Tuple[str, t.Tuple[str, ...]]
Leaves = t.Dict[Place, str]


class ReadBack(t.NamedTuple):
    """What was read, or why nothing could be: a sentence without its end."""

    credential: DeclaredCredential | None
    why: str = ""


def read_back(plan: AppPlan, standing: t.Mapping[str, str | None]) -> ReadBack:
    """The login in the files of one application.

    standing: by path (of the plan) the text of each file as it stands on the host, None where there is none.
    """
    if any(secret_marker(file) for file in plan.files):
        return ReadBack(None, BY_HAND)
    marked = _rendered_with(plan, USER_WORD, SECRET_WORD) or _rendered_with(plan, USER_WORD + ADDRESS, SECRET_WORD)
    patterns = {place: text for place, text in marked.items() if SECRET_WORD in text}
    if not patterns:
        return ReadBack(None, NO_SECRET)
    try:
        found = _leaves(plan.files, standing)
    except NotValid as error:
        return ReadBack(None, f"its file is not valid: {error}")
    except Exception as error:  # whatever is in the file; the text of an exception could hold a value
        return ReadBack(None, f"its file could not be read ({type(error).__name__})")
    if not all(place in found for place in patterns):
        return ReadBack(None, NOT_THERE)
    logins = [_login(plan, marked, found, place) for place in patterns]
    understood = [login for login in logins if login is not None]
    if len(understood) < len(logins):
        return ReadBack(None, NOT_UNDERSTOOD)
    return ReadBack(understood[0]) if len(set(understood)) == 1 else ReadBack(None, NOT_ALIKE)


def _login(plan: AppPlan, marked: Leaves, found: Leaves, place: Place) -> DeclaredCredential | None:
    """User name and secret at one setting that holds the secret; the user name may stand at another one."""
    parts = _parts(marked[place], found[place])
    if parts is None:
        return None
    named = next(
        (other for other, text in marked.items() if text in (USER_WORD, USER_WORD + ADDRESS) and other in found), None
    )
    declared = plan.relay.credential.username if plan.relay.credential else ""
    for spelling in SPELLINGS:
        secret = spelling(parts[SECRET_WORD])
        username = spelling(parts[USER_WORD]) if USER_WORD in parts else found[named] if named else declared
        if secret is None or username is None:
            continue
        if _rendered_with(plan, username, secret).get(place) == found[place]:
            return DeclaredCredential("", username, Secret(secret))
    return None


def _parts(pattern: str, text: str) -> dict[str, str] | None:
    """What stands in the text where the pattern has our words."""
    pieces = _WORDS.split(pattern)
    words = pieces[1::2]
    groups = ["(.*?)" if number < len(words) - 1 else "(.*)" for number in range(len(words))]
    expression = re.escape(pieces[0]) + "".join(group + re.escape(rest) for group, rest in zip(groups, pieces[2::2]))
    match = re.fullmatch(expression, text, re.DOTALL)
    if match is None:
        return None
    found = dict(zip(words, match.groups()))
    return found if all(found[word] == group for word, group in zip(words, match.groups())) else None


def _rendered_with(plan: AppPlan, username: str, secret: str) -> Leaves:
    """Every setting of the application as it would be read with this login; {} where it cannot be written."""
    relay = dataclasses.replace(plan.relay, credential=DeclaredCredential("", username, Secret(secret)))
    request = dataclasses.replace(plan.request, form=plan.form)
    planned = plan_app(request, relay, plan.application)
    if not isinstance(planned, AppPlan):
        return {}
    # Into no file of a user's: only our own settings are looked at, and they are read alike wherever they stand.
    rendered, refusals, problems = render_app(planned, {})
    if refusals or problems:
        return {}
    return _leaves(planned.files, {item.file.path: item.text for item in rendered})


def _leaves(files: t.Iterable[FilePlan], texts: t.Mapping[str, str | None]) -> Leaves:
    """Every text among the settings of these files, by its place. Raises NotValid."""
    return {
        (file.path, key): value
        for file in files
        if texts.get(file.path) is not None
        for key, value in _settings(file, texts[file.path] or "")
    }


def _settings(file: FilePlan, text: str) -> t.Iterator[tuple[tuple[str, ...], str]]:
    if not file.shared:
        return texts_in(dialect(file.dialect).read(text))
    ours = merge_guard.values(file.dialect, text, file.owns)
    return (((*path, *below), text) for path, value in ours.items() for below, text in texts_in(value))


# -- spellings of a value within a setting: each gives the value that is spelled so, or None ----------


def _as_it_is(text: str) -> str | None:
    return text


def _percent(text: str) -> str | None:
    return urllib.parse.unquote(text)


def _json(text: str) -> str | None:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return None


def _braces(text: str) -> str | None:
    """Jenkins' configuration as code: ``^${`` stands for ``${``."""
    return text.replace("^${", "${")


SPELLINGS: tuple[t.Callable[[str], str | None], ...] = (_as_it_is, _percent, _json, _braces)
