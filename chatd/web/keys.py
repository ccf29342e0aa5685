"""Keys of the objects that the application and its requests carry for handlers."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.core.addresses import Networks
from chatd.observability.metrics import Metrics
from chatd.ratelimit.window import Decision
from chatd.services.access.access_cache import AccessCache
from chatd.services.accounts.authentication import Authenticator
from chatd.services.interactions.webhook import InteractionWebhook
from chatd.services.media.uploads import UploadBounds
from chatd.services.messages.history import MessageReader
from chatd.services.messages.read_states import MessageAcknowledger
from chatd.services.messages.send import MessageSender

ACCESS_CACHE = web.AppKey("ACCESS_CACHE", AccessCache)
DEPENDENCIES = web.AppKey("DEPENDENCIES", Dependencies)
AUTHENTICATOR = web.AppKey("AUTHENTICATOR", Authenticator)
MESSAGE_ACKNOWLEDGER = web.AppKey("MESSAGE_ACKNOWLEDGER", MessageAcknowledger)
MESSAGE_READER = web.AppKey("MESSAGE_READER", MessageReader)
MESSAGE_SENDER = web.AppKey("MESSAGE_SENDER", MessageSender)
METRICS = web.AppKey("METRICS", Metrics)
TRUSTED_PROXIES: web.AppKey[Networks] = web.AppKey("TRUSTED_PROXIES")
HAS_WEB_CLIENT: web.AppKey[bool] = web.AppKey("HAS_WEB_CLIENT")
WORKER_ID: web.AppKey[int] = web.AppKey("WORKER_ID")
PUBLIC_URL: web.AppKey[str] = web.AppKey("PUBLIC_URL")
OPEN_HANDLERS: web.AppKey[frozenset[Handler]] = web.AppKey("OPEN_HANDLERS")
"""Handlers of the routes that can be called without a login."""

PAGE_HANDLERS: web.AppKey[frozenset[Handler]] = web.AppKey("PAGE_HANDLERS")
"""Handlers that serve a page to browsers, which needs no login."""

BODY_LIMITS: web.AppKey[Mapping[Handler, int]] = web.AppKey("BODY_LIMITS")
"""Maximum size of a JSON body for handlers with a larger limit than the default, in bytes."""

UPLOAD_BOUNDS = web.AppKey("UPLOAD_BOUNDS", UploadBounds)

INTERACTION_WEBHOOK = web.RequestKey("INTERACTION_WEBHOOK", InteractionWebhook)
"""What the token in the path authorizes."""

CONTEXT = web.RequestKey("CONTEXT", Context)

RATE_LIMIT: web.RequestKey[tuple[Decision, str]] = web.RequestKey("RATE_LIMIT")
"""The decision of the rate limit of the route, and the id of its bucket, for the response."""
