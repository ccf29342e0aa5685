"""Messages of webhooks: sending them, and reading, editing and deleting them with the token."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
import pytest

from chatd.core.permissions import Permissions
from chatd.services.messages.send import MessageSender
from tests.conftest import ServeMore
from tests.helpers.images import data_uri, image_bytes
from tests.helpers.roles import assign_roles, create_role
from tests.helpers.webhooks import create_webhook, path_of, send
from tests.world import World, like, world_on

LINK = {"type": 1, "components": [{"type": 2, "style": 5, "label": "x", "url": "https://a.b"}]}

BUTTON = {"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "y"}]}


async def test_message_shows_the_webhook(world: World) -> None:
    guild = await world.guild(owner="alice")
    made = await create_webhook(guild, avatar=data_uri(image_bytes()))
    [client] = await world.online("alice")
    answer = await world.anonymous.call("POST", path_of(made), {"content": "hi", "tts": True})
    assert (answer.status, answer.raw) == (204, b"")
    said = (await client.next("MESSAGE_CREATE")).d
    assert said == like(
        content="hi",
        tts=True,
        type=0,
        guild_id=guild.id,
        channel_id=guild.general.id,
        webhook_id=made["id"],
        author=like(
            id=made["id"], username="Builds", avatar=made["avatar"], bot=True, discriminator="0000"
        ),
    )
    assert not said.keys() & {"member", "application_id"}
    sent = await send(world, made, content="with wait", username="Deploys")
    assert sent == like(content="with wait", author=like(username="Deploys"))
    page = await guild.owner.rest.get(f"/channels/{guild.general.id}/messages")
    assert [each["author"]["username"] for each in page] == ["Deploys", "Builds"]


async def test_message_with_files_and_embeds(world: World) -> None:
    guild = await world.guild(owner="alice")
    made = await create_webhook(guild)
    form = aiohttp.FormData()
    embeds = [{"title": "a", "image": {"url": "attachment://a.txt"}}, *[{"title": "b"}] * 9]
    form.add_field("payload_json", orjson.dumps({"embeds": embeds}).decode())
    form.add_field("files[0]", b"data", filename="a.txt")
    answer = await world.anonymous.call("POST", f"{path_of(made)}?wait=true", data=form)
    assert answer.status == 200
    sent = answer.json
    assert len(sent["embeds"]) == 10
    [file] = sent["attachments"]
    url = file["url"].removeprefix("http://chatd.test")
    assert (await world.anonymous.call("GET", url)).raw == b"data"
    assert sent["embeds"][0]["image"]["url"] == file["url"]
    changed = await world.anonymous.patch(
        f"{path_of(made)}/messages/{sent['id']}", {"attachments": [], "embeds": [], "content": "x"}
    )
    assert changed == like(attachments=[], embeds=[], content="x")


async def test_mentions_are_limited_by_allowed_mentions_only(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    role = await create_role(guild, "quiet")  # not mentionable
    made = await create_webhook(guild)
    text = f"@everyone <@{bob.id}> <@&{role}>"
    deny = {"type": 0, "deny": str(Permissions.MENTION_EVERYONE.value)}
    await guild.owner.rest.put(f"/channels/{guild.general.id}/permissions/{guild.id}", deny)
    all_of_them = await send(world, made, content=text)
    assert all_of_them == like(mention_everyone=True, mention_roles=[role])
    assert [each["id"] for each in all_of_them["mentions"]] == [bob.id]
    none = await send(world, made, content=text, allowed_mentions={"parse": []})
    assert none == like(mention_everyone=False, mention_roles=[], mentions=[])


async def test_slow_mode_and_permissions_do_not_apply(world: World) -> None:
    guild = await world.guild(owner="alice")
    made = await create_webhook(guild)
    rest, general = guild.owner.rest, f"/channels/{guild.general.id}"
    await rest.patch(general, {"rate_limit_per_user": 600})
    everything = str(int(Permissions.VIEW_CHANNEL | Permissions.SEND_MESSAGES))
    await rest.put(f"{general}/permissions/{guild.id}", {"type": 0, "deny": everything})
    for _ in "12":
        await send(world, made, content="x", embeds=[{"title": "y"}])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 50006),
        ({"content": " "}, 50006),
        ({"username": "x"}, 50006),
        ({"content": "x" * 2001}, 50035),
        ({"content": "x", "username": "clyde"}, 50035),
        ({"content": "x", "username": ""}, 50035),
        ({"content": "x", "username": "x" * 81}, 50035),
        ({"content": "x", "avatar_url": "ftp://a.b/c"}, 50035),
        ({"content": "x", "avatar_url": "https://a.b/" + "c" * 2048}, 50035),
        ({"content": "x", "flags": 64}, 50035),
        ({"content": "x", "thread_name": "y"}, 50035),
        ({"content": "x", "poll": {"question": {"text": "?"}}}, 50035),
        ({"embeds": [{"title": "x"}] * 11}, 50035),
        ({"content": "x", "components": [BUTTON]}, 50035),
        ({"content": "x", "flags": 32768, "components": [{"type": 10, "content": "y"}]}, 50035),
    ],
)
async def test_bad_message_is_refused(world: World, body: dict[str, Any], code: int) -> None:
    guild = await world.guild(owner="alice")
    made = await create_webhook(guild)
    path = f"{path_of(made)}?with_components=1"
    answer = await world.anonymous.call("POST", path, body)
    assert (answer.status, answer.code) == (400, code)
    assert await guild.owner.rest.get(f"/channels/{guild.general.id}/messages") == []


async def test_threads_are_refused(world: World) -> None:
    guild = await world.guild(owner="alice")
    made = await create_webhook(guild)
    path = f"{path_of(made)}?thread_id=1"
    answer = await world.anonymous.call("POST", path, {"content": "x"})
    assert (answer.status, answer.code) == (400, 50035)
    assert "thread_id" in answer.json["errors"]


async def test_components_depend_on_the_application(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    role = await create_role(guild, "hooks", int(Permissions.MANAGE_WEBHOOKS))
    await assign_roles(world, guild, "bot", role)
    made = await create_webhook(guild)
    sent = await send(world, made, content="x", components=[LINK])
    assert sent["components"][0]["components"][0]["label"] == "x"
    v2 = await send(world, made, flags=32768, components=[{"type": 10, "content": "y"}])
    assert v2["components"] == [like(type=10, content="y")]
    # Without `with_components`, they have no effect.
    path = f"{path_of(made)}?wait=1"
    ignored = await world.anonymous.post(path, {"content": "x", "components": [LINK]})
    assert ignored["components"] == []
    edited = await world.anonymous.call(
        "PATCH",
        f"{path_of(made)}/messages/{sent['id']}?with_components=true",
        {"components": [BUTTON]},
    )
    assert (edited.status, edited.code) == (400, 50035)
    of_bot = await bot.rest.post(f"/channels/{guild.general.id}/webhooks", {"name": "Bot"})
    path = f"{path_of(of_bot)}?wait=true"
    sent = await world.anonymous.post(path, {"content": "x", "components": [BUTTON]})
    assert sent == like(application_id=bot.id, webhook_id=of_bot["id"])
    assert sent["components"][0]["components"][0]["custom_id"] == "y"


async def test_message_is_read_edited_and_deleted_with_the_token(world: World) -> None:
    guild = await world.guild(owner="alice")
    made, other = await create_webhook(guild), await create_webhook(guild)
    sent = await send(world, made, content="before", username="Deploys")
    path = f"{path_of(made)}/messages/{sent['id']}"
    assert await world.anonymous.get(path) == sent
    [client] = await world.online("alice")
    changed = await world.anonymous.patch(path, {"content": "after"})
    assert changed == like(content="after", author=like(username="Deploys"))
    assert (await client.next("MESSAGE_UPDATE")).d == like(id=sent["id"], content="after")
    # Another webhook and the members do not edit it.
    foreign = f"{path_of(other)}/messages/{sent['id']}"
    own = await guild.owner.rest.post(f"/channels/{guild.general.id}/messages", {"content": "x"})
    for there in (foreign, f"{path_of(made)}/messages/{own['id']}", f"{path_of(made)}/messages/1"):
        for method, body in (("GET", None), ("PATCH", {"content": "x"}), ("DELETE", None)):
            answer = await world.anonymous.call(method, there, body)
            assert (answer.status, answer.code) == (404, 10008)
    original = f"{path_of(made)}/messages/@original"
    assert (await world.anonymous.call("GET", original)).code == 10008
    answer = await guild.owner.rest.call(
        "PATCH", f"/channels/{guild.general.id}/messages/{sent['id']}", {"content": "x"}
    )
    assert (answer.status, answer.code) == (403, 50005)
    empty = await world.anonymous.call("PATCH", path, {"content": ""})
    assert (empty.status, empty.code) == (400, 50006)
    assert (await world.anonymous.call("DELETE", path)).status == 204
    assert (await client.next("MESSAGE_DELETE")).d["id"] == sent["id"]


async def test_members_do_with_it_what_they_do_with_messages(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    made = await create_webhook(guild)
    sent, second = [await send(world, made, content=f"needle {each}") for each in "12"]
    rest, bob = guild.owner.rest, world.rest("bob")
    path = f"/channels/{guild.general.id}/messages"
    await bob.put(f"{path}/{sent['id']}/reactions/{quote('👍')}/@me")
    await rest.put(f"{path}/pins/{sent['id']}")
    reference = {"message_id": sent["id"]}
    reply = await bob.post(path, {"content": "re", "message_reference": reference})
    assert reply["referenced_message"]["author"] == like(username="Builds", discriminator="0000")
    assert reply["mentions"] == []
    search = f"/guilds/{guild.id}/messages/search?author_type="
    for kind, contents in (
        ("webhook", {"needle 1", "needle 2"}),
        ("user", {"re"}),
        ("-webhook", {"re"}),
        ("bot", set()),
        ("-bot", {"needle 1", "needle 2", "re"}),
    ):
        found = await rest.get(search + kind)
        shown = {each["content"] for [each] in found["messages"] if each["type"] != 6}
        assert shown == contents, kind
    found = await rest.get(f"/guilds/{guild.id}/messages/search?author_id={made['id']}")
    assert found["total_results"] == 2
    await rest.delete(f"/webhooks/{made['id']}")
    page = await rest.get(path)
    assert {each["content"] for each in page} == {"needle 1", "needle 2", "re", ""}
    await rest.post(f"{path}/bulk-delete", {"messages": [sent["id"], second["id"]]})
    assert {each["content"] for each in await rest.get(path)} == {"re", ""}


@pytest.mark.parametrize("change", ["delete", "move"])
async def test_message_never_arrives_where_its_webhook_has_left(
    world: World, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """The webhook changes after the message was authorized, before it is inserted."""
    guild = await world.guild(owner="alice")
    side = await guild.channel("side")
    made = await create_webhook(guild)
    rest, path = guild.owner.rest, f"/webhooks/{made['id']}"
    authorized, go_on = asyncio.Event(), asyncio.Event()
    inserting = "chatd.services.messages.send.MessageSender.insert"
    insert = MessageSender.insert

    async def wait_first(self: MessageSender, *args: Any, **kwargs: Any) -> Any:
        if not authorized.is_set():
            authorized.set()
            await go_on.wait()
        return await insert(self, *args, **kwargs)

    monkeypatch.setattr(inserting, wait_first)
    sending = asyncio.create_task(
        world.anonymous.call("POST", f"{path_of(made)}?wait=true", {"content": "x"})
    )
    await authorized.wait()
    if change == "delete":
        await rest.delete(path)
    else:
        await rest.patch(path, {"channel_id": side.id})
    go_on.set()
    answer = await sending
    there = await rest.get(f"/channels/{guild.general.id}/messages")
    assert there == []
    if change == "delete":
        assert (answer.status, answer.code) == (404, 10015)
    else:
        assert answer.json["channel_id"] == side.id
        [message] = await rest.get(f"/channels/{side.id}/messages")
        assert message["id"] == answer.json["id"]
        # What it has sent before belongs to the other channel.
        assert await world.anonymous.get(f"{path_of(made)}/messages/{message['id']}") == message


async def test_webhook_of_a_deleted_channel_or_guild_is_unknown(world: World) -> None:
    guild = await world.guild(owner="alice")
    made = await create_webhook(guild)
    side = await guild.channel("side")
    rest = guild.owner.rest
    there = await rest.post(f"/channels/{side.id}/webhooks", {"name": "x"})
    await rest.delete(f"/channels/{side.id}")
    assert (await world.anonymous.call("POST", path_of(there), {"content": "x"})).code == 10015
    await rest.delete(f"/guilds/{guild.id}")
    assert (await world.anonymous.call("POST", path_of(made), {"content": "x"})).code == 10015


async def test_five_messages_are_sent_in_two_seconds(world: World, serve_more: ServeMore) -> None:
    guild = await world.guild(owner="alice")
    made = await create_webhook(guild)
    async with (
        serve_more(worker_id=14, rate_limits=True) as server,
        world_on(server.url, server.gateway_url) as limited,
    ):
        sent = (limited.anonymous.call("POST", path_of(made), {"content": "x"}) for _ in range(6))
        answers = await asyncio.gather(*sent)
    assert sorted(answer.status for answer in answers) == [204] * 5 + [429]
