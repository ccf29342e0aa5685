"""Schemas of lost passwords, and of the links in mails."""

from __future__ import annotations

from dataclasses import dataclass, field

from chatd.core import passwords
from chatd.wire.base_schema import Schema
from chatd.wire.schemas.accounts import require_good_password
from chatd.wire.text_fields import Text
from chatd.wire.unsupported import WithoutEffect
from chatd.wire.validators import length

_NO_CAPTCHA = "the server asks for no captcha"
_NO_PUSH = "the server sends no push notifications"
_PASSWORD = [length(passwords.MIN_LENGTH, passwords.MAX_LENGTH), require_good_password]
_TOKEN = length(1, 256)


@dataclass(frozen=True, slots=True)
class LostPassword:
    login: str
    """The email address of the account."""


@dataclass(frozen=True, slots=True)
class UsedLink:
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewPassword:
    token: str = field(repr=False)
    password: str = field(repr=False)


class LostPasswordSchema(Schema[LostPassword]):
    into = LostPassword
    login = Text(required=True, trimmed=True, validate=length(1, 254))
    captcha_key = WithoutEffect(_NO_CAPTCHA)
    captcha_rqtoken = WithoutEffect(_NO_CAPTCHA)


class UsedLinkSchema(Schema[UsedLink]):
    into = UsedLink
    token = Text(required=True, validate=_TOKEN)
    captcha_key = WithoutEffect(_NO_CAPTCHA)
    captcha_rqtoken = WithoutEffect(_NO_CAPTCHA)


class NewPasswordSchema(Schema[NewPassword]):
    into = NewPassword
    token = Text(required=True, validate=_TOKEN)
    password = Text(required=True, validate=_PASSWORD)
    source = WithoutEffect("it only says where the client came from")
    push_voip_provider = WithoutEffect(_NO_PUSH)
    push_voip_token = WithoutEffect(_NO_PUSH)
    push_provider = WithoutEffect(_NO_PUSH)
    push_token = WithoutEffect(_NO_PUSH)
