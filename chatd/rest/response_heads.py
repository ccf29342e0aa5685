"""The heads of responses: the id of the request, the rate limit, and what HTTP requires.

aiohttp calls `ResponseHeads.complete` for each response. It then assembles the head from a map of
headers by seven coroutines, which takes a tenth of the time of a small request. So the head of a
usual response is formatted from a template instead; see `response.ShortResponse`.
"""

from __future__ import annotations

import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.http import SERVER_SOFTWARE
from multidict import istr

from chatd.observability import logs
from chatd.ratelimit import headers
from chatd.web.draining import ConnectionDrainer
from chatd.web.keys import RATE_LIMIT

JSON = "application/json"
"""The media type without a charset: libraries compare the whole header."""

_REQUEST_ID = istr("X-Request-Id")
_SWITCHING_PROTOCOLS = 101

_TEMPLATE = b"HTTP/1.1 %b\r\n%b%b%b%b\r\n"
_CONTENT = b"Content-Type: application/json\r\nContent-Length: %d\r\n"


class ResponseHeads:
    """Completes the heads of all responses of an application.

    `are_complete` is False if other receivers of `on_response_prepare` add headers, too.
    """

    def __init__(self, drainer: ConnectionDrainer, *, are_complete: bool) -> None:
        self._drainer = drainer
        self._are_complete = are_complete

    async def complete(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add the id of the request, and the X-RateLimit headers of its route.

        A response that another limit has refused has the headers of that limit already. The client
        gets the id so that its report can be found in the log.
        """
        if response.status == _SWITCHING_PROTOCOLS:
            return
        if request_id := logs.REQUEST_ID.get():
            response.headers[_REQUEST_ID] = request_id
        limit = request.get(RATE_LIMIT)
        if limit is not None and headers.LIMIT not in response.headers:
            for name, value in headers.for_decision(*limit).items():
                response.headers[name] = value

    def encoded(self, request: web.Request, status: int, size: int | None) -> bytes | None:
        """Return the whole head of a response with `size` bytes of JSON and no other headers.

        `size` is None for a response without a body, with status 204.
        The bytes are those that aiohttp would send. Returns None if only aiohttp can assemble them.
        """
        if (
            not self._are_complete
            or self._drainer.is_draining
            or request.version != HttpVersion11
            or not request.keep_alive
            or request.method == hdrs.METH_HEAD
        ):
            return None
        limit = request.get(RATE_LIMIT)
        return _TEMPLATE % (
            _status(status),
            b"" if size is None else _CONTENT % size,
            _date_and_server(int(time.time())),
            b"X-Request-Id: %b\r\n" % logs.REQUEST_ID.get().encode(),
            b"" if limit is None else headers.encoded(*limit),
        )


RESPONSE_HEADS = web.AppKey("RESPONSE_HEADS", ResponseHeads)


@lru_cache(64)
def _status(status: int) -> bytes:
    return f"{status} {HTTPStatus(status).phrase}".encode()


@lru_cache(2)
def _date_and_server(second: int) -> bytes:
    date = formatdate(second, usegmt=True)
    return f"Date: {date}\r\nServer: {SERVER_SOFTWARE}\r\n".encode()
