"""The keys under which the application and its requests carry what handlers need."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.context import Context, Resources
from chatd.core.addresses import Networks
from chatd.metrics import Metrics
from chatd.services.callers import Callers
from chatd.services.reading import Reader
from chatd.services.sending import Sender

RESOURCES = web.AppKey("RESOURCES", Resources)
CALLERS = web.AppKey("CALLERS", Callers)
READER = web.AppKey("READER", Reader)
SENDER = web.AppKey("SENDER", Sender)
METRICS = web.AppKey("METRICS", Metrics)
TRUSTED_PROXIES: web.AppKey[Networks] = web.AppKey("TRUSTED_PROXIES")
OPEN_HANDLERS: web.AppKey[frozenset[Handler]] = web.AppKey("OPEN_HANDLERS")
"""The handlers of routes that may be called without being logged in."""

UPLOAD_MAX_BYTES = web.AppKey("UPLOAD_MAX_BYTES", int)

CONTEXT = web.RequestKey("CONTEXT", Context)
