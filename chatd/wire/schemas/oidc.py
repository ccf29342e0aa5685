"""Schemas of single sign-on."""

from __future__ import annotations

from dataclasses import dataclass, field

from chatd.wire.base_schema import NULL_IS_ABSENT, Schema
from chatd.wire.schemas.accounts import NEW_PASSWORD
from chatd.wire.text_fields import Text
from chatd.wire.validators import at_most, length

_SECRET = length(1, 128)
_MAX_LOGOUT_TOKEN = 6000  # characters; one has about 1,000


@dataclass(frozen=True, slots=True)
class Callback:
    """What a provider gives to the browser: a code, or an error."""

    state: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    iss: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SignOnCode:
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OwnerProof:
    """Proof that the caller owns its account."""

    password: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FirstPassword:
    new_password: str = field(repr=False)
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ProviderLogout:
    logout_token: str = field(repr=False)


class CallbackSchema(Schema[Callback]):
    into = Callback
    state = Text(validate=at_most(128))
    code = Text(validate=at_most(4096))
    iss = Text(validate=at_most(255))
    error = Text(validate=at_most(255))


class SignOnCodeSchema(Schema[SignOnCode]):
    into = SignOnCode
    code = Text(required=True, validate=_SECRET)


class OwnerProofSchema(Schema[OwnerProof]):
    into = OwnerProof
    password = Text(validate=length(1, 128), **NULL_IS_ABSENT)
    code = Text(validate=length(1, 64), **NULL_IS_ABSENT)


class FirstPasswordSchema(Schema[FirstPassword]):
    into = FirstPassword
    new_password = Text(required=True, validate=NEW_PASSWORD)
    code = Text(validate=length(1, 64), **NULL_IS_ABSENT)


class ProviderLogoutSchema(Schema[ProviderLogout]):
    into = ProviderLogout
    logout_token = Text(required=True, validate=length(1, _MAX_LOGOUT_TOKEN))
