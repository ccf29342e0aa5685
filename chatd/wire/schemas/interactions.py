"""Schemas of interactions: what user clients send, and how applications respond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import marshmallow as ma
from marshmallow import ValidationError

from chatd.core.commands import MAX_CHOICE_NAME, MAX_CHOICES, MAX_INTEGER
from chatd.core.field_errors import NOT_SUPPORTED
from chatd.core.ids import ChannelId, GuildId, MessageId, UserId
from chatd.core.interactions import EPHEMERAL, CallbackType, InteractionType
from chatd.core.json import JsonObject
from chatd.wire.base_schema import NULL_IS_ABSENT, MappingSchema, Schema
from chatd.wire.command_fields import TranslatedText
from chatd.wire.fields import (
    Int,
    JsonObjectField,
    List,
    Nested,
    Nonce,
    Snowflake,
    Value,
    whole,
)
from chatd.wire.interaction_data import INTERACTION_DATA
from chatd.wire.query_fields import Flag
from chatd.wire.schemas.components import modal_components
from chatd.wire.schemas.messages import (
    SETTABLE_FLAGS,
    AttachmentInput,
    AttachmentInputSchema,
    MessageChangeSchema,
    NewMessageSchema,
    only_flags,
)
from chatd.wire.text_fields import Text
from chatd.wire.unsupported import Unsupported, UnsupportedParameter
from chatd.wire.validators import FieldError, at_most, choice, length, within

MAX_FILES: Final = 10
"""Files of one interaction: as many as a message has. Discord's clients send up to 25."""


@dataclass(frozen=True, slots=True)
class NewInteraction:
    """What a person does. `data` depends on the type, so a service reads it."""

    type: InteractionType
    application_id: UserId
    channel_id: ChannelId
    data: Mapping[str, Any]
    guild_id: GuildId | None = None
    message_id: MessageId | None = None
    message_flags: int = 0
    session_id: str | None = None
    nonce: str | int | None = None


@dataclass(frozen=True, slots=True)
class InteractionFiles:
    """The part of `data` that describes the files of the request."""

    attachments: Sequence[AttachmentInput] = ()


class InteractionFilesSchema(Schema[InteractionFiles]):
    into = InteractionFiles
    attachments = List(
        Nested(AttachmentInputSchema), validate=length(0, MAX_FILES), **NULL_IS_ABSENT
    )


class InteractionData(JsonObjectField):
    """The data of an interaction: its type decides which service reads it."""

    json: ClassVar[JsonObject] = INTERACTION_DATA


