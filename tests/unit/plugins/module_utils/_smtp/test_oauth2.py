# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens fetched from a real HTTPS server: what is sent to it, what its refusals mean, and that no secret shows."""

from __future__ import annotations

import base64
import html
import json
import pathlib
import time
import typing as t
import urllib.parse

import pytest
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from servers import Authority, free_port
from smtp_rig import options
from test_signing import pem
from web import CLIENT_SECRET, OUTLOOK_TOKEN, REFRESH_TOKEN, Page, Web, granted, jwt, microsoft, refused, web

HERE = pathlib.Path(__file__).parent
REFUSALS = [
    line.split(" | ") for line in (HERE / "token_errors.txt").read_text("utf-8").splitlines() if line and line[0] != "#"
]
SECRETS = (CLIENT_SECRET, REFRESH_TOKEN, OUTLOOK_TOKEN, OUTLOOK_TOKEN.split(".")[1], OUTLOOK_TOKEN.split(".")[2])
KEY = rsa.generate_private_key(65537, 2048)


def forms(secret: str) -> list[str]:
    data = secret.encode()
    return [
        secret, base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode(), data.hex(), urllib.parse.quote(secret, safe=""),
        urllib.parse.quote_plus(secret), json.dumps(secret)[1:-1], html.escape(secret), data.decode("latin-1"),
    ]  # fmt: skip


FORMS = [form for secret in SECRETS for form in forms(secret)]


def shows_no_secret(result: dict[str, t.Any], *more: str) -> None:
    for text in (repr(result), json.dumps(result), json.dumps(result, ensure_ascii=False), result["msg"]):
        assert [form for form in FORMS + list(more) if form in text] == []


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def pem_path(authority: Authority) -> pathlib.Path:
    found: pathlib.Path = authority.issue("token")
    return found


@pytest.fixture
def endpoint(pem_path: pathlib.Path) -> t.Iterator[Web]:
    with web(pem_path) as running:
        yield running


def fetch(
    authority: Authority, endpoint: Web, given: t.Mapping[str, t.Any] | None = None, **relay: t.Any
) -> dict[str, t.Any]:
    """Probe a relay that is not there: what happens before it is looked for is what matters here."""
    oauth2 = dict(
        {
            "client_id": "c",
            "client_secret": CLIENT_SECRET,
            "token_url": endpoint.origin + "/token",
            "ca_path": str(authority.path),
        },
        **(given or {}),
    )
    asked = {
        "host": "127.0.0.1",
        "port": free_port(),
        "security": "starttls",
        "username": "noreply@example.com",
        "timeout": 5,
        "diagnose": False,
    }
    result = probe_all([options(**dict(asked, oauth2=oauth2, **relay))], False)[0]
    shows_no_secret(result)
    return result


def test_client_credentials_are_sent_as_rfc_6749_says_and_the_token_is_looked_at(
    authority: Authority, endpoint: Web
) -> None:
    endpoint.pages["POST /token"] = Page(200, granted(OUTLOOK_TOKEN))
    result = fetch(authority, endpoint, {"tenant_id": "t"})
    (asked,) = endpoint.asked
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded" and "authorization" not in asked.headers
    assert asked.form == {
        "grant_type": "client_credentials", "client_id": "c", "client_secret": CLIENT_SECRET, "scope": "https://outlook.office365.com/.default",
    }  # fmt: skip
    token = result["auth"]["token"]
    assert (token["opaque"], token["audience"], token["roles"]) == (
        False,
        ["https://outlook.office365.com"],
        ["SMTP.SendAsApp"],
    )
    claims = json.loads(base64.urlsafe_b64decode(OUTLOOK_TOKEN.split(".")[1] + "=="))
    assert abs(claims["exp"] - time.time() - token["expires_in"]) < 60
    assert (result["category"], result["stage"]) == ("connect_refused", "connect")
    assert [step["name"] for step in result["steps"]] == ["token", "resolve", "connect"]
    assert f"C: POST {endpoint.origin}/token" in result["transcript"]


