"""Notification settings of the caller."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId
from chatd.ratelimit.window import Limit
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import json_array_response, json_response
from chatd.rest.routing import HUMAN, MEMBER, Routes
from chatd.services.accounts import notifications
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import notifications as schemas

routes = Routes()

_CHANGES = Limit(20, 10.0)  # each is sent to all sessions of the user
_MAX_BODY = 64 * 1024  # bytes; 500 channels of a guild take 60 KiB


@routes.patch(
    "/users/@me/guilds/settings",
    HUMAN,
    limit=_CHANGES,
    body=JsonBody(schemas.BulkNotificationsChangeSchema, max_bytes=_MAX_BODY),
    answers={200: array_of(responses.NOTIFICATIONS), 404: responses.ERROR},
)
async def update_all(request: web.Request, change: schemas.BulkNotificationsChange) -> web.Response:
    """Change the caller's notification settings for several guilds, by the id of each.

    Nothing changes if one of them is refused. Emits USER_GUILD_SETTINGS_UPDATE for each.
    """
    changed = await notifications.update_all(request[CONTEXT], change.guilds)
    return await json_array_response(changed, payloads.notifications)


@routes.patch(
    "/users/@me/guilds/@me/settings",
    HUMAN,
    limit=_CHANGES,
    body=JsonBody(schemas.NotificationsChangeSchema, max_bytes=_MAX_BODY),
    answers={200: responses.NOTIFICATIONS, 404: responses.ERROR},
)
async def update_private(request: web.Request, change: schemas.NotificationsChange) -> web.Response:
    """Change the caller's notification settings for private channels.

    Emits USER_GUILD_SETTINGS_UPDATE.
    """
    changed = await notifications.update(request[CONTEXT], None, change)
    return json_response(payloads.notifications(changed))


@routes.patch(
    "/users/@me/guilds/{guild_id}/settings",
    MEMBER,
    bots=False,
    limit=_CHANGES,
    body=JsonBody(schemas.NotificationsChangeSchema, max_bytes=_MAX_BODY),
    answers=responses.NOTIFICATIONS,
)
async def update(request: web.Request, change: schemas.NotificationsChange) -> web.Response:
    """Change the caller's notification settings for a guild and its channels.

    Fields that are left out keep their values, and so do other channels. Emits
    USER_GUILD_SETTINGS_UPDATE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    changed = await notifications.update(request[CONTEXT], guild_id, change)
    return json_response(payloads.notifications(changed))
