"""Messages in forms without files (application/x-www-form-urlencoded).

aiohttp sends them for a form whose parts are no files, as py-cord does for each response to an
interaction; curl sends them for `-d content=hello`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.rest import urlencoded
from chatd.rest.message_body import MAX_MESSAGE_BODY
from tests.helpers.invoker import invoker_of
from tests.world import Answer, Rest, World, like

HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


async def send(rest: Rest, method: str, path: str, fields: dict[str, Any] | bytes) -> Answer:
    """Send a form; values that are not text are sent as JSON."""
    if isinstance(fields, dict):
        fields = urlencode(
            {
                name: each if isinstance(each, str) else orjson.dumps(each).decode()
                for name, each in fields.items()
            }
        ).encode()
    return await rest.call(method, path, data=fields, headers=HEADERS)


async def test_messages_are_sent_and_edited(world: World) -> None:
    guild = await world.guild(owner="alice")
    rest, path = guild.owner.rest, f"/channels/{guild.general.id}/messages"
    body = {"content": "ünï & 100%", "embeds": [{"title": "+"}]}
    sent = (await send(rest, "POST", path, {"payload_json": body})).json
    assert (sent["content"], sent["embeds"][0]["title"]) == ("ünï & 100%", "+")
    edited = await send(rest, "PATCH", f"{path}/{sent['id']}", {"content": "a b", "embeds": []})
    assert edited.json == like(content="a b", embeds=[])
    both = {"content": "field", "tts": "true", "payload_json": {"content": "JSON"}}
    assert (await send(rest, "POST", path, both)).json == like(content="JSON", tts=True)


async def test_webhooks_send_and_edit(world: World) -> None:
    guild = await world.guild(owner="alice")
    made = await guild.owner.rest.post(f"/channels/{guild.general.id}/webhooks", {"name": "CI"})
    path = f"/webhooks/{made['id']}/{made['token']}"
    fields = {"content": "hello", "username": "ö"}
    sent = (await send(world.anonymous, "POST", f"{path}?wait=true", fields)).json
    assert (sent["content"], sent["author"]["username"]) == ("hello", "ö")
    edit = {"payload_json": {"content": "changed"}}
    edited = await send(world.anonymous, "PATCH", f"{path}/messages/{sent['id']}", edit)
    assert edited.json["content"] == "changed"
    slack = await send(world.anonymous, "POST", f"{path}/slack", {"payload": {"text": "grün"}})
    assert slack.status == 200
    shown = await guild.owner.rest.get(f"/channels/{guild.general.id}/messages?limit=1")
    assert shown[0]["content"] == "grün"


async def test_interactions_are_created_and_responded_to(world: World) -> None:
    invoker = await invoker_of(world)
    [bot] = await world.online("bot")
    path = f"/applications/{invoker.bot.id}/commands"
    await invoker.bot.rest.post(path, {"name": "ping", "description": "Answers"})
    ping = (await invoker.commands())["ping"]
    body = {"payload_json": invoker.body(2, invoker.of(ping))}
    assert (await send(invoker.person.rest, "POST", "/interactions", body)).status == 204
    received = (await bot.next("INTERACTION_CREATE")).d
    callback = f"/interactions/{received['id']}/{received['token']}/callback"
    response = {"payload_json": {"type": 4, "data": {"content": "pong"}}}
    assert (await send(world.anonymous, "POST", callback, response)).status == 204
    assert (await invoker.message())["content"] == "pong"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, 50006),
        (b"&&==&a=b", 400, 50006),
        (b"payload_json=", 400, 50109),
        (b"payload_json=%7B", 400, 50109),
        (b"payload_json=[]", 400, 50035),
        (b"content=%FF", 400, 50035),
        (b"content=\xff", 400, 50035),
        (b"content=%00", 400, 50035),
        (b"embeds=x", 400, 50035),
        (b"content=" + b"%41" * 2001, 400, 50035),
        (b"a=b&" * 64, 400, 50035),
        (b"content=" + b"x" * MAX_MESSAGE_BODY, 413, 40005),
    ],
)
async def test_bad_forms_are_refused(world: World, data: bytes, status: int, code: int) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    answer = await send(guild.owner.rest, "POST", path, data)
    assert (answer.status, answer.code) == (status, code), answer.raw
    assert await guild.owner.rest.get(path) == []


async def test_bytes_that_are_no_escapes_stay(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    answer = await send(guild.owner.rest, "POST", path, b"content=100%+%zz%4&content")
    assert answer.status == 400  # the last field of a name counts, and this one is empty
    answer = await send(guild.owner.rest, "POST", path, b"content=100%+%zz%4")
    assert answer.json["content"] == "100% %zz%4"


@given(st.lists(st.binary(max_size=3) | st.sampled_from([b"%41", b"%c3%bC", b"%00", b"%", b"+"])))
def test_values_are_decoded_as_by_the_standard_library(parts: list[bytes]) -> None:
    value = b"".join(parts).replace(b"&", b"")
    [(name, decoded)] = urlencoded.parse(b"name=" + value)
    assert (name, decoded) == ("name", unquote_to_bytes(value.replace(b"+", b" ")))
