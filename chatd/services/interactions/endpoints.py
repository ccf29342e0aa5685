"""Interactions over HTTP: signed requests to the endpoints of applications.

Rule: Discord docs, "Receiving and Responding" and "Setting Up an Endpoint".
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import suppress
from time import time
from typing import Any, Final

import orjson

from chatd.auth.interaction_tokens import new_token
from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.core import interactions as rules
from chatd.core.errors import ApiError, InvalidForm, ServiceUnavailable
from chatd.core.ids import InteractionId, UserId
from chatd.core.interactions import FailureReason, Interaction, InteractionType
from chatd.core.json import JsonObject
from chatd.http_client.client import Answer, HttpClientError
from chatd.services.interactions import callbacks, failures, tokens
from chatd.services.interactions.invocation import Created
from chatd.services.media.uploads import PendingUploads, UploadBounds
from chatd.wire import payloads
from chatd.wire.schemas.interactions import CallbackSchema

log = logging.getLogger(__name__)

_USER_AGENT: Final = "Discord-Interactions/1.0 (+https://discord.com)"
_OK, _NOT_AUTHENTIC = 200, 401
_MAX_VALUES: Final = 2**12
"""Values of an answer. More of them, in an answer of the largest size, take too long to check."""

_CALLBACK = CallbackSchema()


async def require_endpoint(ctx: Context, application_id: UserId, url: str) -> None:
    """Require that an endpoint answers a PING, and refuses one with a wrong signature.

    Raises InvalidForm.
    """
    payload = payloads.ping(ctx.new_id(InteractionId), application_id, new_token(), ctx.user)
    signed = _post(ctx.dependencies, application_id, url, payload)
    forged = _post(ctx.dependencies, application_id, url, payload, is_signed=False)
    try:
        answer, refusal = await asyncio.gather(signed, forged)
    except HttpClientError as error:
        log.info("endpoint of application %d is not verified: %s", application_id, error)
        raise _not_verified(f"The request failed: {error}.") from None
    if answer.status != _OK or answer.content_type != "application/json":
        raise _not_verified(f"The answer to a PING is {answer.status} with {answer.content_type}.")
    if not _is_pong(answer):
        raise _not_verified('It has to answer a PING with {"type": 1}.')
    if refusal.status != _NOT_AUTHENTIC:
        text = f"It has to answer a wrong signature with 401, not with {refusal.status}."
        raise _not_verified(text)


def _not_verified(reason: str) -> InvalidForm:
    return InvalidForm.of(
        "interactions_endpoint_url",
        "APPLICATION_INTERACTIONS_ENDPOINT_URL_INVALID",
        f"The specified interactions endpoint url could not be verified. {reason}",
    )


async def deliver(dependencies: Dependencies, created: Created, bounds: UploadBounds) -> None:
    """Send an interaction to the endpoint of its application, in the background.

    It fails if the application has too many requests running, or answers with something else than
    a response.
    """
    interaction, url = created.interaction, created.endpoint_url
    if url is None:
        return

    async def send() -> None:
        try:
            answer = await _post(dependencies, interaction.application_id, url, created.payload)
            await _accept(dependencies, interaction, answer, bounds)
        except (HttpClientError, ApiError) as error:
            log.info("interaction %d was not accepted: %s", interaction.id, error)
            await _fail(dependencies, interaction)

    if not dependencies.endpoint_requests.start(interaction.application_id, send):
        await _fail(dependencies, interaction)


async def _fail(dependencies: Dependencies, interaction: Interaction) -> None:
    """Fail an interaction now. If that is not possible, it fails later, when it is overdue."""
    with suppress(ServiceUnavailable):
        await failures.fail(dependencies, interaction, FailureReason.UNKNOWN)


async def _accept(
    dependencies: Dependencies, interaction: Interaction, answer: Answer, bounds: UploadBounds
) -> None:
    """Take an answer as the response. Raises HttpClientError, and what `respond` raises.

    An answer without a body says that the application responds with a callback.
    """
    if answer.status in (202, 204):
        return
    callback = _CALLBACK.read(_json(answer))
    webhook = await tokens.webhook_of(dependencies, interaction)
    await callbacks.respond(
        webhook, callback, PendingUploads(webhook.ctx, webhook.channel_id, bounds)
    )


async def _post(
    dependencies: Dependencies,
    application_id: UserId,
    url: str,
    payload: JsonObject,
    *,
    is_signed: bool = True,
) -> Answer:
    """Send a request; its signature is wrong unless `is_signed`. Raises HttpClientError."""
    body = payloads.encode(payload)
    timestamp = str(int(time()))
    signature = dependencies.interaction_keys.sign(application_id, timestamp, body)
    if not is_signed:
        signature = secrets.token_hex(len(signature) // 2)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": _USER_AGENT,
        "X-Signature-Ed25519": signature,
        "X-Signature-Timestamp": timestamp,
    }
    return await dependencies.http_client.post(url, body, headers, timeout_s=rules.ACKNOWLEDGE_S)


def _is_pong(answer: Answer) -> bool:
    """Return whether an answer is that to a PING."""
    try:
        payload = _json(answer)
    except HttpClientError:
        return False
    return isinstance(payload, dict) and payload.get("type") == InteractionType.PING


def _json(answer: Answer) -> Any:
    """Return the JSON of an answer. Raises HttpClientError."""
    if answer.status != _OK or answer.content_type != "application/json":
        raise HttpClientError(f"the answer is {answer.status} with {answer.content_type}")
    if sum(answer.body.count(mark) for mark in (b",", b"[", b"{")) > _MAX_VALUES:
        raise HttpClientError("the answer holds too many values")
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise HttpClientError("the answer is not JSON") from error
