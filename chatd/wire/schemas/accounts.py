"""Of accounts and logins."""

from __future__ import annotations

from dataclasses import dataclass, field

from marshmallow import ValidationError, fields, validate

from chatd.core import names
from chatd.wire.fields import (
    ERRORS,
    UNSET,
    Int,
    Maybe,
    Problem,
    Schema,
    Text,
    length,
    within,
)


@dataclass(frozen=True, slots=True)
class NewAccount:
    username: str
    email: str
    password: str = field(repr=False)
    invitation: str | None = field(default=None, repr=False)
    """A code to register with, where that needs one."""


@dataclass(frozen=True, slots=True)
class NewInvitation:
    max_uses: int = 1  # 0 is without end
    max_age: int = 604_800  # seconds; 0 is for ever


@dataclass(frozen=True, slots=True)
class Credentials:
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class RefreshToken:
    refresh_token: str


@dataclass(frozen=True, slots=True)
class Logout:
    refresh_token: str | None = None


@dataclass(frozen=True, slots=True)
class EndedLogins:
    session_id_hashes: list[str]
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """That the caller means it: its password."""

    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ProfileChange:
    username: Maybe[str] = UNSET
    global_name: Maybe[str | None] = UNSET
    avatar: Maybe[str | None] = UNSET  # a data URI
    bio: Maybe[str | None] = UNSET
    email: Maybe[str] = UNSET
    new_password: Maybe[str] = UNSET
    password: str | None = field(default=None, repr=False)
    """The one that is still in force: a new address or password needs it."""


def require_username(text: str) -> None:
    """Raises ValidationError unless somebody can be called so."""
    try:
        names.username(text)
    except ValueError as refused:
        raise ValidationError(Problem("USERNAME_INVALID", str(refused))) from None


_EMAIL = validate.Email(
    error=Problem("EMAIL_TYPE_INVALID_EMAIL", "Not a well formed email address.")
)
_ADDRESS = [length(3, 254), _EMAIL]
_PASSWORD = length(8, 128)  # the upper bound keeps hashing bounded (OWASP, "Password Storage")
_TOKEN = length(1, 512)


class NewAccountSchema(Schema[NewAccount]):
    into = NewAccount
    username = Text(required=True, validate=[validate.Length(max=256), require_username])
    email = Text(required=True, trimmed=True, validate=_ADDRESS)
    password = Text(required=True, validate=_PASSWORD)
    invitation = Text(allow_none=True, validate=length(1, 64))


class NewInvitationSchema(Schema[NewInvitation]):
    into = NewInvitation
    max_uses = Int(validate=within(0, 10_000))
    max_age = Int(validate=within(0, 31_536_000))


class CredentialsSchema(Schema[Credentials]):
    into = Credentials
    email = Text(required=True, trimmed=True, validate=length(1, 254))
    password = Text(required=True, validate=length(1, 128))


class RefreshTokenSchema(Schema[RefreshToken]):
    into = RefreshToken
    refresh_token = Text(required=True, validate=_TOKEN)


class LogoutSchema(Schema[Logout]):
    into = Logout
    refresh_token = Text(allow_none=True, validate=_TOKEN)


class EndedLoginsSchema(Schema[EndedLogins]):
    into = EndedLogins
    session_id_hashes = fields.List(
        Text(validate=length(1, 128)),
        required=True,
        validate=length(1, 200),
        error_messages=ERRORS,
    )
    password = Text(allow_none=True, validate=validate.Length(max=128))


class ConfirmationSchema(Schema[Confirmation]):
    into = Confirmation
    password = Text(allow_none=True, validate=validate.Length(max=128))


class ProfileChangeSchema(Schema[ProfileChange]):
    into = ProfileChange
    username = Text(validate=[validate.Length(max=256), require_username])
    global_name = Text(allow_none=True, trimmed=True, validate=length(1, 32))
    avatar = Text(allow_none=True)
    bio = Text(allow_none=True, validate=length(0, 190))
    email = Text(trimmed=True, validate=_ADDRESS)
    new_password = Text(validate=_PASSWORD)
    password = Text(allow_none=True, validate=validate.Length(max=128))
