"""Schemas of webhooks. Rule: Discord docs, Webhook resource."""

from __future__ import annotations

from dataclasses import dataclass

from chatd.core.ids import ChannelId
from chatd.core.records import record
from chatd.core.unset import UNSET, Maybe
from chatd.wire.base_schema import Schema
from chatd.wire.fields import MAX_DATA_URI, Snowflake
from chatd.wire.query_fields import Flag
from chatd.wire.schemas.embeds import URL
from chatd.wire.schemas.interactions import InteractionMessageSchema
from chatd.wire.schemas.messages import NewMessage
from chatd.wire.text_fields import Text, WebhookName
from chatd.wire.unsupported import Unsupported, UnsupportedParameter
from chatd.wire.validators import at_most


@dataclass(frozen=True, slots=True)
class NewWebhook:
    name: str
    avatar: Maybe[str | None] = UNSET  # a data URI


@dataclass(frozen=True, slots=True)
class WebhookTokenChange:
    """What can be changed by the token alone."""

    name: Maybe[str] = UNSET
    avatar: Maybe[str | None] = UNSET  # a data URI


@dataclass(frozen=True, slots=True)
class WebhookChange(WebhookTokenChange):
    channel_id: ChannelId | None = None


class NewWebhookSchema(Schema[NewWebhook]):
    into = NewWebhook
    name = WebhookName(required=True)
    avatar = Text(allow_none=True, validate=at_most(MAX_DATA_URI))


class WebhookTokenChangeSchema(Schema[WebhookTokenChange]):
    into = WebhookTokenChange
    name = WebhookName()
    avatar = Text(allow_none=True, validate=at_most(MAX_DATA_URI))


class WebhookChangeSchema(Schema[WebhookChange]):
    into = WebhookChange
    name = WebhookName()
    avatar = Text(allow_none=True, validate=at_most(MAX_DATA_URI))
    channel_id = Snowflake(allow_none=True)


@dataclass(frozen=True, slots=True)
class NewFollower:
    webhook_channel_id: ChannelId


class NewFollowerSchema(Schema[NewFollower]):
    into = NewFollower
    webhook_channel_id = Snowflake(required=True)


@dataclass(frozen=True, slots=True)
class ServiceQuery:
    """The query of messages in the format of another service, which are always waited for."""

    wait: bool = True


class ServiceQuerySchema(Schema[ServiceQuery]):
    into = ServiceQuery
    wait = Flag()
    thread_id = UnsupportedParameter("threads")


@record(frozen=True, slots=True)
class NewWebhookMessage(NewMessage):
    """A message of a webhook, which can show another name and picture than the webhook has."""

    username: str | None = None
    avatar_url: str | None = None


class NewWebhookMessageSchema(InteractionMessageSchema):
    into = NewWebhookMessage

    username = WebhookName(allow_none=True)
    avatar_url = Text(allow_none=True, validate=URL, metadata={"format": "uri"})
    thread_name = Unsupported("threads")
    applied_tags = Unsupported("forums")
