"""Schemas of accounts and logins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError, post_load, validate

from chatd.core import passwords
from chatd.core.unset import UNSET, Maybe
from chatd.wire.base_schema import NULL_IS_ABSENT, Schema
from chatd.wire.fields import MAX_DATA_URI, Int, List
from chatd.wire.text_fields import Name, Text, Username
from chatd.wire.unsupported import Unsupported, WithoutEffect
from chatd.wire.validators import ERRORS, FieldError, at_most, length, within


@dataclass(frozen=True, slots=True)
class NewAccount:
    username: str
    email: str
    password: str = field(repr=False)
    invitation: str | None = field(default=None, repr=False)
    """A registration code, where registration needs one."""
    invite: str | None = field(default=None, repr=False)
    """The code of an invite to a guild that the new account joins."""
    global_name: str | None = None


@dataclass(frozen=True, slots=True)
class NewInvitation:
    max_uses: int = 1  # 0 means unlimited
    max_age: int = 604_800  # seconds; 0 means unlimited


@dataclass(frozen=True, slots=True)
class LoginInput:
    """`email` is the field `login` of Discord's clients, too."""

    email: str
    password: str = field(repr=False)


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
    """The password of the caller, as confirmation, and a code of its second factor."""

    password: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ProfileChange:
    username: Maybe[str] = UNSET
    global_name: Maybe[str | None] = UNSET
    avatar: Maybe[str | None] = UNSET  # a data URI
    bio: Maybe[str | None] = UNSET
    email: Maybe[str] = UNSET
    new_password: Maybe[str] = UNSET
    password: str | None = field(default=None, repr=False)
    """The current password, which a new email address or password requires."""
    code: str | None = field(default=None, repr=False)
    """A code of the second factor. It is not required, but a wrong one is refused."""


@dataclass(frozen=True, slots=True)
class BioChange:
    """What the profile of a user has beside its account."""

    bio: Maybe[str | None] = UNSET


def require_good_password(text: str) -> None:
    """Raise ValidationError unless the password meets the rules for passwords."""
    try:
        passwords.require_good(text)
    except passwords.BadPassword as refused:
        raise ValidationError(FieldError(refused.code, str(refused))) from None


MAX_BIO = 190
"""Characters of a text about a user. Rule: Discord's limit."""

_EMAIL = validate.Email(
    error=FieldError("EMAIL_TYPE_INVALID_EMAIL", "Not a well formed email address.")
)
_ADDRESS = [length(3, 254), _EMAIL]


def is_address(text: str) -> bool:
    """Return whether a text can be the address of an account."""
    try:
        for each in _ADDRESS:
            each(text)
    except ValidationError:
        return False
    return True


_PASSWORD = [length(passwords.MIN_LENGTH, passwords.MAX_LENGTH), require_good_password]
NEW_PASSWORD = _PASSWORD
"""Validators of a password that a person chooses."""

_TOKEN = length(1, 512)
_NO_PUSH = "the server sends no push notifications"


@dataclass(frozen=True, slots=True)
class NewNote:
    note: str | None = None


class NewNoteSchema(Schema[NewNote]):
    into = NewNote
    note = Text(allow_none=True, validate=at_most(256))


class BioChangeSchema(Schema[BioChange]):
    into = BioChange
    bio = Text(allow_none=True, validate=length(0, MAX_BIO))
    accent_color = Unsupported("accent colors")
    banner = Unsupported("banners")
    pronouns = Unsupported("pronouns")
    theme_colors = Unsupported("theme colors")
    popout_animation_particle_type = Unsupported("profile effects")
    profile_effect_id = Unsupported("profile effects")
    emoji_id = Unsupported("custom emojis")


class NewAccountSchema(Schema[NewAccount]):
    into = NewAccount
    username = Username(required=True)
    email = Text(required=True, trimmed=True, validate=_ADDRESS)
    password = Text(required=True, validate=_PASSWORD)
    invitation = Text(allow_none=True, validate=length(1, 64))
    invite = Text(allow_none=True, validate=length(1, 64))
    global_name = Name(allow_none=True, validate=length(1, 32))
    phone_token = Unsupported("phone numbers")
    date_of_birth = WithoutEffect("the server does not ask for it")
    consent = WithoutEffect("the server has no terms of its own")
    promotional_email_opt_in = WithoutEffect("the server sends no promotions")
    guild_template_code = WithoutEffect("it only says where the client came from")
    gift_code_sku_id = WithoutEffect("it only says where the client came from")
    fingerprint = WithoutEffect("the server has no experiments")
    captcha_key = WithoutEffect("the server asks for no captcha")
    captcha_rqtoken = WithoutEffect("the server asks for no captcha")


class NewInvitationSchema(Schema[NewInvitation]):
    into = NewInvitation
    max_uses = Int(validate=within(0, 10_000))
    max_age = Int(validate=within(0, 31_536_000))


class LoginInputSchema(Schema[LoginInput]):
    into = LoginInput
    email = Text(trimmed=True, validate=length(1, 254))
    login = Text(trimmed=True, validate=length(1, 254))
    password = Text(required=True, validate=length(1, 128))
    undelete = WithoutEffect("a deleted account is gone, and only its operator enables an account")
    login_source = WithoutEffect("it only says where the client came from")
    gift_code_sku_id = WithoutEffect("it only says where the client came from")
    captcha_key = WithoutEffect("the server asks for no captcha")
    captcha_rqtoken = WithoutEffect("the server asks for no captcha")

    @post_load
    def _into(self, data: dict[str, Any], **_: Any) -> LoginInput:
        address = data.get("login") or data.get("email")
        if address is None:
            raise ValidationError({"login": [ERRORS["required"]]})
        return LoginInput(address, data["password"])


class RefreshTokenSchema(Schema[RefreshToken]):
    into = RefreshToken
    refresh_token = Text(required=True, validate=_TOKEN)


class LogoutSchema(Schema[Logout]):
    into = Logout
    refresh_token = Text(allow_none=True, validate=_TOKEN)
    provider = WithoutEffect(_NO_PUSH)
    token = WithoutEffect(_NO_PUSH)
    voip_provider = WithoutEffect(_NO_PUSH)
    voip_token = WithoutEffect(_NO_PUSH)


class EndedLoginsSchema(Schema[EndedLogins]):
    into = EndedLogins
    session_id_hashes = List(
        Text(validate=length(1, 128)),
        required=True,
        validate=length(1, 200),
    )
    password = Text(allow_none=True, validate=at_most(128))


class ConfirmationSchema(Schema[Confirmation]):
    into = Confirmation
    password = Text(allow_none=True, validate=at_most(128))
    code = Text(validate=length(1, 64), **NULL_IS_ABSENT)


class ProfileChangeSchema(Schema[ProfileChange]):
    into = ProfileChange
    username = Username()
    global_name = Name(allow_none=True, validate=length(1, 32))
    avatar = Text(allow_none=True, validate=at_most(MAX_DATA_URI))
    bio = Text(allow_none=True, validate=length(0, MAX_BIO))
    banner = Unsupported("banners")
    email = Text(trimmed=True, validate=_ADDRESS)
    new_password = Text(validate=_PASSWORD)
    password = Text(allow_none=True, validate=at_most(128))
    code = Text(validate=at_most(64), **NULL_IS_ABSENT)
