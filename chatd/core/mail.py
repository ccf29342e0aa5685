"""Mails: their kinds, what their links are for, and email addresses."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import Final

LANGUAGES: Final = ("en", "de")
"""The languages of mails, which are those of the web client; the first one is the default."""


class MailKind(StrEnum):
    """The kinds of mails. Each is a set of texts in `chatd/mail/texts`."""

    VERIFY = "verify"
    """Verify the address of an account."""
    NEW_ADDRESS = "new_address"
    """Verify an address that an account changes to."""
    RESET = "reset"
    """Choose a new password."""
    LOGIN = "login"
    """Notice of a new login."""
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    """Notice of a new password, with a link that undoes it."""
    ADDRESS_CHANGED = "address_changed"
    """Notice of a new address, to the former one, with a link that undoes it."""
    PROVIDER_LINKED = "provider_linked"
    """Notice of a new way to log in, at a provider, with a link that undoes it."""
    APPROVED = "approved"
    """Notice that an account which waited can log in."""
    UNDONE = "undone"
    """Notice that a change was undone."""


class TokenPurpose(StrEnum):
    """What the link of a mail is for. A link for another purpose is refused."""

    VERIFY = "verify"
    RESET = "reset"
    UNDO = "undo"


LIFETIMES_S: Final = {
    TokenPurpose.VERIFY: 24 * 3600,
    TokenPurpose.RESET: 3600,
    TokenPurpose.UNDO: 7 * 24 * 3600,
}
"""Seconds in which a link can be used. A link to verify or reset counts them from the time when its
mail is sent; one that undoes a change, from the change."""


def language_of(locale: str) -> str:
    """Return the language of mails for a locale of Discord, such as `en-GB`."""
    language = locale.partition("-")[0]
    return language if language in LANGUAGES else LANGUAGES[0]


def email_key(address: str) -> str:
    """Return the canonical form of an address, equal for all its spellings."""
    return unicodedata.normalize("NFKC", address).strip().casefold()
