"""Settings of an account."""

from __future__ import annotations

import base64

from aiohttp import web

from chatd.core.errors import UnknownSettingsType
from chatd.ratelimit.window import Limit
from chatd.rest.request import JsonBody
from chatd.rest.response import json_response
from chatd.rest.routing import HUMAN, Routes
from chatd.services.accounts import user_settings
from chatd.services.accounts.user_settings import ChangedProto
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.protobuf.settings import SettingsType
from chatd.wire.schemas import user_settings as schemas

routes = Routes()

_PROTO_READS = Limit(20, 20.0)  # each encodes a whole message, of up to 342 KiB
_PROTO_CHANGES = Limit(20, 60.0)
"""Each change sends the whole message to all sessions of the user."""

_MAX_PROTO_BODY = 360 * 1024  # bytes; the largest message in Base64 takes 342 KiB
_MAX_JSON_BODY = 128 * 1024  # bytes


@routes.get("/users/@me/settings", HUMAN, answers=responses.USER_SETTINGS)
async def get(request: web.Request) -> web.Response:
    """Get the caller's settings."""
    return json_response(payloads.user_settings(await user_settings.get_own(request[CONTEXT])))


@routes.patch(
    "/users/@me/settings",
    HUMAN,
    body=JsonBody(schemas.SettingsChangeSchema),
    answers=responses.USER_SETTINGS,
)
async def update(request: web.Request, change: schemas.SettingsChange) -> web.Response:
    """Change the caller's settings; fields that are left out keep their values.

    `direct_messages` is chatd's own field: who can open direct messages with the caller and write
    in them. Discord's settings that chatd does not have are refused. Emits
    USER_SETTINGS_PROTO_UPDATE and USER_SETTINGS_UPDATE.
    """
    changed = await user_settings.update(request[CONTEXT], change)
    return json_response(payloads.user_settings(changed))


@routes.get(
    "/users/@me/settings-proto/{settings_type}",
    HUMAN,
    limit=_PROTO_READS,
    answers=responses.SETTINGS_PROTO,
)
async def get_proto(request: web.Request) -> web.Response:
    """Get a message of the caller's settings: 1 for what clients show, 2 for what it uses often."""
    settings = await user_settings.get_proto(request[CONTEXT], _type_of(request))
    return json_response({"settings": base64.b64encode(settings).decode()})


@routes.patch(
    "/users/@me/settings-proto/{settings_type}",
    HUMAN,
    limit=_PROTO_CHANGES,
    body=JsonBody(schemas.SettingsProtoChangeSchema, max_bytes=_MAX_PROTO_BODY),
    answers=responses.CHANGED_SETTINGS_PROTO,
)
async def update_proto(request: web.Request, change: schemas.SettingsProtoChange) -> web.Response:
    """Change a message of the caller's settings.

    Each top-level field in `settings` replaces the stored one in whole; others stay. If the message
    was changed after `required_data_version`, nothing changes, and `out_of_date` is true.
    Emits USER_SETTINGS_PROTO_UPDATE, and USER_SETTINGS_UPDATE for the settings of the older API.
    """
    changed = await user_settings.change_proto(
        request[CONTEXT], _type_of(request), change.settings, change.required_data_version
    )
    return json_response(_changed(base64.b64encode(changed.settings).decode(), changed))


@routes.get(
    "/users/@me/settings-proto/{settings_type}/json",
    HUMAN,
    limit=_PROTO_READS,
    answers=responses.SETTINGS_JSON,
)
async def get_json(request: web.Request) -> web.Response:
    """Get a message of the caller's settings as JSON, in the form of ProtoJSON."""
    ctx, kind = request[CONTEXT], _type_of(request)
    settings = await user_settings.get_proto(ctx, kind)
    return json_response({"settings": await user_settings.proto_to_json(ctx, kind, settings)})


@routes.patch(
    "/users/@me/settings-proto/{settings_type}/json",
    HUMAN,
    limit=_PROTO_CHANGES,
    body=JsonBody(schemas.SettingsJsonChangeSchema, max_bytes=_MAX_JSON_BODY),
    answers=responses.CHANGED_SETTINGS_JSON,
)
async def update_json(request: web.Request, change: schemas.SettingsJsonChange) -> web.Response:
    """Change a message of the caller's settings, in the form of ProtoJSON.

    Fields that the server does not know are dropped. Emits the same events as the form in Base64.
    """
    ctx, kind = request[CONTEXT], _type_of(request)
    settings = await user_settings.proto_from_json(ctx, kind, change.settings)
    changed = await user_settings.change_proto(ctx, kind, settings, change.required_data_version)
    shown = await user_settings.proto_to_json(ctx, kind, changed.settings)
    return json_response(_changed(shown, changed))


def _changed(settings: object, changed: ChangedProto) -> dict[str, object]:
    return {"settings": settings, "out_of_date": changed.out_of_date}


def _type_of(request: web.Request) -> SettingsType:
    """Return the type in the path. Raises UnknownSettingsType."""
    for kind in SettingsType:
        if request.match_info["settings_type"] == str(int(kind)):
            return kind
    raise UnknownSettingsType
