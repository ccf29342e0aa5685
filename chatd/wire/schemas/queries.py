"""Of the queries of URLs: pages and their cursors, and flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import marshmallow as ma
from marshmallow import ValidationError

from chatd.core.ids import MAX_ID, RoleId
from chatd.wire.fields import Moment, Problem, Schema, Text, length, within
from chatd.wire.query_fields import Digits, Flag, Id, Ids

NEWEST = MAX_ID
"""Above every id there will be."""


@dataclass(frozen=True, slots=True)
class MessagePage:
    """A page of messages, from the newest or around one cursor."""

    limit: int = 50
    before: int | None = None
    after: int | None = None
    around: int | None = None


@dataclass(frozen=True, slots=True)
class PinPage:
    limit: int = 50
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReactionPage:
    limit: int = 25
    after: int = 0


@dataclass(frozen=True, slots=True)
class MemberPage:
    limit: int = 1
    after: int = 0


@dataclass(frozen=True, slots=True)
class MemberSearch:
    query: str
    limit: int = 1


@dataclass(frozen=True, slots=True)
class GuildPage:
    limit: int = 200
    before: int = NEWEST
    after: int = 0
    with_counts: bool = False


@dataclass(frozen=True, slots=True)
class BanPage:
    limit: int = 1000
    before: int | None = None
    after: int = 0


@dataclass(frozen=True, slots=True)
class AuditPage:
    limit: int = 50
    user_id: int | None = None
    action_type: int = 0  # 0 is every action
    before: int = NEWEST
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    with_counts: bool = False


class MessagePageSchema(Schema[MessagePage]):
    into = MessagePage
    limit = Digits(validate=within(1, 100))
    before = Id()
    after = Id()
    around = Id()

    @ma.validates_schema
    def _one_cursor(self, data: dict[str, object], **_: object) -> None:
        if len(data.keys() & {"before", "after", "around"}) > 1:
            text = "Only one of before, after and around can be given."
            raise ValidationError(Problem("BASE_TYPE_CHOICES", text), "before")


class PinPageSchema(Schema[PinPage]):
    into = PinPage
    limit = Digits(validate=within(1, 50))
    before = Moment()


class ReactionPageSchema(Schema[ReactionPage]):
    into = ReactionPage
    limit = Digits(validate=within(1, 100))
    after = Id()


class MemberPageSchema(Schema[MemberPage]):
    into = MemberPage
    limit = Digits(validate=within(1, 1000))
    after = Id()


class MemberSearchSchema(Schema[MemberSearch]):
    into = MemberSearch
    query = Text(required=True, validate=length(1, 100))
    limit = Digits(validate=within(1, 1000))


class GuildPageSchema(Schema[GuildPage]):
    into = GuildPage
    limit = Digits(validate=within(1, 200))
    before = Id()
    after = Id()
    with_counts = Flag()


class BanPageSchema(Schema[BanPage]):
    into = BanPage
    limit = Digits(validate=within(1, 1000))
    before = Id()
    after = Id()


class AuditPageSchema(Schema[AuditPage]):
    into = AuditPage
    limit = Digits(validate=within(1, 100))
    user_id = Id()
    action_type = Digits(validate=within(0, 1000))
    before = Id()
    after = Id()


class CountsSchema(Schema[Counts]):
    into = Counts
    with_counts = Flag()


@dataclass(frozen=True, slots=True)
class Signature:
    """Of a link to a file: when it expires, when it was made, and what proves both."""

    expires: str = ""
    made: str = ""
    signature: str = ""


class SignatureSchema(Schema[Signature]):
    into = Signature
    expires = Text(data_key="ex")
    made = Text(data_key="is")
    signature = Text(data_key="hm")


@dataclass(frozen=True, slots=True)
class PruneCount:
    days: int = 7
    include_roles: Sequence[RoleId] = ()


class PruneCountSchema(Schema[PruneCount]):
    into = PruneCount
    days = Digits(validate=within(1, 30))
    include_roles = Ids(validate=length(0, 250))
