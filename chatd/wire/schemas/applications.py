"""Of applications."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow import ValidationError, validate

from chatd.core.models import ApplicationFlags
from chatd.wire.fields import NULL_IS_ABSENT, UNSET, Bool, Int, Maybe, Problem, Schema, Text, length
from chatd.wire.schemas.accounts import require_username


@dataclass(frozen=True, slots=True)
class NewApplication:
    name: str
    description: str = ""
    bot_public: bool = True


@dataclass(frozen=True, slots=True)
class ApplicationChange:
    name: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    bot_public: Maybe[bool] = UNSET
    flags: Maybe[int] = UNSET


def _known_flags(bits: int) -> None:
    if bits & ~int(ApplicationFlags.PRIVILEGED):
        raise ValidationError(
            Problem("BASE_TYPE_CHOICES", "Only the flags of privileged intents can be changed.")
        )


_DESCRIPTION = length(0, 400)


class NewApplicationSchema(Schema[NewApplication]):
    into = NewApplication
    name = Text(required=True, validate=[validate.Length(max=256), require_username])
    description = Text(validate=_DESCRIPTION, **NULL_IS_ABSENT)
    bot_public = Bool(**NULL_IS_ABSENT)


class ApplicationChangeSchema(Schema[ApplicationChange]):
    into = ApplicationChange
    name = Text(trimmed=True, validate=length(2, 32))
    description = Text(validate=_DESCRIPTION, **NULL_IS_ABSENT)
    bot_public = Bool(**NULL_IS_ABSENT)
    flags = Int(validate=_known_flags, **NULL_IS_ABSENT)
