"""Schemas of applications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, validate

from chatd.core.installation import InstallParams, IntegrationType, Scope
from chatd.core.json import JsonObject
from chatd.core.models import ApplicationFlags
from chatd.core.unset import UNSET, Maybe
from chatd.wire.base_schema import NULL_IS_ABSENT, Schema, T
from chatd.wire.fields import MAX_DATA_URI, Bool, Int, List, Nested, PermissionBits
from chatd.wire.text_fields import Name, Text, Username
from chatd.wire.unsupported import Unsupported
from chatd.wire.validators import FieldError, at_most, length, unique, url


@dataclass(frozen=True, slots=True)
class NewApplication:
    name: str
    description: str = ""
    bot_public: bool = True


@dataclass(frozen=True, slots=True)
class IntegrationTypeConfig:
    """A kind of installation that an application supports, with its defaults, if any."""

    oauth2_install_params: InstallParams | None = None


IntegrationTypesConfig = Mapping[IntegrationType, IntegrationTypeConfig | None]
"""Kinds of installation to change. None ends the support of a kind."""


@dataclass(frozen=True, slots=True)
class ApplicationChange:
    """Changes to an application. A bot can change all fields but `name` and `bot_public`."""

    name: Maybe[str] = UNSET
    description: Maybe[str | None] = UNSET
    bot_public: Maybe[bool] = UNSET
    flags: Maybe[int] = UNSET
    interactions_endpoint_url: Maybe[str | None] = UNSET
    icon: Maybe[str | None] = UNSET
    tags: Maybe[Sequence[str] | None] = UNSET
    install_params: Maybe[InstallParams | None] = UNSET
    custom_install_url: Maybe[str | None] = UNSET
    integration_types_config: Maybe[IntegrationTypesConfig] = UNSET


def _known_flags(bits: int) -> None:
    if bits & ~int(ApplicationFlags.PRIVILEGED):
        raise ValidationError(
            FieldError("BASE_TYPE_CHOICES", "Only the flags of privileged intents can be changed.")
        )


_DESCRIPTION = length(0, 400)
_DATA_URI = at_most(MAX_DATA_URI)
_SCOPE = validate.OneOf(
    [*Scope], error=FieldError("BASE_TYPE_CHOICES", f"Value must be {' or '.join(Scope)}.")
)
_LOCALIZATIONS = Unsupported("translations")
_MAX_TAGS = 5
_MAX_TAG = 20


class Description(Text):
    """A description: a text, or an object with a default text and without translations."""

    @property
    def json(self) -> JsonObject:
        """Both forms."""
        return {
            "type": ["string", "object"],
            "required": ["default"],
            "properties": {
                "default": {"type": "string", "maxLength": self.max_length},
                "localizations": _LOCALIZATIONS.json,
            },
            **super().json,
        }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, dict):
            try:
                _LOCALIZATIONS.deserialize(value.get("localizations"))
            except ValidationError as refused:
                raise ValidationError({"localizations": refused.messages}) from None
            value = value.get("default")
        return super()._deserialize(value, attr, data, **kwargs)


class InstallParamsInputSchema(Schema[InstallParams | None]):
    """Without scopes there are no defaults."""

    scopes = List(Text(validate=_SCOPE), validate=[at_most(len(Scope)), unique], **NULL_IS_ABSENT)
    permissions = PermissionBits(**NULL_IS_ABSENT)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> InstallParams | None:
        if not data.get("scopes"):
            return None
        return InstallParams(tuple(map(Scope, data["scopes"])), data.get("permissions", 0))


class IntegrationTypeConfigInputSchema(Schema[IntegrationTypeConfig]):
    into = IntegrationTypeConfig
    oauth2_install_params = Nested(InstallParamsInputSchema, **NULL_IS_ABSENT)


class IntegrationTypesConfigInputSchema(Schema[IntegrationTypesConfig]):
    class Meta:
        unknown = ma.RAISE

    guild_install = Nested(IntegrationTypeConfigInputSchema, data_key="0", allow_none=True)
    user_install = Nested(IntegrationTypeConfigInputSchema, data_key="1", allow_none=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> IntegrationTypesConfig:
        return {IntegrationType[name.upper()]: each for name, each in data.items()}


class _ApplicationSchema(Schema[T]):
    bot_require_code_grant = Unsupported("OAuth2 tokens")
    cover_image = Unsupported("rich presence")
    event_webhooks_status = Unsupported("webhook events", 1)
    event_webhooks_types = Unsupported("webhook events")
    event_webhooks_url = Unsupported("webhook events")
    explicit_content_filter = Unsupported("scanning files")
    max_participants = Unsupported("activities")
    redirect_uris = Unsupported("OAuth2 redirects")
    role_connections_verification_url = Unsupported("role connections")
    team_id = Unsupported("teams", "Personal")  # what Fermi calls no team
    type = Unsupported("types of applications")


class NewApplicationSchema(_ApplicationSchema[NewApplication]):
    into = NewApplication
    name = Username(required=True)
    description = Description(validate=_DESCRIPTION, **NULL_IS_ABSENT)
    bot_public = Bool(**NULL_IS_ABSENT)
    custom_install_url = Unsupported("only a change can set it")
    icon = Unsupported("only a change can set it")
    install_params = Unsupported("only a change can set it")
    interactions_endpoint_url = Unsupported("only a change can set it")
    integration_types_config = Unsupported("only a change can set it")
    tags = Unsupported("only a change can set it")


class ApplicationChangeSchema(_ApplicationSchema[ApplicationChange]):
    into = ApplicationChange
    name = Name(validate=length(2, 32))
    description = Description(validate=_DESCRIPTION, allow_none=True)
    bot_public = Bool(**NULL_IS_ABSENT)
    flags = Int(validate=_known_flags, **NULL_IS_ABSENT)
    interactions_endpoint_url = Text(
        validate=url("https?"), allow_none=True, metadata={"format": "uri"}
    )
    icon = Text(validate=_DATA_URI, allow_none=True)
    tags = List(
        Name(validate=length(1, _MAX_TAG)),
        validate=[at_most(_MAX_TAGS), unique],
        allow_none=True,
    )
    install_params = Nested(InstallParamsInputSchema, allow_none=True)
    custom_install_url = Text(validate=url("https?"), allow_none=True, metadata={"format": "uri"})
    integration_types_config = Nested(IntegrationTypesConfigInputSchema, **NULL_IS_ABSENT)
