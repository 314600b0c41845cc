# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every entry of the catalogue must pass. Nothing is registered by hand: a folder below apps/ is enough."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import Secret
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.context import CONTEXT_NAMES
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.expressions import names_in, names_in_tree
from ansible_collections.smarthost.mail.plugins.plugin_utils.catalogue.loader import SHIPPED, load_entry
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.model import SECURITY, Application, Form
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.validation import load_schema
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects._registry import dialect
from ansible_collections.smarthost.mail.plugins.plugin_utils.dialects.base import NotValid
from ansible_collections.smarthost.mail.plugins.plugin_utils.planning.gaps import PREFERENCES
from ansible_collections.smarthost.mail.plugins.plugin_utils.rendering import render
from catalogue.cases import (
    APPS,
    CATALOGUE,
    GOLDEN,
    HERE,
    MATRIX,
    NOTES,
    REFUSED,
    Case,
    accepted_golden,
    cases,
    golden_of,
    rows,
)

# Which of the names that expressions may use say that an entry maps a capability of the declaration.
MAPPED_BY = {
    "ca_path": {"ca_path"},
    "tls_server_name": {"tls_server_name"},
    "login": {"password"},
    "oauth2": {"client_id", "refresh_token"},
    "ms_graph": {"client_id"},
    **{preference: {preference} for preference in PREFERENCES},
    "from": {"from", "from_address", "from_local"},
    "from_name": {"from", "from_name"},
    "reply_to": {"reply_to", "reply_to_address"},
}
PARSED = HERE / "dialects" / "test_hostile_secrets.py"
INTEGRATION = HERE.parent / "integration"

every_app = pytest.mark.parametrize("app", APPS)


def _entry(app: str) -> Application:
    return CATALOGUE.find(app, "test")


def _leaves(tree: t.Any, above: tuple[str, ...] = ()) -> t.Iterator[tuple[tuple[str, ...], t.Any]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, (*above, key))
    else:
        yield above, tree


def _form_names(form: Form) -> frozenset[str]:
    return names_in_tree([file.settings for file in form.files]) | names_in_tree(dict(form.environment))


def _accept(app: str) -> str:
    return f"Read what changed; if it is right: .venv/bin/python tools/accept.py {app}"


# -- the entry ------------------------------------------------------------------------------------


@every_app
def test_an_entry_is_valid_by_its_schema(app: str) -> None:
    assert re.fullmatch("[a-z][a-z0-9_]*", app), "a folder's name is snake_case"
    load_entry(SHIPPED / app / "app.yml", checked=False)


@every_app
def test_expressions_name_only_what_there_is(app: str) -> None:
    entry = _entry(app)
    named = frozenset().union(*(names_in(rule.when) for rule in entry.rules))
    for form in entry.forms.values():
        named |= _form_names(form) | names_in_tree([file.mail_off for file in form.files if file.mail_off is not None])
    assert named <= CONTEXT_NAMES, (
        f"no such name: {', '.join(sorted(named - CONTEXT_NAMES))}. There are: {', '.join(sorted(CONTEXT_NAMES))}"
    )


@every_app
def test_every_capability_is_mapped_or_explained_and_never_both(app: str) -> None:
    entry = _entry(app)
    for form in entry.forms.values():
        named = _form_names(form)
        modes = set(entry.security) - set(
            entry.entry["forms"][form.name].get("lacks", ())
        )  # one form may lack what another has
        mapped = modes | {what for what, names in MAPPED_BY.items() if named & names}
        mapped |= {"mail_off"} if all(file.mail_off is not None for file in form.files) else set()
        mapped -= {"oauth2"} if "type" in named else {"ms_graph"}  # the client's data is for one of the two
        wanted = {*SECURITY, *MAPPED_BY, "mail_off"}
        where = f"{app}, form {form.name}"
        assert not wanted - mapped - set(form.lacks), (
            f"{where}: neither in settings nor in lacks: {sorted(wanted - mapped - set(form.lacks))}"
        )
        assert not mapped & set(form.lacks), f"{where}: in settings and in lacks: {sorted(mapped & set(form.lacks))}"
        assert "validate_certs" in named or {"verify", "no_verify"} & set(form.lacks), (
            f"{where}: validate_certs is neither used nor explained"
        )
        assert not ("validate_certs" in named and {"verify", "no_verify"} & set(form.lacks)), (
            f"{where}: validate_certs is used, and in lacks"
        )


# -- the golden files -----------------------------------------------------------------------------


@every_app
def test_every_row_ends_in_its_golden_file_or_its_stated_refusal(app: str) -> None:
    wanted, there = golden_of(app), accepted_golden(app)
    assert sorted(wanted) == sorted(there), _accept(app)
    for path, text in wanted.items():
        assert text == there[path], f"{GOLDEN.name}/{app}/{path} differs. {_accept(app)}"


def test_there_are_no_golden_files_of_applications_that_are_gone() -> None:
    assert sorted(path.name for path in GOLDEN.iterdir()) == APPS


