"""Messages of webhooks that other services send, in the formats of Slack and GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from chatd.core.ids import WebhookId
from chatd.ratelimit.window import Limit
from chatd.rest.message_body import MAX_MESSAGE_BODY
from chatd.rest.request import JsonBody, PayloadBody, path_id
from chatd.rest.response import no_content
from chatd.rest.routing import TOKEN, Routes
from chatd.services.webhooks import github, slack, tokens
from chatd.services.webhooks.execute import ChannelWebhook
from chatd.web.keys import DEPENDENCIES, MESSAGE_SENDER
from chatd.wire import responses
from chatd.wire.schemas.github import GithubEventSchema
from chatd.wire.schemas.slack import SlackMessage, SlackMessageSchema
from chatd.wire.schemas.webhooks import NewWebhookMessage, ServiceQuery, ServiceQuerySchema

routes = Routes()

_LIMIT = Limit(5, 2.0)
"""For each webhook. Rule: Discord's limit of webhooks."""

_MAX_GITHUB_BODY = 2**19  # bytes; events of pull requests have about 30,000


@routes.post(
    "/webhooks/{webhook_id}/{webhook_token}/slack",
    TOKEN,
    limit=_LIMIT,
    body=PayloadBody(SlackMessageSchema, max_bytes=MAX_MESSAGE_BODY),
    query=ServiceQuerySchema,
    answers={200: responses.TEXT},
)
async def slack_message(request: web.Request, body: SlackMessage, _: ServiceQuery) -> web.Response:
    """Send a message in the format of Slack's webhooks.

    Slack's `channel`, `icon_emoji`, `mrkdwn`, `mrkdwn_in` and `blocks` have no effect. Texts that
    are too long are cut. Emits MESSAGE_CREATE.
    """
    webhook = await _resolve(request)
    await webhook.send(slack.message(body))
    return web.Response(text="ok")  # as Slack answers


@routes.post(
    "/webhooks/{webhook_id}/{webhook_token}/github",
    TOKEN,
    limit=_LIMIT,
    body=JsonBody(GithubEventSchema, max_bytes=_MAX_GITHUB_BODY),
    query=ServiceQuerySchema,
    answers=None,
)
async def github_event(
    request: web.Request, body: Mapping[str, Any], _: ServiceQuery
) -> web.Response:
    """Send a message about an event of GitHub, as GitHub's webhooks report it.

    The header `X-GitHub-Event` names the event. Events and actions without a message are accepted
    as well. Choose `application/json` as the content type at GitHub. Emits MESSAGE_CREATE.
    """
    webhook = await _resolve(request)
    embed = github.embed(request.headers.get("X-GitHub-Event", ""), body)
    if embed is not None:
        await webhook.send(NewWebhookMessage(embeds=[embed]))
    return no_content()


async def _resolve(request: web.Request) -> ChannelWebhook:
    """Return the webhook of the token in the path. Raises InvalidWebhookToken, UnknownWebhook."""
    ctx, webhook = await tokens.resolve(
        request.app[DEPENDENCIES],
        path_id(request, WebhookId, "webhook_id"),
        request.match_info["webhook_token"],
    )
    return ChannelWebhook(ctx, webhook, request.app[MESSAGE_SENDER])
