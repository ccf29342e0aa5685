"""Of the gateway."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow import fields

from chatd.core.ids import MAX_ID
from chatd.wire.fields import (
    Int,
    Schema,
    Text,
    length,
    within,
)


@dataclass(frozen=True, slots=True)
class Identify:
    token: str
    intents: int | None = None
    large_threshold: int = 50
    shard: list[int] | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    token: str
    session_id: str
    seq: int


class IdentifySchema(Schema[Identify]):
    into = Identify
    token = Text(required=True)
    intents = Int(allow_none=True, validate=within(0, 2**53))
    large_threshold = Int(validate=within(50, 250))
    shard = fields.List(Int(validate=within(0, 2**16)), allow_none=True, validate=length(2, 2))


class ResumeSchema(Schema[Resume]):
    into = Resume
    token = Text(required=True)
    session_id = Text(required=True)
    seq = Int(required=True, validate=within(0, MAX_ID))