class NewInteractionSchema(Schema[NewInteraction]):
    into = NewInteraction
    type = Int(
        required=True,
        validate=choice(
            InteractionType.COMMAND,
            InteractionType.COMPONENT,
            InteractionType.AUTOCOMPLETE,
            InteractionType.MODAL_SUBMIT,
        ),
    )
    application_id = Snowflake(required=True)
    channel_id = Snowflake(required=True)
    guild_id = Snowflake(**NULL_IS_ABSENT)
    message_id = Snowflake(**NULL_IS_ABSENT)
    message_flags = Int(validate=within(0, 2**31 - 1), **NULL_IS_ABSENT)
    session_id = Text(validate=at_most(100), **NULL_IS_ABSENT)
    nonce = Nonce(**NULL_IS_ABSENT)
    data = InteractionData(required=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> NewInteraction:
        return NewInteraction(**{**data, "type": InteractionType(data["type"])})


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices that an application suggests for an option, as clients receive them."""

    choices: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Deferral:
    """How a response will be shown that the application sends later."""

    flags: int = 0


@dataclass(frozen=True, slots=True)
class Callback:
    """How an application responds to an interaction. The type of `data` depends on `type`."""

    type: CallbackType
    data: Any = None


class InteractionMessageSchema(NewMessageSchema):
    """A message that responds to an interaction. It can be one that only one user sees."""

    class Meta(NewMessageSchema.Meta):
        exclude = ("message_reference", "nonce", "enforce_nonce", "sticker_ids")

    flags = Int(
        validate=[within(0, 2**31 - 1), only_flags(SETTABLE_FLAGS | EPHEMERAL)], **NULL_IS_ABSENT
    )


class ResponseMessageSchema(InteractionMessageSchema):
    """The message of a response."""

    eligible = Unsupported("purchases")
    ineligible_reason = Unsupported("purchases")
    ineligible_reason_description = Unsupported("purchases")


class InteractionMessageChangeSchema(MessageChangeSchema):
    """A change of a message that responds to an interaction."""

    class Meta(MessageChangeSchema.Meta):
        exclude = ("sticker_ids",)

    poll = Unsupported("polls")


class DeferralSchema(Schema[Deferral]):
    into = Deferral
    flags = Int(validate=[within(0, 2**31 - 1), only_flags(EPHEMERAL)], **NULL_IS_ABSENT)


_SUPPORTED: Final = tuple(sorted(set(CallbackType) - {CallbackType.PONG}))


def _supported_type(kind: int) -> None:
    if kind not in _SUPPORTED:
        listed = ", ".join(f"{each:d}" for each in _SUPPORTED)
        raise ValidationError(FieldError(NOT_SUPPORTED, f"Only these types work here: {listed}."))


class _CallbackSchema(Schema[Callback]):
    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> Callback:
        return Callback(CallbackType(data["type"]), data.get("data"))


def _type(*kinds: CallbackType) -> Int:
    return Int(required=True, validate=choice(*kinds))


class MessageCallbackSchema(_CallbackSchema):
    """Responds with a message."""

    into = Callback
    type = _type(CallbackType.MESSAGE)
    data = Nested(ResponseMessageSchema, required=True)


class DeferralCallbackSchema(_CallbackSchema):
    """Acknowledges the interaction, and shows that a response will follow."""

    into = Callback
    type = _type(CallbackType.DEFERRED_MESSAGE)
    data = Nested(DeferralSchema, **NULL_IS_ABSENT)


class AcknowledgementCallbackSchema(_CallbackSchema):
    """Acknowledges the use of a component, and shows nothing."""

    into = Callback
    type = _type(CallbackType.DEFERRED_UPDATE)


class UpdateCallbackSchema(_CallbackSchema):
    """Changes the message with the component."""

    into = Callback
    type = _type(CallbackType.UPDATE)
    data = Nested(InteractionMessageChangeSchema, **NULL_IS_ABSENT)


class ChoiceValue(Value[Any]):
    """The value of a choice: a text or a number."""

    json: ClassVar[JsonObject] = {
        "type": ["string", "integer", "number"],
        "maxLength": MAX_CHOICE_NAME,
        "minimum": -MAX_INTEGER,
        "maximum": MAX_INTEGER,
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) in (int, float) and -MAX_INTEGER <= value <= MAX_INTEGER:
            return value
        if isinstance(value, str) and len(value) <= MAX_CHOICE_NAME and "\0" not in value:
            return value
        raise self.make_error("invalid")


class ChoiceInputSchema(MappingSchema):
    name = Text(required=True, validate=length(1, MAX_CHOICE_NAME))
    name_localizations = TranslatedText(MAX_CHOICE_NAME, allow_none=True)
    value = ChoiceValue(required=True)


class ChoicesSchema(Schema[Choices]):
    into = Choices
    choices = List(Nested(ChoiceInputSchema), validate=length(0, MAX_CHOICES), **NULL_IS_ABSENT)


class ModalInputSchema(MappingSchema):
    """A form, as the client receives it."""

    custom_id = Text(required=True, validate=length(1, 100))
    title = Text(required=True, validate=length(1, 45))
    components = modal_components()


class AutocompleteCallbackSchema(_CallbackSchema):
    """Suggests choices for the option that a person is typing."""

    into = Callback
    type = _type(CallbackType.AUTOCOMPLETE)
    data = Nested(ChoicesSchema, required=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> Callback:
        return Callback(CallbackType(data["type"]), data["data"].choices)


class ModalCallbackSchema(_CallbackSchema):
    """Shows a form to the person, which submits it as another interaction."""

    into = Callback
    type = _type(CallbackType.MODAL)
    data = Nested(ModalInputSchema, required=True)


CALLBACK_SCHEMAS: Final[Mapping[CallbackType, type[_CallbackSchema]]] = {
    CallbackType.MESSAGE: MessageCallbackSchema,
    CallbackType.DEFERRED_MESSAGE: DeferralCallbackSchema,
    CallbackType.DEFERRED_UPDATE: AcknowledgementCallbackSchema,
    CallbackType.UPDATE: UpdateCallbackSchema,
    CallbackType.AUTOCOMPLETE: AutocompleteCallbackSchema,
    CallbackType.MODAL: ModalCallbackSchema,
}
"""The schema of each type of response."""


class CallbackSchema(Schema[Callback]):
    """A response to an interaction: its `type` decides which schema reads it."""

    into = Callback
    type = Int(required=True, validate=_supported_type)

    def read(self, data: Any) -> Callback:
        """Load a value. Raises InvalidForm with the errors of each field."""
        kind = whole(data.get("type")) if isinstance(data, dict) else None
        loader = _LOADERS.get(kind or 0)
        return super().read(data) if loader is None else loader.read(data)


_LOADERS: Final = {int(kind): schema() for kind, schema in CALLBACK_SCHEMAS.items()}


@dataclass(frozen=True, slots=True)
class CallbackQuery:
    with_response: bool = False


class CallbackQuerySchema(Schema[CallbackQuery]):
    into = CallbackQuery
    with_response = Flag()


@dataclass(frozen=True, slots=True)
class ExecuteQuery:
    wait: bool = False
    with_components: bool = False


class ExecuteQuerySchema(Schema[ExecuteQuery]):
    into = ExecuteQuery
    wait = Flag()
    with_components = Flag()
    thread_id = UnsupportedParameter("threads")


@dataclass(frozen=True, slots=True)
class WebhookMessageQuery:
    with_components: bool = False


class WebhookMessageQuerySchema(Schema[WebhookMessageQuery]):
    into = WebhookMessageQuery
    thread_id = UnsupportedParameter("threads")


class WebhookEditQuerySchema(WebhookMessageQuerySchema):
    with_components = Flag()
