"""The HTTP server below the application: connection limits, timeouts, and errors as JSON.

aiohttp answers some requests before any middleware runs, such as those that it cannot parse. This
module gives these responses the format of all other errors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from multidict import CIMultiDictProxy

from chatd.core.errors import ApiError, HeadersTooLarge, RequestTimeout
from chatd.core.ids import UserId
from chatd.core.tracebacks import drop_tracebacks
from chatd.web.connection_limits import ConnectionLimiter
from chatd.web.route_cache import RouteCache
from chatd.wire.payloads import encode

LARGE_RESPONSE_BYTES = 2**16
"""Size above which the client must read a response in time; smaller ones fit into the socket
buffers of the kernel."""

_MAX_HEAD_BYTES = 2**16
"""Size of an incomplete request head. aiohttp bounds only the length and number of its lines."""

_RESPONSE_TIMEOUT_S = 20.0
_MIN_BYTES_PER_S = 2**14
"""A client has _RESPONSE_TIMEOUT_S to read a large response, and additional time at this rate."""


def size_of(response: web.StreamResponse) -> int:
    """Return how many bytes of a response are in memory at once."""
    body = getattr(response, "_body", None)  # of web.Response, whose property takes longer
    return len(body) if isinstance(body, bytes | bytearray) else 0


WriteNow = Callable[[web.BaseRequest], bool]
"""The method `write_now` of responses that usually need one call, instead of aiohttp's coroutines.
It writes head and body. It returns False if only aiohttp can, and then has written nothing. Raises
ConnectionResetError if the connection is closed."""


class HttpConnection(web.RequestHandler):
    """One accepted connection, until it closes or a WebSocket takes it over."""

    __slots__ = (
        "_awaits_head",
        "_has_partial_head",
        "_head_bytes",
        "_limiter",
        "_on_written",
        "account_id",
        "is_websocket",
        "network",
    )

    def __init__(self, manager: web.Server, limiter: ConnectionLimiter, **options: Any) -> None:
        super().__init__(manager, **options)
        self._limiter = limiter
        self._awaits_head = False
        self._has_partial_head = False
        self._head_bytes = 0
        self._on_written: Callable[[], None] | None = None
        self.network: str | None = None
        self.account_id: UserId | None = None
        self.is_websocket = False
        """Whether a WebSocket has taken it over."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve the connection, or refuse it before reading anything."""
        transport = cast(asyncio.Transport, transport)  # those of uvloop have another base class
        peer = transport.get_extra_info("peername")
        try:
            self._limiter.admit(self, peer[0] if isinstance(peer, tuple) else "")
        except ApiError as refused:
            self._force_close = True
            transport.write(_response(refused))
            transport.close()
            return
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Release the connection from the limits."""
        self._limiter.release(self)
        self._call_on_written()
        super().connection_lost(exc)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Write a response. Closes the connection if the client reads a large one too slowly.

        Otherwise a client could keep many responses in memory, without limit.
        """
        try:
            # Faster than asking for the class of the response, which is an abstract one.
            write_now: WriteNow | None = getattr(resp, "write_now", None)
            # After an upgrade that was declined, aiohttp has to parse what the client sent next.
            if write_now is not None and not self._upgraded:
                try:
                    if write_now(request):
                        if self.writing_paused:
                            await request.writer.drain()
                        return resp, False
                except ConnectionError:
                    return resp, True
            if (size := size_of(resp)) <= LARGE_RESPONSE_BYTES:
                return await super().finish_response(request, resp, start_time)
            async with asyncio.timeout(_RESPONSE_TIMEOUT_S + size / _MIN_BYTES_PER_S):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            if self.transport is not None:
                self.transport.abort()
            return resp, True
        finally:
            self._call_on_written()

    def on_response_written(self, call: Callable[[], None]) -> None:
        """Call this when the response to the current request is written, or cannot be."""
        self._on_written = call

    def _call_on_written(self) -> None:
        call, self._on_written = self._on_written, None
        if call is not None:
            call()

    def data_received(self, data: bytes) -> None:
        """Parse received data, and start the timeout of an incomplete request head."""
        # aiohttp calls this with empty data, to parse what it has buffered.
        if not data or self._payload_parser is not None or self._upgraded:
            super().data_received(data)
            return
        waiter = self._waiter
        is_waiting = waiter is not None and not waiter.done()
        is_head = is_waiting or (
            self._current_request is not None and self._current_request.content.is_eof()
        )
        requests = self._request_count
        super().data_received(data)
        if self._request_count == requests:
            if is_head:
                self._on_partial_head(len(data))
        else:
            self._head_bytes = 0
            if self._awaits_head:
                self._awaits_head = self._has_partial_head = False
                self._limiter.head_arrived(self)
            if not data.endswith(b"\n") and self._messages[-1][1] is EMPTY_PAYLOAD:
                self._has_partial_head = True  # of the next request, sent together with this one
                self._expect_head()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Resume reading if it is paused.

        aiohttp calls this for each part of a body that is read. It then parses what the last pause
        has left, so it would parse nothing each time.
        """
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def _on_partial_head(self, size: int) -> None:
        """Count `size` bytes of a request head that is not complete, and refuse it if too large."""
        self._has_partial_head = True
        self._expect_head()
        self._head_bytes += size
        if self._head_bytes > _MAX_HEAD_BYTES and self.is_waiting:
            self._refuse(HeadersTooLarge())

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Render errors outside the middlewares, such as invalid HTTP."""
        try:
            super().handle_error(request, status, exc, message)  # for its log line
        finally:
            drop_tracebacks(exc)  # the request or the connection keeps the exception
        if isinstance(exc, LineTooLong):
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        body = {"code": 0, "message": f"{status:d}: {HTTPStatus(status).phrase}"}
        response = web.Response(
            body=encode(body), status=status, headers={"Content-Type": "application/json"}
        )
        response.force_close()
        return response

    @property
    def is_waiting(self) -> bool:
        """Whether no request is being handled."""
        return self._waiter is not None and not self._waiter.done()

    @property
    def is_idle(self) -> bool:
        """Whether it is kept alive after a request, and no data of another one has arrived."""
        return self.is_waiting and not self._awaits_head

    @property
    def has_partial_head(self) -> bool:
        """Whether a part of a request head has arrived."""
        return self._has_partial_head

    def time_out(self) -> None:
        """Close it, because the request head did not arrive in time."""
        self._awaits_head = False
        if not self.is_waiting:
            self.close()  # after the response to the current request
            return
        if self._has_partial_head:
            self._refuse(RequestTimeout())
        else:
            self.force_close()

    def _refuse(self, refused: ApiError) -> None:
        """Respond to an incomplete head, unless another request is being handled; then close."""
        if self.is_waiting and self.transport is not None:
            self.transport.write(_response(refused))
        self.force_close()

    def drop(self) -> None:
        """Close it without a response."""
        self.force_close()

    def mark_authenticated(self, user_id: UserId) -> None:
        """Record that the client has authenticated."""
        self._limiter.mark_authenticated(self, user_id)

    def _expect_head(self) -> None:
        if not self._awaits_head:
            self._awaits_head = True
            self._limiter.expect_head(self)


