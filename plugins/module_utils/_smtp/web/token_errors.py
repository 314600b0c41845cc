# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the refusals of token endpoints mean: Microsoft's AADSTS numbers first, then the words of RFC 6749 5.2.

Source of the numbers: Microsoft identity platform, "Microsoft Entra authentication and authorization error codes".
"""

from __future__ import annotations

import re
import typing as t

from ..._shared.light import NamedTuple


class TokenError(NamedTuple):
    """``sentence`` follows "<host> gives out no token: "."""

    sentence: str
    remedies: t.Tuple[str, ...]


_NEW_SECRET = (
    "In Microsoft Entra, add a new client secret to the application and declare its value in oauth2.client_secret."
)
_TENANT = "Correct oauth2.tenant_id: the Directory (tenant) ID of the application's overview in Microsoft Entra."
_CLIENT = "Correct oauth2.client_id: the Application (client) ID of its overview in Microsoft Entra."
_SIGN_IN_AGAIN = "Sign in again by hand, and declare the new refresh token."
_CLOCK = "Check this host's clock."
_CERTIFICATE = (
    "Upload the certificate of oauth2.jwt_key to the application, and give its thumbprint in oauth2.jwt_thumbprint."
)

AADSTS = {
    "7000215": TokenError(
        "the client secret is wrong",
        ("Declare the secret's value, which Microsoft shows once, not its Secret ID.", _NEW_SECRET),
    ),
    "7000222": TokenError("the client secret has expired", (_NEW_SECRET,)),
    "700016": TokenError(
        "the tenant knows no such application", (_CLIENT, _TENANT, "Have an administrator of the tenant consent to it.")
    ),
    "90002": TokenError(
        "there is no such tenant", (_TENANT, "For a sovereign cloud, set oauth2.token_url to its token endpoint.")
    ),
    "50034": TokenError(
        "the tenant knows no such account", ("Correct the account, or the tenant in which it is.", _TENANT)
    ),
    "50126": TokenError(
        "the user name or the password is wrong", ("Correct them; better, use a client secret, which needs neither.",)
    ),
    "53003": TokenError(
        "Conditional Access blocks this sign-in",
        (
            "Exclude the application from that policy, or allow the address of this host in it.",
            "See the sign-in log in Microsoft Entra.",
        ),
    ),
    "65001": TokenError(
        "nobody has consented to what the application asks for",
        ("Grant admin consent in Microsoft Entra, API permissions.",),
    ),
    "700027": TokenError(
        "the signature of the assertion does not fit any certificate of the application", (_CERTIFICATE,)
    ),
    "700024": TokenError("the assertion is out of its time", (_CLOCK, "Sign a new oauth2.client_assertion.")),
    "7000112": TokenError(
        "the application is switched off", ("Switch it on in Microsoft Entra, Enterprise applications, Properties.",)
    ),
    "500011": TokenError(
        "the tenant does not have the service that the scope names", ("Correct oauth2.scope.", _TENANT)
    ),
    "1002012": TokenError(
        "this scope cannot be asked for by an application",
        ("Ask for a scope that ends in /.default, or leave oauth2.scope out.",),
    ),
    "700082": TokenError("the refresh token has expired, because it was not used for too long", (_SIGN_IN_AGAIN,)),
    "50173": TokenError("the refresh token was revoked, as by a new password", (_SIGN_IN_AGAIN,)),
}

# RFC 6749 5.2, with what Google says under the same words.
WORDS = {
    "invalid_client": TokenError(
        "the client id or its secret is wrong", ("Correct oauth2.client_id and oauth2.client_secret.",)
    ),
    "invalid_grant": TokenError(
        "the refresh token or the assertion is not valid, or no more",
        (_SIGN_IN_AGAIN, "Correct oauth2.jwt_key and the account.", _CLOCK),
    ),
    "unauthorized_client": TokenError(
        "this client may not fetch tokens in this way",
        (
            "At Google, allow the service account's client id the scope https://mail.google.com/ under domain-wide delegation.",
            "Use another oauth2.grant, or allow this one at the provider.",
        ),
    ),
    "unsupported_grant_type": TokenError(
        "it does not know this grant", ("Use another oauth2.grant.", "Correct oauth2.token_url.")
    ),
    "invalid_scope": TokenError("it does not know this scope", ("Correct oauth2.scope, or leave it out.",)),
    "access_denied": TokenError("it denies this account or client", ("Ask the administrator of the provider.",)),
    "invalid_request": TokenError(
        "it does not understand the request", ("Correct oauth2.token_url, oauth2.grant and oauth2.scope.",)
    ),
}
OTHERWISE = TokenError("it says why in its own words", ("Read what it said.", "Correct oauth2.token_url."))

_NUMBER = r"AADSTS(\d+)"


def meaning(error: str, description: str) -> TokenError:
    """What the fields ``error`` and ``error_description`` mean."""
    for number in re.findall(_NUMBER, description):
        if number in AADSTS:
            return AADSTS[number]
    return WORDS.get(error, OTHERWISE)
