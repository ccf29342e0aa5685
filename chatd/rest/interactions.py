"""Interactions: creating them, and responding to them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from chatd.core.ids import InteractionId
from chatd.core.json import JsonObject
from chatd.ratelimit.window import Limit
from chatd.rest.message_body import IncomingMessage, MessageBody, UploadTarget
from chatd.rest.request import path_id
from chatd.rest.response import json_response, no_content
from chatd.rest.routing import HUMAN, PUBLIC, Routes
from chatd.services.interactions import callbacks, endpoints, invocation, tokens
from chatd.services.interactions.callbacks import Response
from chatd.web.keys import CONTEXT, DEPENDENCIES, INTERACTION_WEBHOOK, UPLOAD_BOUNDS
from chatd.wire import payloads, responses
from chatd.wire.schemas import interactions as schemas

routes = Routes()

_CREATE = schemas.NewInteractionSchema()
_CALLBACKS = {"anyOf": list(schemas.CALLBACK_SCHEMAS.values())}


async def _authorize_invoker(request: web.Request, body: Any) -> UploadTarget:
    """Require that a person may use interactions in the channel that the body names."""
    wanted = _CREATE.read(body)
    await invocation.require_channel(request[CONTEXT], wanted.channel_id)
    return UploadTarget(request[CONTEXT], wanted.channel_id)


async def _authorize_response(request: web.Request, _: Any) -> UploadTarget:
    """Require a token of an interaction that is pending."""
    webhook = await tokens.resolve_interaction(
        request.app[DEPENDENCIES],
        path_id(request, InteractionId, "interaction_id"),
        request.match_info["interaction_token"],
    )
    callbacks.require_pending(webhook.interaction)
    request[INTERACTION_WEBHOOK] = webhook
    return UploadTarget(webhook.ctx, webhook.channel_id)


@routes.post(
    "/interactions",
    HUMAN,
    limit=Limit(20, 5.0),
    body=MessageBody(
        schemas.NewInteractionSchema, authorize=_authorize_invoker, needs_payload=True
    ),
    answers={204: None, 404: responses.ERROR},
)
async def create(
    request: web.Request, incoming: IncomingMessage[schemas.NewInteraction]
) -> web.Response:
    """Use a command or a component, or submit a modal.

    Needs VIEW_CHANNEL, and USE_APPLICATION_COMMANDS for commands; timed out members cannot do it.
    The application receives INTERACTION_CREATE, or a request at its endpoint, and has three seconds
    to respond. The session in `session_id` receives INTERACTION_CREATE with the id, and then
    INTERACTION_SUCCESS or INTERACTION_FAILURE; without `session_id` all sessions do. A modal comes
    as INTERACTION_MODAL_CREATE, choices come as APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE.
    """
    async with incoming as (wanted, uploads):
        created = await invocation.create(request[CONTEXT], wanted, uploads)
    await endpoints.deliver(request.app[DEPENDENCIES], created, request.app[UPLOAD_BOUNDS])
    return no_content()


@routes.post(
    "/interactions/{interaction_id}/{interaction_token}/callback",
    PUBLIC,
    limit=Limit(20, 5.0, announced=False),
    body=MessageBody(schemas.CallbackSchema, authorize=_authorize_response, described=_CALLBACKS),
    query=schemas.CallbackQuerySchema,
    answers={200: responses.CALLBACK, 204: None},
)
async def respond(
    request: web.Request,
    incoming: IncomingMessage[schemas.Callback],
    query: schemas.CallbackQuery,
) -> web.Response:
    """Respond to an interaction, once and within three seconds.

    The token authorizes it. `type` 4 sends a message, 5 sends one that is edited later, 6 and 7
    acknowledge the use of a component (7 changes its message), 8 suggests choices and 9 opens a
    modal. Emits MESSAGE_CREATE or MESSAGE_UPDATE.
    """
    async with incoming as (callback, uploads):
        response = await callbacks.respond(request[INTERACTION_WEBHOOK], callback, uploads)
    return json_response(_payload(response)) if query.with_response else no_content()


def _payload(response: Response) -> JsonObject:
    interaction, message = response.interaction, response.message
    about: JsonObject = {
        "id": str(interaction.id),
        "type": interaction.type,
        "channel_id": str(interaction.channel_id),
    }
    if interaction.guild_id is not None:
        about["guild_id"] = str(interaction.guild_id)
    if message is None:
        return {"interaction": about}
    about |= {
        "response_message_id": str(message.id),
        "response_message_loading": response.is_loading,
        "response_message_ephemeral": response.is_ephemeral,
    }
    if response.is_loading:
        return {"interaction": about}
    resource = {"type": response.type, "message": payloads.message(message)}
    return {"interaction": about, "resource": resource}