def mark_authenticated(transport: asyncio.BaseTransport | None, user_id: UserId) -> None:
    """Record that the client of a connection has authenticated. Repeated calls are cheap."""
    connection = None if transport is None else transport.get_protocol()
    if isinstance(connection, HttpConnection) and connection.account_id is None:
        connection.mark_authenticated(user_id)


def on_response_written(request: web.BaseRequest, call: Callable[[], None]) -> bool:
    """Call this when the response to a request is written. False if the connection is closed."""
    connection = request.protocol
    if request.transport is None or not isinstance(connection, HttpConnection):
        return False
    connection.on_response_written(call)
    return True


class HttpServer(web.Server):
    """Creates an HttpConnection for each accepted socket."""

    def __init__(self, server: web.Server, limiter: ConnectionLimiter) -> None:
        super().__init__(
            server.request_handler,
            request_factory=self._request,
            loop=server._loop,
            **server._kwargs,
        )
        self._limiter = limiter
        self._make = server.request_factory

    def __call__(self) -> web.RequestHandler:
        return HttpConnection(self, self._limiter, loop=self._loop, **self._kwargs)

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        """Create a request, after handling its Expect and Sec-WebSocket-Protocol headers.

        A path with one `/` at its end means the path without it, as on Discord: some clients send
        it. A redirect would not do, because clients repeat a redirected POST as a GET.

        aiohttp handles Expect outside the middlewares, and fails if the header is not text. Here
        everything but `100-continue` is ignored (RFC 9110, section 10.1.1). The server has no
        subprotocols, so offered ones are removed: aiohttp would log all of them.
        """
        path = message.url.raw_path
        if path.endswith("/") and path != "/":
            url = message.url.with_path(path[:-1], encoded=True, keep_query=True)
            message = message._replace(url=url)
        if hdrs.SEC_WEBSOCKET_PROTOCOL in message.headers:
            headers = message.headers.copy()
            headers.popall(hdrs.SEC_WEBSOCKET_PROTOCOL)
            message = message._replace(headers=CIMultiDictProxy(headers))
        if hdrs.EXPECT in message.headers:
            headers = message.headers.copy()
            expected = headers.popall(hdrs.EXPECT)
            is_waiting = expected[0].lower() == "100-continue"
            if is_waiting and message.version >= HttpVersion11 and protocol.transport is not None:
                protocol.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            message = message._replace(headers=CIMultiDictProxy(headers))
        return self._make(message, payload, protocol, writer, task)


class HttpRunner(web.AppRunner):
    """Runs an application with an HttpServer."""

    __slots__ = ("_limiter",)

    def __init__(self, app: web.Application, limiter: ConnectionLimiter, **options: Any) -> None:
        # aiohttp would decompress bodies before a middleware can reject them: 200 kB become 200 MB.
        super().__init__(app, auto_decompress=False, **options)
        self._limiter = limiter

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        server.request_handler = RouteCache(self.app, server.request_handler).handle
        return HttpServer(server, self._limiter)


def _response(error: ApiError) -> bytes:
    """Render an error as a complete HTTP response, for a connection without a request."""
    body = encode(error.body())
    lines = [
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in error.headers().items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
