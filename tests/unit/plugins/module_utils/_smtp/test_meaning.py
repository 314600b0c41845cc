# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What replies mean: the registry, the providers' rows, the rules, and the sentence for each category."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.diagnosis import (
    blind_spots,
    enhanced_codes,
    providers,
)
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.diagnosis.categories import CATEGORIES, explain
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.diagnosis.classify import AMBIGUOUS, RULES, classify
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.protocol.reply import Reply, ReplyParser

HERE = pathlib.Path(__file__).parent
CLOSED_LIST = """
ok dns_failure connect_refused connect_timeout network_unreachable
port_blocked not_smtp greeting_timeout greeting_rejected rate_limited server_busy ehlo_rejected tls_mode_mismatch
starttls_not_offered starttls_masked starttls_refused starttls_injection tls_version tls_cipher
tls_handshake_closed client_cert_required cert_unknown_ca cert_self_signed cert_expired cert_not_yet_valid
cert_hostname cert_pin cert_strict cert_expiring auth_not_offered auth_mechanism_unsupported
auth_mechanism_too_weak auth_requires_tls auth_required auth_failed auth_server_unproven
auth_app_password_required auth_basic_disabled auth_tenant_disabled auth_policy_blocked auth_account_blocked
auth_temporary token_error token_wrong_scope sender_rejected send_as_denied sender_unverified
recipient_rejected relay_denied quota_exceeded message_too_large message_rejected reputation_blocked
protocol_error disconnected deadline_exceeded expect_unmet
""".split()
REGISTRY = {0: 0, 1: 10, 2: 4, 3: 6, 4: 7, 5: 6, 6: 10, 7: 30}  # the last detail of each subject at IANA
BY_STAGE = {
    "greeting": "greeting_rejected",
    "ehlo": "ehlo_rejected",
    "starttls": "starttls_refused",
    "auth": "auth_failed",
    "mail": "sender_rejected",
    "rcpt": "recipient_rejected",
    "data": "message_rejected",
    "message": "message_rejected",
}


def table(name: str) -> list[list[str]]:
    lines = (HERE / name).read_text("utf-8").splitlines()
    return [line.split(" | ") for line in lines if line and not line.startswith("#")]


PROVIDER_REPLIES, OTHER_REPLIES = table("provider_replies.txt"), table("other_replies.txt")


def reply(text: str) -> Reply:
    parser = ReplyParser()
    parser.feed(text.encode("utf-8") + b"\r\n")
    found = parser.next_reply()
    assert found is not None
    return found


def test_the_categories_are_the_closed_list_and_each_has_a_sentence_and_remedies() -> None:
    assert list(CATEGORIES) == CLOSED_LIST
    assert [name for name, row in CATEGORIES.items() if not row.sentence or (not row.remedies and name != "ok")] == []


@pytest.mark.parametrize("category", CLOSED_LIST)
def test_a_sentence_can_be_said_without_any_fact_and_names_no_exception(category: str) -> None:
    sentence, remedies = explain(category, {})
    assert sentence and "{" not in sentence and "Error" not in sentence and "Exception" not in sentence
    assert all("(unknown)" not in remedy for remedy in remedies)


def test_every_enhanced_code_of_the_registry_is_decoded_and_no_other() -> None:
    assert set(enhanced_codes.ENHANCED) == {
        "%d.%d" % (subject, detail) for subject, last in REGISTRY.items() for detail in range(last + 1)
    }
    for code in enhanced_codes.ENHANCED:
        assert enhanced_codes.meaning(550, "5." + code)
        assert enhanced_codes.remedy("5." + code) or code == "0.0"


def test_an_unknown_code_is_told_by_its_first_digit() -> None:
    assert [enhanced_codes.meaning(code, "") for code in (299, 399, 499, 599)] == ["done", "go on", "not now", "no"]
    assert enhanced_codes.meaning(550, "5.99.1") == enhanced_codes.BASIC[550]


@pytest.mark.parametrize(
    "row, host, stage, text, category", PROVIDER_REPLIES, ids=[sample[0] for sample in PROVIDER_REPLIES]
)
def test_a_provider_reply_is_understood_by_its_own_row(
    row: str, host: str, stage: str, text: str, category: str
) -> None:
    provider = providers.recognise(host, "")
    found = providers.find(provider, str(reply(text)))
    assert found is not None and found.key == row
    verdict = classify(BY_STAGE[stage], stage, reply(text), host, "")
    assert (verdict.category, verdict.meaning, verdict.remedies) == (category, found.meaning, found.remedies)


def test_every_provider_row_has_a_sample() -> None:
    assert [sample[0] for sample in PROVIDER_REPLIES] == [row.key for row in providers.rows()]
    assert {row.of for row in providers.rows()} - {""} <= set(providers.PROVIDERS)


@pytest.mark.parametrize("key", providers.PROVIDERS)
def test_a_provider_is_known_by_each_of_its_hosts_and_greetings(key: str) -> None:
    provider = providers.PROVIDERS[key]
    assert all(providers.recognise("smtp" + host, "") == key for host in provider.hosts)
    assert all(providers.recognise("192.0.2.1", "220 " + words.upper()) == key for words in provider.greetings)