def test_a_refresh_token_is_redeemed_and_a_new_one_in_its_place_is_said(authority: Authority, endpoint: Web) -> None:
    google = {"client_secret": None, "refresh_token": REFRESH_TOKEN}
    body = {
        "access_token": "ya29.a0-opaque",
        "expires_in": 3599,
        "scope": "https://mail.google.com/",
        "token_type": "Bearer",
    }
    endpoint.pages["POST /token"] = Page(200, json.dumps(body).encode())
    result = fetch(authority, endpoint, google)
    assert endpoint.asked[0].form == {"grant_type": "refresh_token", "client_id": "c", "refresh_token": REFRESH_TOKEN}
    assert result["auth"]["token"] == {
        "opaque": True,
        "audience": [],
        "roles": [],
        "scopes": ["https://mail.google.com/"],
        "expires_in": 3598,
    }
    assert result["category"] == "connect_refused" and result["notices"] == []
    endpoint.pages["POST /token"] = Page(200, json.dumps(dict(body, refresh_token="1//another")).encode())
    result = fetch(authority, endpoint, google)
    assert "gave a new refresh token" in result["notices"][0] and "1//another" not in repr(result)


def assertion_of(form: dict[str, str], name: str) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    signed, _dot, signature = form[name].rpartition(".")
    KEY.public_key().verify(
        base64.urlsafe_b64decode(signature + "=="), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    head, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in signed.split("."))
    return head, claims


def test_a_service_account_signs_for_the_mailbox(authority: Authority, endpoint: Web) -> None:
    endpoint.pages["POST /token"] = Page(200, granted("ya29.c.opaque"))
    given = {
        "client_id": "svc@project.iam.gserviceaccount.com",
        "client_secret": None,
        "jwt_key": pem(KEY),
        "scope": "https://mail.google.com/",
    }
    result = fetch(authority, endpoint, given)
    form = endpoint.asked[0].form
    assert (
        set(form) == {"grant_type", "assertion"} and form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    )
    head, claims = assertion_of(form, "assertion")
    assert head == {"typ": "JWT", "alg": "RS256"}
    assert (claims["iss"], claims["sub"], claims["scope"]) == (
        given["client_id"],
        "noreply@example.com",
        "https://mail.google.com/",
    )
    assert (
        claims["aud"] == endpoint.origin + "/token"
        and abs(claims["iat"] - time.time()) < 60
        and claims["exp"] - claims["iat"] == 600
    )
    shows_no_secret(result, form["assertion"], form["assertion"].rpartition(".")[2])


@pytest.mark.parametrize("digits, name", [("AB" * 20, "x5t"), (":".join(["cd"] * 32), "x5t#S256")])
def test_a_client_proves_itself_by_a_certificates_key_to_microsoft(
    authority: Authority, endpoint: Web, digits: str, name: str
) -> None:
    endpoint.pages["POST /token"] = Page(200, granted(OUTLOOK_TOKEN))
    fetch(authority, endpoint, {"tenant_id": "t", "client_secret": None, "jwt_key": pem(KEY), "jwt_thumbprint": digits})
    form = endpoint.asked[0].form
    assert form["grant_type"] == "client_credentials" and form["client_assertion_type"].endswith(
        ":client-assertion-type:jwt-bearer"
    )
    head, claims = assertion_of(form, "client_assertion")
    assert base64.urlsafe_b64decode(head[name] + "==") == bytes.fromhex(digits.replace(":", ""))
    assert claims["iss"] == claims["sub"] == "c" and len(claims["jti"]) == 32


def test_a_ready_made_assertion_is_passed_on(authority: Authority, endpoint: Web) -> None:
    endpoint.pages["POST /token"] = Page(200, granted("opaque"))
    made = jwt(iss="c")
    result = fetch(authority, endpoint, {"client_secret": None, "client_assertion": made})
    assert endpoint.asked[0].form["client_assertion"] == made and made not in repr(result)


@pytest.mark.parametrize("status, body, words, remedy", REFUSALS)
def test_what_the_endpoint_refuses_is_said_in_words(
    authority: Authority, endpoint: Web, status: str, body: str, words: str, remedy: str
) -> None:
    endpoint.pages["POST /token"] = Page(int(status), body.encode())
    result = fetch(authority, endpoint)
    assert (result["category"], result["stage"], result["reply"]["code"]) == ("token_error", "token", int(status))
    assert words in result["diagnosis"] and "127.0.0.1 gives out no token: " in result["diagnosis"]
    assert remedy in result["remedies"][0]
    assert len(endpoint.asked) == 1


