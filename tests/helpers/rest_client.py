"""A client of the REST API, which checks each response against the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from tests.helpers import contract


@dataclass(frozen=True)
class Answer:
    """The response to a request."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.raw)

    @property
    def code(self) -> int:
        """Return Discord's code of the error in the body."""
        return int(self.json["code"])


@dataclass
class Rest:
    """A caller of the API: one account, or an anonymous caller when `token` is None."""

    http: aiohttp.ClientSession
    url: str
    token: str | None = None
    scheme: str = "Bearer"

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """Send a request and return the response, whatever its status but 500.

        The response must be one that the route declares; see `tests/helpers/contract.py`.
        """
        headers = dict(options.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"{self.scheme} {self.token}")
        if body is not None:
            options["data"] = orjson.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        url = self.url + path
        async with self.http.request(method, url, headers=headers, **options) as response:
            answer = Answer(response.status, response.headers, await response.read())
        assert answer.status != 500, f"{method} {path}: {answer.raw!r}"
        media = response.headers.get("Content-Type", "").partition(";")[0]
        contract.check(method, path, answer.status, media, answer.raw)
        return answer

    async def _successful(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.call(method, path, body)
        assert 200 <= answer.status < 300, f"{method} {path}: {answer.status} {answer.raw!r}"
        return answer.json if answer.raw else None

    async def get(self, path: str) -> Any:
        """GET a path; return the JSON of the response, which must succeed."""
        return await self._successful("GET", path)

    async def post(self, path: str, body: Any = None) -> Any:
        """POST to a path; return the JSON of the response, which must succeed."""
        return await self._successful("POST", path, body)

    async def patch(self, path: str, body: Any) -> Any:
        """PATCH a path; return the JSON of the response, which must succeed."""
        return await self._successful("PATCH", path, body)

    async def put(self, path: str, body: Any = None) -> Any:
        """PUT to a path; return the JSON of the response, which must succeed."""
        return await self._successful("PUT", path, body)

    async def delete(self, path: str) -> Any:
        """DELETE a path; return the JSON of the response, which must succeed, or None."""
        return await self._successful("DELETE", path)
