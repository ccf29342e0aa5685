"""Schemas of the administration of the server."""

from __future__ import annotations

from dataclasses import dataclass, field

from marshmallow import validate

from chatd.core import passwords
from chatd.core.unset import UNSET, Maybe
from chatd.wire.base_schema import Schema
from chatd.wire.fields import Bool
from chatd.wire.query_fields import Digits, Id
from chatd.wire.schemas.accounts import require_good_password
from chatd.wire.text_fields import Text
from chatd.wire.validators import FieldError, at_most, length, within

KINDS = ("all", "administrators", "disabled", "bots", "deleted")
"""The kinds of accounts that a page can be limited to."""


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A page of accounts: those with a text in their name or address, of one kind."""

    query: str = ""
    kind: str = "all"
    after: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class AdministeredGuildPage:
    """A page of guilds: those with a text in their name."""

    query: str = ""
    after: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class RegistrationPage:
    """A page of accounts that wait for approval."""

    after: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class AccountChange:
    """Changes of an account by an administrator."""

    disabled: Maybe[bool] = UNSET
    password: Maybe[str] = field(default=UNSET, repr=False)


@dataclass(frozen=True, slots=True)
class AccountDeletion:
    """What is deleted with an account. Without it, an account that owns any is not deleted."""

    delete_guilds: bool = False
    delete_applications: bool = False


_QUERY = at_most(100)
_KIND = validate.OneOf(
    KINDS, error=FieldError("BASE_TYPE_CHOICES", f"Value must be {' or '.join(KINDS)}.")
)


class AccountPageSchema(Schema[AccountPage]):
    into = AccountPage
    query = Text(validate=_QUERY)
    kind = Text(validate=_KIND)
    after = Id()
    limit = Digits(validate=within(1, 100))


class AdministeredGuildPageSchema(Schema[AdministeredGuildPage]):
    into = AdministeredGuildPage
    query = Text(validate=_QUERY)
    after = Id()
    limit = Digits(validate=within(1, 100))


class RegistrationPageSchema(Schema[RegistrationPage]):
    into = RegistrationPage
    after = Id()
    limit = Digits(validate=within(1, 100))


class AccountChangeSchema(Schema[AccountChange]):
    into = AccountChange
    disabled = Bool()
    password = Text(
        validate=[length(passwords.MIN_LENGTH, passwords.MAX_LENGTH), require_good_password]
    )


class AccountDeletionSchema(Schema[AccountDeletion]):
    into = AccountDeletion
    delete_guilds = Bool()
    delete_applications = Bool()