def test_a_secret_that_the_endpoint_says_back_does_not_show_in_any_encoding(
    authority: Authority, endpoint: Web
) -> None:
    for form in forms(CLIENT_SECRET):
        endpoint.pages["POST /token"] = Page(401, refused("invalid_client", "Bad secret " + form + " was sent" * 5))
        assert "Bad secret ********" in fetch(authority, endpoint)["reply"]["text"]
        endpoint.pages["POST /token"] = Page(
            401, refused(form, "x"), {"Content-Type": "text/" + form.encode("ascii", "ignore").decode()}
        )
        fetch(authority, endpoint)


HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>"
ODD: list[tuple[str, Page, str, str]] = [
    (
        "an HTML page",
        Page(200, HTML, {"Content-Type": "text/html"}),
        "token_error",
        "answers text/html instead of a JSON object, with HTTP 200",
    ),
    ("no JSON", Page(200, b"{access_token:1}"), "token_error", "instead of a JSON object"),
    ("deep JSON", Page(200, b"[" * 100000), "token_error", "instead of a JSON object"),
    ("a list", Page(200, b'["access_token"]'), "token_error", "instead of a JSON object"),
    ("bytes", Page(200, b"\xff\xfe{}", {"Content-Type": "x"}), "token_error", "something without a type"),
    ("no token", Page(200, b'{"token_type":"Bearer"}'), "token_error", "holds no access token"),
    ("a number for a token", Page(200, b'{"access_token":7}'), "token_error", "holds no access token"),
    (
        "a line end in the token",
        Page(200, granted("x\r\nX-Injected: 1")),
        "token_error",
        "holds no access token that could be sent on",
    ),
    ("an empty token", Page(200, granted("")), "token_error", "holds no access token"),
    (
        "another kind of token",
        Page(200, granted("a-token-of-another-kind", token_type="mac")),
        "token_error",
        "of a type other than Bearer",
    ),
    ("not found", Page(404, HTML, {"Content-Type": "text/html"}), "token_error", "with HTTP 404"),
    ("too many requests", Page(429, b"{}", {"Retry-After": "17"}), "rate_limited", "limits how often"),
    (
        "too many requests, without a time",
        Page(429, b"", {"Retry-After": "Sat, 21 Nov 2026 07:00:00 GMT"}),
        "rate_limited",
        "limits how often",
    ),
    ("an ill gateway", Page(502, HTML, {"Content-Type": "text/html"}), "server_busy", "does not serve just now"),
    ("compression", Page(200, b"\x1f\x8b", {"Content-Encoding": "gzip"}), "protocol_error", "compresses"),
]


