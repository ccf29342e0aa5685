"""Schemas of reports."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow import validate

from chatd.core.ids import ChannelId, GuildId, MessageId, UserId
from chatd.core.reports import ReportCategory, ReportKind, ReportOutcome
from chatd.wire.base_schema import NULL_IS_ABSENT, Schema
from chatd.wire.fields import Bool, Snowflake
from chatd.wire.query_fields import Digits, Id
from chatd.wire.text_fields import Text
from chatd.wire.validators import FieldError, length, within

STATES = ("open", "resolved", "all")


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report of a message, a user or a guild, which the ids name."""

    type: str
    category: str
    comment: str = ""
    channel_id: ChannelId | None = None
    message_id: MessageId | None = None
    user_id: UserId | None = None
    guild_id: GuildId | None = None


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A page of reports, the oldest first."""

    state: str = "open"
    after: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class ReportDecision:
    """What an administrator decides about a report."""

    outcome: str
    note: str = ""
    similar: bool = False


def _one_of(values: type[ReportKind] | type[ReportCategory] | type[ReportOutcome]) -> list[str]:
    return [str(each) for each in values]


def _choice(values: list[str]) -> validate.OneOf:
    text = f"Value must be {' or '.join(values)}."
    return validate.OneOf(values, error=FieldError("BASE_TYPE_CHOICES", text))


_COMMENT = length(0, 1000)


class NewReportSchema(Schema[NewReport]):
    into = NewReport
    type = Text(required=True, validate=_choice(_one_of(ReportKind)))
    category = Text(required=True, validate=_choice(_one_of(ReportCategory)))
    comment = Text(validate=_COMMENT, **NULL_IS_ABSENT)
    channel_id = Snowflake(**NULL_IS_ABSENT)
    message_id = Snowflake(**NULL_IS_ABSENT)
    user_id = Snowflake(**NULL_IS_ABSENT)
    guild_id = Snowflake(**NULL_IS_ABSENT)


class ReportPageSchema(Schema[ReportPage]):
    into = ReportPage
    state = Text(validate=_choice([*STATES]))
    after = Id()
    limit = Digits(validate=within(1, 100))


class ReportDecisionSchema(Schema[ReportDecision]):
    into = ReportDecision
    outcome = Text(required=True, validate=_choice(_one_of(ReportOutcome)))
    note = Text(validate=_COMMENT, **NULL_IS_ABSENT)
    similar = Bool(**NULL_IS_ABSENT)
