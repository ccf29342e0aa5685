"""Rules of AutoModeration. They are applied to messages in `services.automod.screening`."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import AutoModRuleId, GuildId
from chatd.core.permissions import Permissions as P
from chatd.ratelimit.window import Limit
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import json_array_response, json_response, no_content
from chatd.rest.routing import Routes
from chatd.services.automod import rules
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import auto_moderation as schemas

routes = Routes()

_MAX_BODY = 2**20
"""Bytes of a rule. 2,000 words of 60 characters of four bytes take half of it."""


_CHANGES = Limit(10, 10.0)
"""The events of a rule have up to 250 kB, which Redis keeps for two minutes, and each instance
compiles the changed rules."""


@routes.get(
    "/guilds/{guild_id}/auto-moderation/rules",
    P.MANAGE_GUILD,
    answers=array_of(responses.AUTOMOD_RULE),
)
async def list_for_guild(request: web.Request) -> web.Response:
    """List the rules of AutoModeration of a guild. Needs MANAGE_GUILD."""
    found = await rules.list_for_guild(request[CONTEXT], path_id(request, GuildId, "guild_id"))
    return await json_array_response(found, payloads.automod_rule)


@routes.post(
    "/guilds/{guild_id}/auto-moderation/rules",
    P.MANAGE_GUILD,
    body=JsonBody(schemas.NewAutoModRuleSchema, max_bytes=_MAX_BODY),
    limit=_CHANGES,
    answers=responses.AUTOMOD_RULE,
)
async def create(request: web.Request, body: schemas.NewAutoModRule) -> web.Response:
    """Create a rule of AutoModeration.

    Needs MANAGE_GUILD, and MODERATE_MEMBERS for a rule that times members out. Emits
    AUTO_MODERATION_RULE_CREATE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    return json_response(
        payloads.automod_rule(await rules.create(request[CONTEXT], guild_id, body))
    )


@routes.get(
    "/guilds/{guild_id}/auto-moderation/rules/{rule_id}",
    P.MANAGE_GUILD,
    answers=responses.AUTOMOD_RULE,
)
async def get(request: web.Request) -> web.Response:
    """Get a rule of AutoModeration. Needs MANAGE_GUILD."""
    guild_id, rule_id = _ids(request)
    return json_response(
        payloads.automod_rule(await rules.get(request[CONTEXT], guild_id, rule_id))
    )


@routes.patch(
    "/guilds/{guild_id}/auto-moderation/rules/{rule_id}",
    P.MANAGE_GUILD,
    body=JsonBody(schemas.AutoModRuleChangeSchema, max_bytes=_MAX_BODY),
    limit=_CHANGES,
    answers=responses.AUTOMOD_RULE,
)
async def update(request: web.Request, change: schemas.AutoModRuleChange) -> web.Response:
    """Change a rule of AutoModeration.

    Needs MANAGE_GUILD, and MODERATE_MEMBERS for a rule that times members out. Emits
    AUTO_MODERATION_RULE_UPDATE.
    """
    guild_id, rule_id = _ids(request)
    changed = await rules.update(request[CONTEXT], guild_id, rule_id, change)
    return json_response(payloads.automod_rule(changed))


@routes.delete("/guilds/{guild_id}/auto-moderation/rules/{rule_id}", P.MANAGE_GUILD, answers=None)
async def delete(request: web.Request) -> web.Response:
    """Delete a rule of AutoModeration. Needs MANAGE_GUILD. Emits AUTO_MODERATION_RULE_DELETE."""
    guild_id, rule_id = _ids(request)
    await rules.delete(request[CONTEXT], guild_id, rule_id)
    return no_content()


def _ids(request: web.Request) -> tuple[GuildId, AutoModRuleId]:
    return path_id(request, GuildId, "guild_id"), path_id(request, AutoModRuleId, "rule_id")
