"""Descriptions of the fields of single schemas, about the links of mails."""

from __future__ import annotations

from typing import Final

_CAPTCHA: Final = "Has no effect: the server asks for no captcha."
_PUSH: Final = "Has no effect: the server sends no push notifications."
_ORIGIN: Final = "Has no effect: it only says where the client came from."
_TOKEN: Final = "The token in the link of the mail, after `#token=`."  # noqa: S105

SCHEMAS_OF_ACCOUNT_MAIL: Final[dict[str, str]] = {
    "LostPassword": "Whose password is lost.",
    "UsedLink": "The link of a mail.",
    "NewPassword": "The link of a mail, and a new password.",
}

ACCOUNT_MAIL: Final[dict[str, dict[str, str]]] = {
    "LostPassword": {
        "login": "The email address of the account.",
        "captcha_key": _CAPTCHA,
        "captcha_rqtoken": _CAPTCHA,
    },
    "UsedLink": {"token": _TOKEN, "captcha_key": _CAPTCHA, "captcha_rqtoken": _CAPTCHA},
    "NewPassword": {
        "token": _TOKEN,
        "password": "The password: 8 to 128 characters, and not a common one.",
        "source": _ORIGIN,
        "push_voip_provider": _PUSH,
        "push_voip_token": _PUSH,
        "push_provider": _PUSH,
        "push_token": _PUSH,
    },
    "VerifiedAddress": {
        "user_id": "The id of the account.",
        "token": "Always null: the link of a mail alone is no login.",
    },
}
