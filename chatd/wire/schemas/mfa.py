"""Schemas of second factors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError, post_load, validate

from chatd.wire.base_schema import NULL_IS_ABSENT, Schema
from chatd.wire.fields import Bool, Int
from chatd.wire.text_fields import Name, Text
from chatd.wire.unsupported import WithoutEffect
from chatd.wire.validators import ERRORS, FieldError, at_most, choice, length

MFA_TYPES = ("totp", "backup", "webauthn", "password")


@dataclass(frozen=True, slots=True)
class MfaLogin:
    ticket: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MfaProof:
    ticket: str = field(repr=False)
    mfa_type: str
    data: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewTotp:
    password: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MfaCode:
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RecoveryCodesRequest:
    password: str = field(repr=False)
    regenerate: bool = False
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """Without a ticket it requests one; with a ticket it is the answer of the browser."""

    password: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    ticket: str | None = field(default=None, repr=False)
    credential: str | None = field(default=None, repr=False)
    name: str = "Passkey"


@dataclass(frozen=True, slots=True)
class PasskeyChange:
    name: str


@dataclass(frozen=True, slots=True)
class MfaLevel:
    level: int


MAX_ANSWER = 6000
"""Characters of what a browser answers, as JSON: a key, a signature and data of the browser."""

_TICKET = length(1, 256)
CODE = length(1, 64)
_ANSWER = length(1, MAX_ANSWER)
_PASSWORD = length(1, 128)
_ORIGIN = "it only says where the client came from"


class _MfaLoginSchema(Schema[MfaLogin]):
    ticket = Text(required=True, validate=_TICKET)
    login_instance_id = WithoutEffect("the ticket identifies the login")
    login_source = WithoutEffect(_ORIGIN)
    gift_code_sku_id = WithoutEffect(_ORIGIN)


class MfaCodeLoginSchema(_MfaLoginSchema):
    into = MfaLogin
    code = Text(required=True, validate=CODE)


class MfaPasskeyLoginSchema(_MfaLoginSchema):
    into = MfaLogin
    code = Text(required=True, validate=_ANSWER)


class MfaProofSchema(Schema[MfaProof]):
    into = MfaProof
    ticket = Text(required=True, validate=_TICKET)
    mfa_type = Text(
        required=True,
        validate=validate.OneOf(
            MFA_TYPES, error=FieldError("BASE_TYPE_CHOICES", f"Must be one of {MFA_TYPES}.")
        ),
    )
    data = Text(required=True, validate=_ANSWER)


class NewTotpSchema(Schema[NewTotp]):
    into = NewTotp
    password = Text(required=True, validate=_PASSWORD)
    secret = Text(validate=at_most(256), **NULL_IS_ABSENT)
    code = Text(validate=at_most(64), **NULL_IS_ABSENT)


class MfaCodeSchema(Schema[MfaCode]):
    into = MfaCode
    code = Text(validate=CODE, **NULL_IS_ABSENT)


class RecoveryCodesRequestSchema(Schema[RecoveryCodesRequest]):
    into = RecoveryCodesRequest
    password = Text(required=True, validate=_PASSWORD)
    regenerate = Bool()
    code = Text(validate=CODE, **NULL_IS_ABSENT)
    nonce = WithoutEffect("the server asks for the second factor instead")


class NewPasskeySchema(Schema[NewPasskey]):
    into = NewPasskey
    password = Text(validate=_PASSWORD, **NULL_IS_ABSENT)
    code = Text(validate=CODE, **NULL_IS_ABSENT)
    ticket = Text(validate=_TICKET, **NULL_IS_ABSENT)
    credential = Text(validate=_ANSWER, **NULL_IS_ABSENT)
    name = Name(validate=length(1, 32))

    @post_load
    def _into(self, data: dict[str, Any], **_: Any) -> NewPasskey:
        if ("ticket" in data) != ("credential" in data):
            missing = "credential" if "ticket" in data else "ticket"
            raise ValidationError({missing: [ERRORS["required"]]})
        return NewPasskey(**data)


class PasskeyChangeSchema(Schema[PasskeyChange]):
    into = PasskeyChange
    name = Name(required=True, validate=length(1, 32))


class MfaLevelSchema(Schema[MfaLevel]):
    into = MfaLevel
    level = Int(required=True, validate=choice(0, 1))
