"""Descriptions of the fields of single schemas, about single sign-on."""

from __future__ import annotations

from typing import Final

_CODE: Final = "A one-time code or a recovery code, if the account has a second factor."

SCHEMAS_OF_OIDC: Final[dict[str, str]] = {
    "SignOnCode": "The code that a browser has got at the end of a login at a provider.",
    "OwnerProof": "Proof that the caller owns its account.",
    "FirstPassword": "The password of an account that has none.",
    "ProviderLogout": "A provider ends logins.",
}

OIDC: Final[dict[str, dict[str, str]]] = {
    "Providers": {"providers": "The providers, in the order of the settings."},
    "SignOnCode": {"code": "The code of the address to which the browser was sent."},
    "OwnerProof": {
        "password": "The caller's password, if the account has no second factor.",
        "code": _CODE,
    },
    "FirstPassword": {"new_password": "The password.", "code": _CODE},
    "ProviderLogout": {"logout_token": "A logout token that the provider has signed."},
    "Links": {"links": "The linked accounts, in the order of the providers in the settings."},
}
