"""What `/health/ready` reports."""

from __future__ import annotations

import asyncio

import aiohttp

_TIMEOUT_S = 120.0
_POLL_S = 0.05


async def health_becomes(url: str, **expected: str) -> None:
    """Wait until an instance reports these fields, like `status="ok"`.

    Raises aiohttp.ClientError when it does not answer, and TimeoutError.
    """
    async with asyncio.timeout(_TIMEOUT_S), aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"{url}/health/ready") as answer:
                if expected.items() <= (await answer.json()).items():
                    return
            await asyncio.sleep(_POLL_S)
