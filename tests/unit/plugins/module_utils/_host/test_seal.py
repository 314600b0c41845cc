# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sealed texts open with the same key and label only, and show nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._shared import seal
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.options.arguments import argument_spec


@pytest.mark.parametrize("data", [b"", b"\0\0leading zeros", "p@ss w\"o'r\\d ü".encode(), bytes(range(256)) * 4096])
def test_what_was_sealed_is_what_is_opened(data: bytes) -> None:
    key = seal.new_key()
    assert seal.unseal(key, "read /etc/a", seal.seal(key, "read /etc/a", data)) == data


def test_a_set_of_files_keeps_its_paths_and_bytes() -> None:
    key, files = seal.new_key(), {"/etc/grüße.ini": b"\xff\0", "/etc/b": b""}
    assert seal.unseal_contents(key, seal.seal_contents(key, files)) == files


def test_neither_the_secret_nor_its_base64_is_in_a_sealed_text() -> None:
    key, secret = seal.new_key(), b"correct horse battery staple"
    sealed = seal.seal(key, "contents", secret)
    assert secret.decode() not in sealed
    assert base64.b64encode(secret).decode()[:20] not in sealed
    assert secret not in base64.b64decode(sealed)


def test_the_same_bytes_are_never_sealed_to_the_same_text() -> None:
    key = seal.new_key()
    assert seal.seal(key, "contents", b"x") != seal.seal(key, "contents", b"x")


@pytest.mark.parametrize("key", ["", "not hex", "abcd"])
def test_a_key_that_is_none_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(seal.SealError) as error:
        seal.seal(key, "contents", b"x")
    assert str(error.value) == "the key is not at least 32 hexadecimal digits"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda key, label, text: (seal.new_key(), label, text),
            "sealed under another key or label, or damaged on the way",
        ),
        (
            lambda key, label, text: (key, "read /etc/other", text),
            "sealed under another key or label, or damaged on the way",
        ),
        (lambda key, label, text: (key, label, text[:-8]), "sealed under another key or label, or damaged on the way"),
        (lambda key, label, text: (key, label, ""), "sealed under another key or label, or damaged on the way"),
        (lambda key, label, text: (key, label, "ü" + text), "this is not a sealed text"),
        (lambda key, label, text: (key, label, "!" + text), "this is not a sealed text"),
    ],
)
def test_a_wrong_key_label_or_text_is_noticed(change, why: str) -> None:  # type: ignore[no-untyped-def]
    key = seal.new_key()
    text = seal.seal(key, "read /etc/a", b"PASSWORD=hunter2")
    with pytest.raises(seal.SealError) as error:
        seal.unseal(*change(key, "read /etc/a", text))
    assert str(error.value) == why


def test_sealed_bytes_that_are_no_set_of_files_are_refused() -> None:
    key = seal.new_key()
    for data in (b"[1]", b"no json", b'{"/etc/a": 1}', b'{"/etc/a": "!"}'):
        with pytest.raises(seal.SealError, match="what was sealed is not a set of files"):
            seal.unseal_contents(key, seal.seal(key, seal.CONTENTS, data))


def test_every_secret_option_is_sealed_in_its_place_and_nothing_else() -> None:
    key, options = (
        seal.new_key(),
        {
            "host": "h",
            "password": "one ü\udcff",
            "proxy": None,
            "oauth2": {"client_id": "i", "token": "two"},
            "relays": [{"host": "r", "password": ""}],
        },
    )
    sealed = seal.seal_options(key, argument_spec(), options)
    changed = {name for name, value in options.items() if sealed[name] != value}
    assert (
        changed == {"password", "oauth2", "relays"}
        and sealed["oauth2"]["client_id"] == "i"
        and sealed["relays"][0]["host"] == "r"
    )
    assert seal.unseal_options(key, argument_spec(), sealed) == (options, {"one ü\udcff", "two"})
    swapped = {**sealed, "password": sealed["oauth2"]["token"]}
    with pytest.raises(seal.SealError):
        seal.unseal_options(key, argument_spec(), swapped)


def test_every_secret_option_of_the_probe_is_a_text() -> None:
    """What seal_options can seal: were a list or number ever declared a secret, it would travel in clear, or fail."""

    def secrets(spec: dict[str, Any]) -> Iterator[str]:
        for about in spec.values():
            yield from [about["type"]] if about.get("no_log") else secrets(about.get("options", {}))

    assert set(secrets(argument_spec())) == {"str"}
