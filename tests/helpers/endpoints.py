"""A server of an application that receives interactions over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Answerer = Callable[[web.Request, Any], Awaitable[web.StreamResponse]]


@dataclass
class Endpoint:
    """An endpoint that verifies signatures, as Discord's documentation describes."""

    verify_key: str = ""
    url: str = ""
    answerer: Answerer | None = None
    """Answers interactions, but no PINGs."""
    received: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    forged: int = 0
    """Requests with a wrong signature."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        signed = request.headers["X-Signature-Timestamp"].encode() + body
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.verify_key))
        try:
            key.verify(bytes.fromhex(request.headers["X-Signature-Ed25519"]), signed)
        except InvalidSignature:
            self.forged += 1
            return web.Response(status=401)
        payload = await request.json()
        if payload["type"] == 1:
            return web.json_response({"type": 1})
        self.received.put_nowait(payload)
        assert self.answerer is not None
        return await self.answerer(request, payload)


@asynccontextmanager
async def listening_endpoint(handle: Answerer | None = None) -> AsyncIterator[Endpoint]:
    """Run an endpoint; `handle` answers its interactions."""
    endpoint = Endpoint(answerer=handle)
    async with serving_urls(endpoint.handle) as url:
        endpoint.url = f"{url}/interactions"
        yield endpoint


@asynccontextmanager
async def serving_urls(
    handle: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[str]:
    """Serve all paths with one function. Yields the URL of the server."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