def test_a_name_that_only_ends_alike_is_nobody() -> None:
    assert providers.recognise("mail.notgmail.com", "") == ""


def test_the_same_code_means_another_thing_at_a_provider() -> None:
    text = "550 5.7.30 Basic authentication is not supported for Client Submission."
    assert classify("auth_failed", "auth", reply(text), "smtp.office365.com", "").category == "auth_basic_disabled"
    assert enhanced_codes.meaning(550, "5.7.30") == "REQUIRETLS needed, and not supported"


@pytest.mark.parametrize("stage, text, category", OTHER_REPLIES, ids=[sample[1] for sample in OTHER_REPLIES])
def test_a_reply_of_anybody_is_sorted_by_code_and_words(stage: str, text: str, category: str) -> None:
    assert classify(BY_STAGE[stage], stage, reply(text), "mail.example.com", "").category == category


SURE = [
    ("auth", "535 no", "mail.example.com", "certain"),
    ("auth", "535 5.7.8 no", "mail.example.com", "certain"),
    ("greeting", "421 gone", "mail.example.com", "certain"),
    ("rcpt", "550 5.1.1 no such user", "mail.example.com", "likely"),
    ("rcpt", "550 no", "mail.example.com", "guess"),
    ("rcpt", "550 5.0.0 no", "mail.example.com", "guess"),
    ("rcpt", "554 relay access denied", "mail.example.com", "likely"),
    (
        "auth",
        "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
        "smtp.office365.com",
        "certain",
    ),
    (
        "auth",
        "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
        "mail.example.com",
        "likely",
    ),
]


@pytest.mark.parametrize("stage, text, host, confidence", SURE)
def test_how_sure_a_category_is_depends_on_what_it_was_read_from(
    stage: str, text: str, host: str, confidence: str
) -> None:
    assert classify(BY_STAGE[stage], stage, reply(text), host, "").confidence == confidence


@pytest.mark.parametrize("category", CLOSED_LIST)
def test_what_was_seen_is_certain_unless_it_has_several_usual_causes(category: str) -> None:
    assert classify(category, "tls", None, "mail.example.com", "").confidence == AMBIGUOUS.get(category, "certain")
    assert set(AMBIGUOUS) <= set(CLOSED_LIST)


def test_every_rule_has_a_sample_without_which_it_could_go() -> None:
    for number in range(len(RULES)):
        kept = RULES[:number] + RULES[number + 1 :]
        changed = [sample for sample in OTHER_REPLIES if _sorted_by(kept, sample) != sample[2]]
        assert changed, f"no sample needs {RULES[number]!r}"


def _sorted_by(rules: tuple[t.Any, ...], sample: list[str]) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ansible_collections.smarthost.mail.plugins.module_utils._smtp.diagnosis.classify.RULES", rules)
        return classify(BY_STAGE[sample[0]], sample[0], reply(sample[1]), "mail.example.com", "").category


def test_what_a_provider_checks_late_is_named_first() -> None:
    assert blind_spots.blind_spots("envelope", "m365")[0] == blind_spots.AFTER_DATA["m365"]
    assert blind_spots.blind_spots("message", "postmark")[0] == blind_spots.AFTER_MESSAGE["postmark"]
    assert blind_spots.blind_spots("", "") == list(blind_spots.NOT_SEEN["connect"])


@pytest.mark.parametrize(
    "said, words",
    [
        ("235 2.7.0 Authentication successful", "logged in"),
        ("250 2.1.0 Ok", "accepted"),
        ("250 2.1.5 Ok", "recipient valid"),
        ("250 2.6.0 queued", "accepted"),
        ("220 2.0.0 Ready to start TLS", "ready"),
        ("221 2.0.0 Bye", "closing the connection, as asked"),
        ("250 2.3.6 Ok", "priority was changed"),
        ("535 5.7.0 no", "other security reason"),
        ("550 5.1.0 no", "other trouble with an address"),
    ],
)
def test_a_reply_that_accepts_is_never_said_to_be_trouble(said: str, words: str) -> None:
    found = reply(said)
    assert enhanced_codes.meaning(found.code, found.enhanced) == words


def test_no_row_for_a_reply_that_accepts_speaks_of_trouble() -> None:
    for number in enhanced_codes.ENHANCED:
        said = enhanced_codes.meaning(250, f"2.{number}")
        assert said == "accepted" or number in enhanced_codes.OF_SUCCESS, (number, said)


def test_no_other_port_is_advised_where_the_port_is_the_usual_one() -> None:
    _sentence, remedies = explain("connect_refused", {"port": 465, "security": "tls", "usual_port": ""})
    assert [remedy for remedy in remedies if "port" in remedy] == []
    _sentence, remedies = explain("connect_refused", {"port": 25, "security": "tls", "usual_port": 465})
    assert remedies[0] == "Correct the port: 465 is usual with security: tls."
