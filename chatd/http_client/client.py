"""The client for requests to servers of other people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from chatd.http_client.addresses import is_public
from chatd.http_client.resolver import CheckedResolver

MAX_ANSWER: Final = 2**17
"""Bytes of an answer that are read."""

_CONNECTIONS = 500
"""Connections that are open at once."""


class HttpClientError(Exception):
    """The server cannot be reached, took too long, or did not answer with a document."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a server."""

    status: int
    content_type: str
    """The media type, without parameters."""
    body: bytes


class HttpClient:
    """Sends requests. It follows no redirects, and stores no cookies.

    With `allow_private` it also uses http, and addresses that are not public.
    """

    def __init__(self, *, allow_private: bool = False) -> None:
        self.allow_private = allow_private
        self._resolver = CheckedResolver(allow_private=allow_private)
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float
    ) -> Answer:
        """Send a POST request. The answer has at most MAX_ANSWER bytes. Raises HttpClientError."""
        return await self.request("POST", url, headers, body=body, timeout_s=timeout_s)

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        body: bytes | None = None,
        timeout_s: float,
        max_bytes: int = MAX_ANSWER,
    ) -> Answer:
        """Send a request. The answer has at most `max_bytes` bytes. Raises HttpClientError."""
        target = self._checked(url)
        try:
            async with self._opened().request(
                method,
                target,
                data=body,
                headers={**headers, "Accept-Encoding": "identity"},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout_s),
            ) as response:
                if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                    raise HttpClientError("the answer is compressed")
                content = await _read(response, max_bytes)
                return Answer(response.status, response.content_type, content)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # The text of the error can contain the URL, which may be secret.
            raise HttpClientError(type(error).__name__) from error

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
        await self._resolver.close()

    def _checked(self, url: str) -> URL:
        """Return a URL that may be used. Names are checked when they are resolved."""
        try:
            target = URL(url)
        except ValueError as error:
            raise HttpClientError("the URL is malformed") from error
        if self.allow_private:
            return target
        host = target.host or ""
        is_address = ":" in host or host.replace(".", "").isdigit()
        if target.scheme != "https" or (is_address and not is_public(host)):
            raise HttpClientError("the URL does not lead to a public server by https")
        return target

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=_CONNECTIONS, resolver=self._resolver, use_dns_cache=False
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


async def _read(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > max_bytes:
            response.close()
            raise HttpClientError(f"the answer has more than {max_bytes} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