def test_the_matrix_accepts_every_code_that_a_user_may_accept() -> None:
    accept = load_schema("smtp_relay")["$defs"]["relay"]["properties"]["accept"]
    assert sorted(MATRIX["accept"]) == sorted(accept["items"]["enum"])


@every_app
def test_everything_an_entry_says_has_a_sample(app: str) -> None:
    entry = _entry(app)
    written = [case for case in cases(app) if case.plan]
    refused = {each.gap.why for case in cases(app) for each in case.refusals}
    taken = {(gap.capability, gap.code) for case in written if case.plan for gap in case.plan.accepted}
    for form in entry.forms.values():
        for mode in set(entry.security) - set(form.lacks):
            assert any(case.form == form.name and _mode(case) == mode for case in written), (
                f"has no sample: {form.name}, security {mode}"
            )
        for file in form.files:
            here = [
                done.file
                for case in written
                if case.form == form.name
                for done in case.files
                if done.file.path.endswith(file.path)
            ]
            seen = {path for done in here for path, _value in _leaves(done.tree)}
            wanted = {
                path
                for tree in (file.settings, file.mail_off, file.by_file)
                for path, value in _leaves(tree)
                if value is not None and tree is not None
            }
            assert not wanted - seen, f"has no sample: {form.name}, {sorted(wanted - seen)}"
        for capability, gap in form.lacks.items():
            assert capability in PREFERENCES or gap.why in refused or (capability, gap.code) in taken, (
                f"has no sample: lacks {capability}"
            )
    for rule in entry.rules:
        assert rule.gap.why in refused, f"has no sample: refuse {rule.when}"


def _mode(case: Case) -> str:
    assert case.plan is not None
    relay = case.plan.relay
    return next(
        (gap.instead for gap in case.plan.accepted if gap.instead and gap.capability == relay.security), relay.security
    )


# -- secrets --------------------------------------------------------------------------------------


def _secrets(value: t.Any) -> t.Iterator[str]:
    """The dummy secrets that a row of the matrix declares."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("password", "client_secret"):
                yield item
            yield from _secrets(item)


def _items(value: t.Any) -> list[t.Any]:
    return [item for inner in value for item in _items(inner)] if isinstance(value, list) else [value]


@every_app
def test_a_secret_stands_at_its_key_only_and_its_file_is_private(app: str) -> None:
    for case in cases(app):
        secrets = list(_secrets(rows(app)[case.row]["relay"]))
        for name in (REFUSED, NOTES):
            assert not any(secret in case.golden.get(name, "") for secret in secrets), (
                f"{case.name}: {name} shows a secret"
            )
        for done in case.files:
            for path, value in _leaves(done.file.tree):
                for item in _items(value):
                    said = str(render.reveal(item))
                    before = next((said[: said.index(secret)] for secret in secrets if secret in said), None)
                    assert before is None or isinstance(item, Secret), (
                        f"{case.name}: {path} holds a secret without being one"
                    )
                    assert before is None or path in done.file.secrets, (
                        f"{case.name}: {path} is not known to hold a secret"
                    )
                    assert re.fullmatch(r"""(--\w+=|\S+:|")?""", before or ""), (
                        f"{case.name}: {path} holds a secret among other things"
                    )
            held = [secret for secret in secrets if secret in done.text]
            assert not (held and done.file.dialect == "sheet"), f"{case.name}: a checklist shows a secret"
            assert not held or render.holds_secret(done.file)
            assert not held or (done.file.mode or "0600").endswith("0"), (
                f"{case.name}: {done.file.path} may be read by everyone"
            )


# -- what is read back ----------------------------------------------------------------------------


