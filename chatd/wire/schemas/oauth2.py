"""Schemas of authorizations: adding applications to guilds and to accounts.

The query is that of the link by which people add an application. What needs OAuth2 tokens is
refused. Rule: Discord docs, OAuth2, "Bot Authorization Flow".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from chatd.core.field_errors import NOT_SUPPORTED
from chatd.core.ids import GuildId, UserId
from chatd.core.installation import IntegrationType, Scope
from chatd.core.json import JsonObject
from chatd.wire.base_schema import NULL_IS_ABSENT, Schema
from chatd.wire.fields import Bool, Int, PermissionBits, Snowflake, Value
from chatd.wire.query_fields import Digits, Flag, Id
from chatd.wire.unsupported import Unsupported, UnsupportedParameter
from chatd.wire.validators import FieldError, choice

_KIND = choice(*IntegrationType)
_MAX_SCOPE = 1000  # characters; all scopes of Discord together have about 900

_OTHER_SCOPES = frozenset(
    {
        *("activities.invites.write", "activities.read", "activities.write"),
        *("applications.builds.read", "applications.builds.upload"),
        *("applications.commands.permissions.update", "applications.commands.update"),
        *("applications.entitlements", "applications.store.update", "connections"),
        *("dm_channels.read", "email", "gdm.join", "guilds", "guilds.join"),
        *("guilds.members.read", "identify", "messages.read", "openid", "relationships.read"),
        *("role_connections.write", "rpc", "rpc.activities.write", "rpc.notifications.read"),
        *("rpc.screenshare.read", "rpc.screenshare.write", "rpc.video.read", "rpc.video.write"),
        *("rpc.voice.read", "rpc.voice.write", "voice", "webhook.incoming"),
    }
)
"""The scopes of OAuth2 tokens, which do not exist here. Rule: Discord docs, "OAuth2 Scopes"."""


class Scopes(Value[frozenset[Scope]]):
    """Scopes, separated by spaces."""

    default_error_messages = {  # noqa: RUF012
        **Value.default_error_messages,
        "unknown": FieldError("SCOPE_INVALID", "The scope is unknown."),
        "unsupported": FieldError(
            NOT_SUPPORTED,
            "This server supports the scopes bot and applications.commands. It has no OAuth2"
            " tokens.",
        ),
    }
    json: ClassVar[JsonObject] = {
        "type": "string",
        "pattern": r"^ *(bot|applications\.commands)( +(bot|applications\.commands))* *$",
        "maxLength": _MAX_SCOPE,
    }

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> frozenset[Scope]:
        if not isinstance(value, str) or len(value) > _MAX_SCOPE:
            raise self.make_error("unknown")
        wanted = set(value.split(" ")) - {""}
        if wanted & _OTHER_SCOPES:
            raise self.make_error("unsupported")
        if not wanted or wanted - set(Scope):
            raise self.make_error("unknown")
        return frozenset(map(Scope, wanted))


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """An application that is to be added, and to what. `scopes` None are its defaults."""

    client_id: UserId
    scope: frozenset[Scope] | None = None
    permissions: int | None = None
    guild_id: GuildId | None = None
    disable_guild_select: bool = False
    integration_type: int | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """The answer of a person to an authorization request."""

    authorize: bool = False
    permissions: int | None = None
    guild_id: GuildId | None = None
    integration_type: int | None = None


class AuthorizationRequestSchema(Schema[AuthorizationRequest]):
    into = AuthorizationRequest
    client_id = Id(required=True)
    scope = Scopes()
    permissions = PermissionBits()
    guild_id = Id()
    disable_guild_select = Flag()
    integration_type = Digits(validate=_KIND)
    prompt = UnsupportedParameter("skipping the page", "consent")
    response_type = UnsupportedParameter("OAuth2 tokens")
    redirect_uri = UnsupportedParameter("OAuth2 redirects")
    state = UnsupportedParameter("OAuth2 redirects")
    nonce = UnsupportedParameter("OAuth2 tokens")
    code_challenge = UnsupportedParameter("OAuth2 tokens")
    code_challenge_method = UnsupportedParameter("OAuth2 tokens")
    channel_id = UnsupportedParameter("webhooks of an authorization")


class ConsentSchema(Schema[Consent]):
    into = Consent
    authorize = Bool(**NULL_IS_ABSENT)
    permissions = PermissionBits(**NULL_IS_ABSENT)
    guild_id = Snowflake(**NULL_IS_ABSENT)
    integration_type = Int(validate=_KIND, **NULL_IS_ABSENT)
    webhook_channel_id = Unsupported("webhooks of an authorization")
    dm_settings = Unsupported("push notifications", {"allow_mobile_push": False})
