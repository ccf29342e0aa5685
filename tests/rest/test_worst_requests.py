"""The most expensive requests to every route: none blocks the event loop or has a long response."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Awaitable, Callable, Hashable, Iterator
from functools import cache, partial
from itertools import islice
from urllib.parse import quote

import pytest

from chatd.core.errors import ApiError
from chatd.rest.request import MAX_BODY, MAX_VALUES, JsonListBody, parse_json
from chatd.rest.routing import Route
from chatd.rest.table import table
from chatd.rest.urlencoded import URLENCODED
from chatd.wire.payloads import encode
from tests.conftest import Server
from tests.helpers import loop_time
from tests.helpers.raw_http import Sender
from tests.helpers.routes import ALL_PERMISSIONS, route_stage
from tests.wire import worst
from tests.world import World

TABLE = {f"{route.method} {route.path}": route for route in table()}
MAX_ERROR_BYTES = 2**15
"""Maximum bytes of an error response."""

_LINE = 8000  # bytes of a header line; aiohttp accepts 8190


_SENT_STRIDE = 13
"""Every thirteenth of a route's worst bodies is sent in a request; all are read without one.

It is a prime, because the kinds of worst bodies repeat every 6, 10 or 17.
"""


def _bodies(route: Route) -> Iterator[worst.Body]:
    schema = getattr(route.body, "_schema", None)
    most = MAX_BODY if route.body is None or schema is None else route.body.max_bytes
    items = route.body.max_items if isinstance(route.body, JsonListBody) else None
    return worst.bodies(schema, most, max_items=items)


FORMS = {"multipart/form-data", URLENCODED}


def _takes_forms(route: Route) -> bool:
    return route.body is not None and not FORMS.isdisjoint(route.body.media)


def _forms(route: Route) -> Iterator[tuple[str, bytes]]:
    """Yield the worst forms of the kinds that the route takes."""
    assert route.body is not None
    if URLENCODED in route.body.media:
        yield from _urlencoded_forms(route.body.max_bytes)
    if "multipart/form-data" in route.body.media:
        yield from _multipart_forms(route)


def _multipart_forms(route: Route) -> Iterator[tuple[str, bytes]]:
    """Yield forms: the worst bodies as `payload_json` and as fields, then the worst forms."""
    assert route.body is not None
    schema = getattr(route.body, "_schema")  # noqa: B009  # of all kinds of bodies
    for body in islice(_bodies(route), 0, None, 7):  # so that it takes seconds
        yield _form([('form-data; name="payload_json"', body.write())])
    small = route.body.max_bytes // 64 - 100
    for name in worst.names(schema):
        head = f'form-data; name="{name}"'
        yield _form([(head, b"[" + b"[]," * (small // 3) + b"[]]")] * 60)
        yield _form([(head, b"[]," * (route.body.max_bytes // 3))])
        yield _form([(head, "\ufdfa".encode() * (route.body.max_bytes // 3 - 1))])
    for disposition in (
        'form-data; name="files[0]"; filename="' + "a" * 3500 + '"',
        'form-data; name="files[0]"; filename="' + "\ufdfa" * 1000 + '"',
        'form-data; name="files[0]"; filename="' + "%EF%B7%BA" * 400 + '"',
        'form-data; name="files[0]"; filename="' + "\\\\" * 1700 + '"',
        'form-data; name="files[0]"; filename*=' + "utf-8'" * 500,
        'form-data; name="files[0]"' + "; filename*" * 300,
        "form-data" + ";" * 3500,
        "form-data; name=" + "a" * 3500,
    ):
        yield _form([(disposition, b"x")])
    yield _form([(f'form-data; name="files[{n}]"; filename="a"', b"x") for n in range(64)])
    yield _form([('form-data; name="nothing"', b"\r\n--b" * 2**15)])
    yield "multipart/form-data; boundary=" + "a" * 70, (b"\r\n--" + b"a" * 69) * 3000


def _form(parts: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    written = b"".join(
        b"--border\r\nContent-Disposition: %b\r\n\r\n%b\r\n" % (disposition.encode(), data)
        for disposition, data in parts
    )
    return "multipart/form-data; boundary=border", written + b"--border--\r\n"


def _urlencoded_forms(max_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Yield forms without files in which each byte costs as much as it can."""
    for unit in (b"%41", b"%C3%BC", b"x%41", b"%", b"x%", b"+", b"&", b"=", b"[", b"%5B%5D%2C"):
        for name in (b"payload_json=", b"payload=", b"content=", b"embeds=", b"nothing="):
            yield URLENCODED, name + unit * ((max_bytes - len(name)) // len(unit))


def _queries(route: Route) -> Iterator[str]:
    names = list(route.query().fields) if route.query is not None else []
    for name in names:
        for flood in (*worst.FLOODS.values(), "1,", ",", "9", "-", "\u0661"):
            escaped = quote(flood)
            yield f"{name}={escaped * (_LINE // 2 // len(escaped))}"
        yield "&".join([f"{name}=1"] * (_LINE // (len(name) + 3)))
        yield "&".join([f"{name}=x"] * (_LINE // (len(name) + 3)))
    yield "&".join(f"{number:x}" for number in range(_LINE // 6))
    yield "&" * _LINE
    yield "=" * _LINE
    yield "%" * _LINE


def _heads() -> Iterator[tuple[str, str]]:
    yield "X-Audit-Log-Reason", quote("\ufdfa") * (_LINE // 9)
    yield "X-Audit-Log-Reason", "%" * _LINE
    yield "X-Audit-Log-Reason", quote("\U000e0041") * (_LINE // 12)
    yield "Cookie", "a=b;" * (_LINE // 4)
    yield "Cookie", 'a="\\' * (_LINE // 5)
    yield "Cookie", "=" * _LINE
    yield "Authorization", "Bearer " + "." * _LINE
    yield "Authorization", "Bearer " + "e30." * (_LINE // 4)
    yield "Authorization", "Bot " + "A" * _LINE
    yield "Authorization", " " * 4000 + "x" + " " * 3000
    yield "User-Agent", "\xa0" * _LINE
    yield "Content-Type", "application/json" + ";a=b" * (_LINE // 5)
    yield "Content-Type", 'multipart/form-data; boundary="' + "\\" * _LINE
    yield "Accept", "a/b," * (_LINE // 4)
    yield "Range", "bytes=" + "0-1," * (_LINE // 4)
    yield "If-None-Match", '"a",' * (_LINE // 4)
    yield "X-Forwarded-For", "1.1.1.1," * (_LINE // 8)
    yield "Origin", "http://" + "a." * (_LINE // 3)
    yield "Sec-WebSocket-Protocol", "a," * (_LINE // 2)
    for head in ("Content-Type", "Content-Encoding", "If-Modified-Since", "If-Range"):
        for mark in "\"(;,=<@[\\ *'":
            yield head, f"a/b{mark * _LINE}"
        yield head, "(" * _LINE
        yield head, '"' * _LINE


def _parts() -> Iterator[str]:
    """Return values for a parameter of a path."""
    for flood in ("\ufdfa", "\U0001f468\u200d", "\0", "9", "x"):
        escaped = quote(flood)
        yield escaped * (_LINE // 2 // len(escaped))


async def _hold_nothing(send: Callable[[], Awaitable[bytes]], about: object) -> bytes:
    """Send a request, up to three times, until it blocks the loop for a short time only."""
    for _ in range(loop_time.TRIES):
        with loop_time.turns() as measured:
            received = await send()
        assert received.startswith(b"HTTP/1.1 "), about
        status = int(received[9:12])
        assert status != 500, (about, received)
        assert status < 400 or len(received) < MAX_ERROR_BYTES, about
        if measured.longest_s < loop_time.MOST_S:
            return received
    raise AssertionError(f"{about} held the loop for {measured.longest_s:.3f} s")


DIFFERENT_BODIES = {
    route.body: name
    for name, route in TABLE.items()
    if route.body and hasattr(route.body, "_schema")
}
"""A route for each kind of body with a schema: several routes can share one."""


_REFUSED = set[tuple[Hashable, int]]()
"""The shapes of bodies that `parse_json` has refused in time, with how many values they may have.

It knows no schema: it refuses a body of this shape for all of them, and in the same time.
"""


@pytest.mark.parametrize("name", DIFFERENT_BODIES.values())
def test_worst_bodies_are_loaded_quickly(name: str) -> None:
    """Without a socket: parsing, validating, and building the errors."""
    body = TABLE[name].body
    schema = getattr(body, "_schema")  # noqa: B009  # of all kinds of bodies
    values = getattr(body, "max_values", MAX_VALUES)
    with loop_time.no_collection():
        for each in _bodies(TABLE[name]):
            has_shape = each.shape is not None and not isinstance(body, JsonListBody)
            if has_shape and (each.shape, values) in _REFUSED:
                continue
            sent = each.write()
            taken = []
            is_parsed = False
            for _ in range(loop_time.TRIES):
                began = time.thread_time()
                size = 0
                held = 0.0
                try:
                    if not isinstance(body, JsonListBody):
                        data = parse_json(sent, max_values=values)
                        is_parsed = True
                        schema.read(data)
                    else:
                        for _ in body.reading(sent):
                            if body.is_sliced:
                                held = max(held, time.thread_time() - began)
                                began = time.thread_time()
                except ApiError as refused:
                    size = len(encode(refused.body()))
                taken.append(max(held, time.thread_time() - began))
                if taken[-1] < loop_time.MOST_S:
                    break
            assert size < MAX_ERROR_BYTES, sent[:80]
            assert min(taken) < loop_time.MOST_S, sent[:80]
            if has_shape and not is_parsed:
                _REFUSED.add((each.shape, values))


@pytest.mark.parametrize("name", [name for name, route in TABLE.items() if route.body])
async def test_worst_bodies_do_not_block_the_loop(server: Server, world: World, name: str) -> None:
    sender, path, _ = await _at(server, world, name)
    route = TABLE[name]
    with loop_time.no_collection():
        for number, each in enumerate(islice(_bodies(route), 0, None, _SENT_STRIDE)):
            body = each.write()
            send = partial(sender.send, route.method, path, body)
            received = await _hold_nothing(send, (name, number, body[:80]))
            if received.startswith(b"HTTP/1.1 401") and not route.is_open:
                sender.token = (
                    await world.person(f"another{number}")
                ).token  # the account has logged out


@pytest.mark.parametrize("name", [name for name, route in TABLE.items() if route.query])
async def test_worst_queries_do_not_block_the_loop(server: Server, world: World, name: str) -> None:
    sender, path, _ = await _at(server, world, name)
    route = TABLE[name]
    with loop_time.no_collection():
        for query in _queries(route):
            send = partial(sender.send, route.method, f"{path}?{query}")
            await _hold_nothing(send, (name, query[:80]))


async def test_worst_paths_do_not_block_the_loop(server: Server, world: World) -> None:
    """All routes in one guild: a path with such a part changes nothing."""
    sender, _, names = await _at(server, world, "GET /health")
    with loop_time.no_collection():
        for name, route in TABLE.items():
            for key in names:
                for part in _parts() if f"{{{key}}}" in route.path else ():
                    path = _path(route, {**names, key: part})
                    send = partial(sender.send, route.method, path)
                    received = await _hold_nothing(send, (name, part[:80]))
                    assert not received.startswith(b"HTTP/1.1 2"), name


@pytest.mark.parametrize(
    "name",
    [
        "GET /invites/{code}",
        "POST /auth/login",
        "GET /attachments/{channel}/{file}/{filename}",
        "POST /channels/{channel_id}/messages",
        "PATCH /channels/{channel_id}",
    ],
)
async def test_worst_headers_do_not_block_the_loop(server: Server, world: World, name: str) -> None:
    sender, path, _ = await _at(server, world, name)
    body = b"{}" if TABLE[name].body else b""  # without a body, its type is not checked
    with loop_time.no_collection():
        for head, value in _heads():
            send = partial(sender.send, TABLE[name].method, path, body, f"{head}: {value}")
            await _hold_nothing(send, (name, head, value[:80]))


@pytest.mark.parametrize("name", [name for name, route in TABLE.items() if _takes_forms(route)])
async def test_worst_forms_do_not_block_the_loop(server: Server, world: World, name: str) -> None:
    sender, path, _ = await _at(server, world, name)
    route = TABLE[name]
    with loop_time.no_collection():
        for number, (kind, body) in enumerate(_forms(route)):
            send = partial(sender.send, route.method, path, body, f"Content-Type: {kind}")
            await _hold_nothing(send, (name, number, body[:200]))


async def _at(server: Server, world: World, name: str) -> tuple[Sender, str, dict[str, str]]:
    """Return a sender for the owner of a guild, the path of the route there, and its ids."""
    scene = await route_stage(world, everyone=ALL_PERMISSIONS)
    others = {
        "application": "1",
        "application_id": "1",
        "command_id": "1",
        "passkey_id": "1",
        "report_id": "1",
        "channel": "1",
        "file": "1",
        "guild": "1",
        "interaction_id": "1",
        "interaction_token": "x",
        "provider": "acme",
        "user": "1",
    }
    more = {"filename": "a.txt", "name": "a.png", "id_hash": "a", "settings_type": "1"}
    others |= {"integration_id": "1", "token_id": "1", "upload": "1", "uploaded_filename": "1"}
    others |= {"export": "1"}
    names = {**others, **more, **scene.names}
    return Sender(server, scene.guild.owner.token), _path(TABLE[name], names), names


def _path(route: Route, names: dict[str, str]) -> str:
    return route.path.format_map(names)


PACKED = {
    "one": ["Content-Encoding: gzip"],
    "two": ["Content-Encoding: identity", "Content-Encoding: gzip"],
    "deflate": ["Content-Encoding: deflate"],
    "unknown route": ["Content-Encoding: gzip"],
}


@cache
def _packed(encoding: str) -> bytes:
    """Return 100 MB of zeros, compressed."""
    compress = zlib.compress if encoding == "deflate" else gzip.compress
    return compress(bytes(100 * 2**20), 9)


@pytest.mark.parametrize("name", PACKED)
async def test_compressed_bodies_are_not_decompressed(
    server: Server, world: World, name: str
) -> None:
    """A body of 100 kB can have 100 MB when decompressed, and a refused body is read to its end."""
    sender, _, _ = await _at(server, world, "GET /health")
    packed = _packed("deflate" if name == "deflate" else "gzip")
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(packed), packed)
    heads = [*PACKED[name], "Transfer-Encoding: chunked", "Content-Type: application/json"]
    target = "/nothing" if name == "unknown route" else "/auth/login"
    with loop_time.no_collection():
        received = await _hold_nothing(partial(sender.chunked, target, body, *heads), name)
    assert 400 <= int(received[9:12]) < 500


async def test_headers_are_not_repeated_in_the_log(
    server: Server, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    sender, _, _ = await _at(server, world, "GET /health")
    upgrade = ["Upgrade: websocket", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
    offered = "Sec-WebSocket-Protocol: " + "marked," * 1000
    sender.is_upgrading = True
    await sender.send("GET", "/gateway?v=11", b"", *upgrade, "Sec-WebSocket-Version: 13", offered)
    assert "marked" not in caplog.text