@pytest.mark.parametrize("page, category, words", [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_an_odd_answer_has_a_name(authority: Authority, endpoint: Web, page: Page, category: str, words: str) -> None:
    endpoint.pages["POST /token"] = page
    result = fetch(authority, endpoint)
    assert (result["category"], result["stage"]) == (category, "token") and words in result["diagnosis"]
    assert (
        result["remedies"][0] == "Wait 17 seconds." if page.headers.get("Retry-After") == "17" else result["remedies"]
    )


def test_a_redirect_is_not_followed(authority: Authority, endpoint: Web, pem_path: pathlib.Path) -> None:
    with web(pem_path) as other:
        for status in (301, 302, 303, 307, 308):
            endpoint.pages["POST /token"] = Page(status, b"", {"Location": other.origin + "/token"})
            result = fetch(authority, endpoint)
            assert (
                result["category"] == "token_error"
                and "redirects elsewhere, and no secret is sent there" in result["diagnosis"]
            )
        assert other.asked == [] and len(endpoint.asked) == 5


NOW = time.time()
WRONG: list[tuple[str, str, dict[str, t.Any], str, str]] = [
    ("for Graph", microsoft("SMTP.SendAsApp", "https://graph.microsoft.com"), {}, "token_wrong_scope",
     "the audience https://graph.microsoft.com; needed is the audience https://outlook.office365.com"),
    ("without the role", microsoft("Mail.Send", "https://outlook.office365.com"), {}, "token_wrong_scope",
     "roles Mail.Send; needed is SMTP.SendAsApp or SMTP.Send"),
    ("without any role", jwt(aud="https://outlook.office.com/", exp=NOW + 600), {}, "token_wrong_scope", "no roles and no scopes"),
    ("for reading", jwt(aud="https://outlook.office.com", scp="IMAP.AccessAsUser.All", exp=NOW + 600), {}, "token_wrong_scope", "scopes IMAP.AccessAsUser.All"),
    ("ended", microsoft("SMTP.SendAsApp", "https://outlook.office365.com", exp=1700000000), {}, "token_error", "the token ended at 2023-11-14T22:13:20Z"),
    ("of tomorrow", microsoft("SMTP.SendAsApp", "https://outlook.office365.com", nbf=4000000000), {}, "token_error", "valid from 2096-10-02"),
]  # fmt: skip


@pytest.mark.parametrize("token, given, category, words", [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_token_is_named_before_the_relay_is_asked(
    authority: Authority, endpoint: Web, token: str, given: dict[str, t.Any], category: str, words: str
) -> None:
    endpoint.pages["POST /token"] = Page(200, granted(token))
    for way in ({"tenant_id": "t"}, {"token": token, "tenant_id": "t"}):
        result = fetch(authority, endpoint, dict(given, **way))
        assert (result["category"], result["stage"]) == (category, "token") and words in result["diagnosis"]
        assert result["addresses"] == [] and token not in repr(result)
    assert len(endpoint.asked) == 1


GOOD = [
    jwt(aud="https://outlook.office.com/", scp="openid SMTP.Send", exp=NOW + 600),
    jwt(aud=["00000002-0000-0ff1-ce00-000000000000"], roles=["Mail.Send", "SMTP.SendAsApp"]),
    microsoft("SMTP.SendAsApp", "https://OUTLOOK.office365.com"),
    "EwBwA8l6BAAU-opaque",
    "a.b.c",
    "a.bm8ganNvbg.c",
    jwt(aud="https://outlook.office365.com", roles="SMTP.SendAsApp", exp=True, nbf=[], scp=7),
    jwt(aud="https://outlook.office365.com", roles=["SMTP.SendAsApp", 7, None, "\n"], exp=1e300, nbf=-1),
]


@pytest.mark.parametrize("token", GOOD, ids=map(str, range(len(GOOD))))
def test_a_token_that_may_be_right_goes_on_to_the_relay(authority: Authority, endpoint: Web, token: str) -> None:
    result = fetch(authority, endpoint, {"token": token, "tenant_id": "t"})
    assert (result["category"], result["stage"]) == ("connect_refused", "connect") and token not in repr(result)
    assert endpoint.asked == []


def test_gmail_needs_the_whole_scope(authority: Authority, endpoint: Web) -> None:
    scope = "https://www.googleapis.com/auth/gmail.send"
    endpoint.pages["POST /token"] = Page(200, granted("ya29.opaque", scope=scope))
    result = fetch(authority, endpoint, {"refresh_token": REFRESH_TOKEN}, host="smtp.gmail.com")
    assert (result["category"], result["stage"]) == ("token_wrong_scope", "token")
    assert scope in result["diagnosis"] and result["diagnosis"].endswith("needed is https://mail.google.com/.")


@pytest.mark.parametrize("level", ["connect", "tls"])
def test_a_level_without_a_login_fetches_no_token(authority: Authority, endpoint: Web, level: str) -> None:
    result = fetch(authority, endpoint, level=level)
    assert (result["stage"], result["auth"]["token"], endpoint.asked) == ("connect", {}, [])


TLS = [
    ("expired", {"end": -1, "start": -9}, "cert_expired"),
    ("name", {"name": "login.example.com"}, "cert_hostname"),
    ("self", {"own": True}, "cert_self_signed"),
]


@pytest.mark.parametrize("label, how, category", TLS, ids=[row[0] for row in TLS])
def test_a_bad_certificate_of_the_endpoint_keeps_the_secret_here(
    authority: Authority, label: str, how: dict[str, t.Any], category: str
) -> None:
    with web(authority.issue("token-" + label, **how)) as endpoint:
        result = fetch(authority, endpoint, validate_certs=False)
        assert (result["category"], result["stage"], endpoint.asked) == (category, "token", [])
        assert (
            result["diagnosis"].startswith("127.0.0.1:%d " % endpoint.port)
            and "oauth2.ca_path" in result["remedies"][0]
        )


def test_an_endpoint_that_is_not_there_is_named(authority: Authority, endpoint: Web) -> None:
    port = free_port()
    result = fetch(authority, endpoint, {"token_url": "https://127.0.0.1:%d/token" % port})
    assert (result["category"], result["stage"]) == ("connect_refused", "token")
    assert result["diagnosis"] == "127.0.0.1:%d refuses connections on this port." % port
    assert result["remedies"] == ["Allow this host to reach 127.0.0.1:%d." % port, "Correct oauth2.token_url."]
