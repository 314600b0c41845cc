# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RS256 in pure Python: RFC 7515's own example, keys made by OpenSSL, signatures that OpenSSL verifies, keys that cannot be used."""

from __future__ import annotations

import base64
import json
import pickle
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.web import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

# RFC 7515 A.2: the key (A.2.1), the signing input and the signature.
N = (
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b"
    "32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5"
    "IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
)
D = (
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCg"
    "u-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8"
    "bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ"
)
P = (
    "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHd"
    "wW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc"
)
SIGNED = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
SIGNATURE = (
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAyn"
    "RFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv"
    "Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
)
FORMATS = [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8]


def number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=="), "big")


def rfc_key() -> rsa.RSAPrivateKey:
    n, d, p = number(N), number(D), number(P)
    q = n // p
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(65537, n))
    return numbers.private_key()


def pem(key: t.Any, form: PrivateFormat = PrivateFormat.PKCS8, secret: t.Any = None) -> str:
    return str(key.private_bytes(Encoding.PEM, form, secret or NoEncryption()).decode())


@pytest.mark.parametrize("form", FORMATS, ids=["PKCS1", "PKCS8"])
def test_the_example_of_rfc_7515_comes_out_byte_for_byte(form: PrivateFormat) -> None:
    key = jwt.load(pem(rfc_key(), form))
    assert jwt.base64url(jwt.sign(key, SIGNED.encode())) == SIGNATURE


@pytest.mark.parametrize("bits", [2048, 2056, 3072])
def test_openssl_verifies_what_is_signed_and_the_token_holds_what_was_put_in(bits: int) -> None:
    made = rsa.generate_private_key(65537, bits)
    token = jwt.jwt(jwt.load(pem(made)), {"typ": "JWT", "x5t": "dGh1bWI"}, {"iss": "ü", "exp": 1300819380})
    signed, _dot, signature = token.rpartition(".")
    made.public_key().verify(
        base64.urlsafe_b64decode(signature + "=="), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    head, body = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in signed.split("."))
    assert head == {"typ": "JWT", "x5t": "dGh1bWI", "alg": "RS256"} and body == {"iss": "ü", "exp": 1300819380}


def test_the_line_ends_of_googles_json_file_are_understood() -> None:
    written = json.dumps({"private_key": pem(rfc_key())})
    assert jwt.load(written).length == 256


def unusable() -> dict[str, tuple[str, str]]:
    good = pem(rfc_key())
    damaged = good.splitlines()
    damaged[5] = damaged[5][:-9] + "AAAAAAAAA"
    cut = "\n".join(good.splitlines()[:4] + good.splitlines()[-1:])
    locked = serialization.BestAvailableEncryption(b"passphrase")
    return {
        "passphrase": (pem(rfc_key(), secret=locked), "has a passphrase"),
        "old passphrase": (pem(rfc_key(), PrivateFormat.TraditionalOpenSSL, locked), "has a passphrase"),
        "elliptic curve": (pem(ec.generate_private_key(ec.SECP256R1())), "is not an RSA key"),
        "old elliptic curve": (
            pem(ec.generate_private_key(ec.SECP256R1()), PrivateFormat.TraditionalOpenSSL),
            "says BEGIN EC PRIVATE KEY",
        ),
        "certificate": (good.replace("PRIVATE KEY", "CERTIFICATE"), "says BEGIN CERTIFICATE"),
        "too short": (pem(rsa.generate_private_key(65537, 1024)), "has 1024 bits"),
        "cut off": (cut, "damaged or cut off"),
        "not base64": (good.replace(good[40:60], "!" * 20), "damaged or cut off"),
        "a changed digit": ("\n".join(damaged), "does not fit together"),
        "a path": ("/etc/ssl/key.pem", "is not a key in PEM"),
    }


@pytest.mark.parametrize("what", sorted(unusable()))
def test_a_key_that_cannot_be_used_is_told_without_a_byte_of_it(what: str) -> None:
    text, why = unusable()[what]
    with pytest.raises(jwt.KeyProblem) as caught:
        jwt.load(text)
    assert why in str(caught.value)
    assert caught.value.__cause__ is None and not any(
        line in str(caught.value) for line in text.splitlines() if len(line) > 40
    )


def test_a_key_whose_halves_do_not_agree_signs_nothing() -> None:
    numbers = rfc_key().private_numbers()
    wrong = jwt.RsaKey(
        [numbers.public_numbers.n, 65537, numbers.d, numbers.p, numbers.q, numbers.dmp1 + 2, numbers.dmq1, numbers.iqmp]
    )
    with pytest.raises(jwt.KeyProblem, match="does not fit together"):
        jwt.sign(wrong, b"x")


def test_a_key_does_not_print_itself() -> None:
    key = jwt.load(pem(rfc_key()))
    assert repr(key) == str(key) == f"{key}" == "(key)"
    with pytest.raises(TypeError):
        pickle.dumps(key)