def _plain(value: t.Any) -> t.Any:
    """Values as texts, so that what a dialect reads as text and what it reads by type can be compared."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return {"True": "true", "yes": "true", "on": "true", "False": "false", "no": "false", "off": "false"}.get(
        str(value), str(value)
    )


@every_app
def test_what_was_written_reads_back_as_planned(app: str) -> None:
    for case in cases(app):
        for done in case.files:
            planned = render.reveal(done.file.tree, render.secret_marker(done.file))
            if done.file.dialect == "sheet":
                planned = {
                    title: {key: ", ".join(item) if isinstance(item, list) else item for key, item in rows.items()}
                    for title, rows in planned.items()
                }
            assert _plain(dialect(done.file.dialect).read(done.text)) == _plain(planned), (
                f"{case.name}, {done.file.path}"
            )


# -- files of the user's --------------------------------------------------------------------------


def _users_file(app: str, path: str) -> str:
    file = HERE / "users" / app / path.rpartition("/")[2].lstrip(".")
    assert file.is_file(), f"a shared form needs a sample of a user's file: {file.relative_to(HERE.parent.parent)}"
    return file.read_bytes().decode()


def _not_ours(text: str, owns: t.Sequence[t.Sequence[str]]) -> list[str]:
    """The lines that name none of our keys; a comma at their end may come and go with what follows."""
    keys = "|".join(sorted({re.escape(path[-1]) for path in owns}, key=len, reverse=True))
    ours = re.compile(rf"""\s*["']?({keys})["']?(\s*[:=]|[ \t]|\s*$).*""", re.DOTALL)
    return [line.rstrip("\r\n").rstrip(",") for line in text.splitlines(keepends=True) if not ours.match(line)]


def _is_in_order(lines: list[str], among: list[str]) -> bool:
    rest = iter(among)
    return all(line in rest for line in lines)


SHARED = [
    (app, case_form)
    for app in APPS
    for case_form, form in _entry(app).forms.items()
    if any(file.shared for file in form.files)
]


# To dma and to a shell a line of a carriage return alone is no blank one: both give up over it.
NO_CARRIAGE_RETURN = ("dma", "exim_update")


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize(("app", "form"), SHARED)
def test_the_rest_of_a_users_file_stays_and_can_be_had_back(app: str, form: str, ends: str) -> None:
    for case in cases(app):
        for done in case.files:
            file = done.file
            if case.form != form or not file.shared:
                continue
            spoken, tree = dialect(file.dialect), render.reveal(file.tree)
            before = _users_file(app, file.path).replace("\n", ends)
            if ends == "\r\n" and file.dialect in NO_CARRIAGE_RETURN:
                with pytest.raises(NotValid):
                    spoken.merge(before, tree, file.owns)
                continue
            after = spoken.merge(before, tree, file.owns)
            assert _is_in_order(_not_ours(before, file.owns), _not_ours(after, file.owns)), (
                f"{case.name}: lines that are not ours were changed"
            )
            assert spoken.merge(after, tree, file.owns) == after, f"{case.name}: a second run changes the file"
            assert spoken.remove(after, file.owns, before) == before, (
                f"{case.name}: taken back, the file is not as it was"
            )
            _assert_in_force(spoken.read(after), spoken.read(done.text), file.owns, case)


def _assert_in_force(read: t.Any, alone: t.Any, owns: t.Sequence[t.Sequence[str]], case: Case) -> None:
    """Every key of ours has the value that it has in a file of ours alone, or is not there in either."""
    there, wanted = dict(_leaves(read)), dict(_leaves(alone))
    for path in map(tuple, owns):
        assert there.get(path) == wanted.get(path), f"{case.name}: {'.'.join(path)} is not in force in the user's file"


# -- claims ---------------------------------------------------------------------------------------


@every_app
def test_the_claimed_evidence_has_its_proof(app: str) -> None:
    entry = _entry(app)
    if entry.evidence == "delivered":
        sends = re.compile(
            rf"(programs|mailers|web_apps)\.{app}", re.IGNORECASE
        )  # such as programs.PostfixSatellite, with what the collection wrote
        texts = [path.read_text("utf-8") for path in INTEGRATION.glob("test_*.py")]
        proof = any(sends.search(text) and "smtp_relay_apps" in text for text in texts)
        assert proof, f"no file tests/integration/test_*.py sends by {app}"
    if entry.evidence == "parsed":
        from catalogue.dialects.test_hostile_secrets import CASES  # the dialects that a program here reads

        oracles = {case.dialect for case in CASES.values()}
        for form in entry.forms.values():
            missing = {file.dialect for file in form.files} - oracles
            assert not missing, (
                f"no program in {PARSED.name} reads {', '.join(sorted(missing))}: the evidence is documented"
            )


# -- applications with a form of their own -----------------------------------------------------------

# NethServer's validate-input.json of set-smarthost, as its action checks it
SET_SMARTHOST = {
    "type": "object",
    "required": ["host", "port", "username", "password", "enabled", "encrypt_smtp", "tls_verify"],
    "additionalProperties": False,
    "properties": {
        "host": {"type": "string", "format": "idn-hostname", "pattern": "^[^:\\s]+$"},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
        "username": {"type": "string"},
        "password": {"type": "string"},
        "enabled": {"type": "boolean"},
        "encrypt_smtp": {"type": "string", "enum": ["none", "starttls", "tls"]},
        "tls_verify": {"type": "boolean"},
    },
}


def test_the_body_for_nethserver_is_valid_by_its_actions_schema() -> None:
    import jsonschema

    bodies = [json.loads(done.text) for case in cases("nethserver8") for done in case.files]
    assert {body["encrypt_smtp"] for body in bodies} == {"none", "starttls", "tls"}
    for body in bodies:
        jsonschema.Draft7Validator(SET_SMARTHOST, format_checker=jsonschema.FormatChecker()).validate(body)


def test_the_key_of_postfixs_password_is_its_relayhost_byte_for_byte() -> None:
    for case in cases("postfix"):
        texts = {done.file.path: dialect(done.file.dialect).read(done.text) for done in case.files}
        for key, _value in texts.get("/etc/postfix/sasl_passwd", []):
            assert key == texts["/etc/postfix/main.cf"]["relayhost"]
