"""Messages: sending, reading, editing and deleting them."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.examples import examples
from tests.world import World, like


async def test_event_is_delivered_before_the_response_to_the_sender(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    path = f"/channels/{guild.general.id}/messages"
    alice_client, bob_client = await world.online("alice", "bob")
    sent = await world.rest("bob").post(path, {"content": " hi  there ", "nonce": "n1"})
    assert sent == like(content="hi  there", type=0, nonce="n1", edited_timestamp=None, tts=False)
    for client in (alice_client, bob_client):
        [created] = await client.received_before_fence()
        assert created.t == "MESSAGE_CREATE"
        assert created.d == like(**sent, guild_id=guild.id)
        assert created.d["member"] == like(nick=None, roles=[])
        assert "user" not in created.d["member"]
    [stored] = await world.rest("alice").get(path)
    assert "nonce" not in stored
    assert stored == {name: value for name, value in sent.items() if name != "nonce"}
    assert datetime.fromisoformat(stored["timestamp"]).utcoffset() is not None


@pytest.mark.parametrize(("tts", "is_read"), [("false", False), ("true", True), (None, False)])
async def test_tts_may_be_a_word(world: World, tts: str | None, is_read: bool) -> None:
    """endcord sends a word with each message."""
    guild = await world.guild(owner="alice")
    sent = await guild.owner.rest.post(
        f"/channels/{guild.general.id}/messages", {"content": "hi", "tts": tts}
    )
    assert sent == like(content="hi", tts=is_read)


async def test_history_pages_before_after_and_around(world: World) -> None:
    guild = await world.guild(owner="alice")
    rest = world.rest("alice")
    path = f"/channels/{guild.general.id}/messages"
    ids = [(await rest.post(path, {"content": str(n)}))["id"] for n in range(7)]
    assert ids == sorted(ids, key=int)

    async def page(query: str) -> list[int]:
        return [ids.index(message["id"]) for message in await rest.get(f"{path}?{query}")]

    assert await page("") == [6, 5, 4, 3, 2, 1, 0]
    assert await page("limit=2") == [6, 5]
    assert await page(f"limit=2&before={ids[5]}") == [4, 3]
    assert await page(f"limit=2&after={ids[1]}") == [3, 2]  # nearest to the cursor, newest first
    assert await page(f"limit=3&around={ids[3]}") == [4, 3, 2]
    assert await page(f"limit=1&around={ids[3]}") == [3]
    assert await page(f"after={ids[6]}") == []
    assert await page(f"before={ids[0]}") == []


async def test_page_has_the_bytes_of_each_message(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"], quiet=False)
    alice, bob = await world.people("alice", "bob")
    path = f"/channels/{guild.general.id}/messages"
    first = await alice.rest.post(path, {"content": 'text \u2028 "\\" \U0001f600\n'})
    reference = {"message_reference": {"message_id": first["id"]}}
    for person, body in (
        (bob, {"content": "hi", "tts": True}),
        (bob, {"content": "reply", **reference}),
        (alice, {"content": f"<@{bob.id}> @everyone"}),
        (alice, {"embeds": [{"title": "embed"}]}),
        (alice, {"content": "silent", "flags": 1 << 12}),
        (alice, {"content": "edited"}),
        (alice, {"content": "pinned"}),
        (alice, {"content": "reacted to"}),
        (alice, {"content": "last"}),
    ):
        made = await person.rest.post(path, body)
        if body.get("content") == "edited":
            await person.rest.patch(f"{path}/{made['id']}", {"content": "changed"})
        if body.get("content") == "pinned":
            await person.rest.put(f"/channels/{guild.general.id}/pins/{made['id']}")
        if body.get("content") == "reacted to":
            await person.rest.put(f"{path}/{made['id']}/reactions/%F0%9F%91%8D/@me")
    hook = await alice.rest.post(f"/channels/{guild.general.id}/webhooks", {"name": "hook"})
    await world.anonymous.post(
        f"/webhooks/{hook['id']}/{hook['token']}?wait=true", {"content": "by a webhook"}
    )
    for rest in (alice.rest, bob.rest):
        listed = await rest.call("GET", path)
        assert len(listed.json) >= 12
        alone = [(await rest.call("GET", f"{path}/{each['id']}")).raw for each in listed.json]
        assert listed.raw == b"[%b]" % b",".join(alone)


async def test_reply_contains_the_referenced_message(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    path = f"/channels/{guild.general.id}/messages"
    [client] = await world.online("alice")
    question = await world.rest("alice").post(path, {"content": "?"})
    reference = {"message_id": question["id"]}
    reply = await world.rest("bob").post(path, {"content": "!", "message_reference": reference})
    assert reply == like(type=19, referenced_message=question)
    assert reply["message_reference"] == {
        "type": 0,
        "channel_id": guild.general.id,
        "guild_id": guild.id,
        "message_id": question["id"],
    }
    await client.next("MESSAGE_CREATE")
    assert (await client.next("MESSAGE_CREATE")).d["referenced_message"] == question
    await world.rest("alice").delete(f"{path}/{question['id']}")
    [left] = await world.rest("alice").get(path)
    assert left == like(id=reply["id"], referenced_message=None)


async def test_reply_to_unknown_message(world: World) -> None:
    guild = await world.guild(owner="alice")
    elsewhere = await guild.channel("elsewhere")
    rest = world.rest("alice")
    path = f"/channels/{guild.general.id}/messages"
    other = await rest.post(f"/channels/{elsewhere.id}/messages", {"content": "here"})
    for message_id in ("1", other["id"]):
        body = {"content": "!", "message_reference": {"message_id": message_id}}
        refused = await rest.call("POST", path, body)
        assert (refused.status, refused.code) == (400, 50035)
        body["message_reference"] = {"message_id": message_id, "fail_if_not_exists": False}
        assert (await rest.post(path, body))["type"] == 0


async def test_author_edits_a_message(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    path = f"/channels/{guild.general.id}/messages"
    sent = await world.rest("bob").post(path, {"content": "helo"})
    [client] = await world.online("alice")
    edited = await world.rest("bob").patch(f"{path}/{sent['id']}", {"content": "hello"})
    assert edited == like(id=sent["id"], content="hello", timestamp=sent["timestamp"])
    assert edited["edited_timestamp"] is not None
    update = (await client.next("MESSAGE_UPDATE")).d
    assert update == like(**edited, guild_id=guild.id)
    assert await world.rest("alice").get(f"{path}/{sent['id']}") == edited


async def test_author_edits_content_and_moderator_edits_flags(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    path = f"/channels/{guild.general.id}/messages"
    sent = await world.rest("bob").post(path, {"content": "mine"})
    message = f"{path}/{sent['id']}"
    refused = await world.rest("alice").call("PATCH", message, {"content": "yours"})
    assert (refused.status, refused.code) == (403, 50005)
    flagged = await world.rest("alice").patch(message, {"flags": 4})
    assert flagged == like(flags=4, content="mine")
    refused = await world.rest("carol").call("PATCH", message, {"flags": 0})
    assert (refused.status, refused.code) == (403, 50013)


async def test_author_and_moderator_delete_messages(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    path = f"/channels/{guild.general.id}/messages"
    own, other = [await world.rest("bob").post(path, {"content": text}) for text in ("one", "two")]
    [client] = await world.online("carol")
    refused = await world.rest("carol").call("DELETE", f"{path}/{own['id']}")
    assert (refused.status, refused.code) == (403, 50013)
    await world.rest("bob").delete(f"{path}/{own['id']}")
    assert (await client.next("MESSAGE_DELETE")).d == {
        "id": own["id"],
        "channel_id": guild.general.id,
        "guild_id": guild.id,
    }
    await world.rest("alice").delete(f"{path}/{other['id']}")
    again = await world.rest("alice").call("DELETE", f"{path}/{other['id']}")
    assert (again.status, again.code) == (404, 10008)
    assert await world.rest("alice").get(path) == []


async def test_message_is_accessible_only_through_its_own_channel(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    sent = await world.rest("alice").post(
        f"/channels/{guild.general.id}/messages", {"content": "hands off"}
    )
    trap = await world.guild(owner="bob")
    path = f"/channels/{trap.general.id}/messages/{sent['id']}"
    for method, body in (("GET", None), ("PATCH", {"flags": 4}), ("DELETE", None)):
        answer = await world.rest("bob").call(method, path, body)
        assert (answer.status, answer.code) == (404, 10008)


async def test_non_members_can_neither_read_nor_write(world: World) -> None:
    guild = await world.guild(owner="alice")
    carol = await world.person("carol")
    path = f"/channels/{guild.general.id}/messages"
    sent = await world.rest("alice").post(path, {"content": "secret"})
    for method, where, body in (
        ("GET", path, None),
        ("POST", path, {"content": "hi"}),
        ("GET", f"{path}/{sent['id']}", None),
        ("PATCH", f"{path}/{sent['id']}", {"content": "x"}),
        ("DELETE", f"{path}/{sent['id']}", None),
    ):
        answer = await carol.rest.call(method, where, body)
        assert (answer.status, answer.code) == (403, 50001), method


async def test_former_member_cannot_write_with_cached_access(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    path = f"/channels/{guild.general.id}/messages"
    await bob.rest.post(path, {"content": "still here"})
    await bob.rest.delete(f"/users/@me/guilds/{guild.id}")
    answer = await bob.rest.call("POST", path, {"content": "and gone"})
    assert (answer.status, answer.code) == (403, 50001)
    await guild.admit(bob)
    await bob.rest.post(path, {"content": "back"})


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, 50006, None),
        ({"content": ""}, 50006, None),
        ({"content": " \n\t "}, 50006, None),
        ({"content": None}, 50006, None),
        ({"content": "x" * 2001}, 50035, "content"),
        ({"content": 5}, 50035, "content"),
        ({"content": "a\0b"}, 50035, "content"),
        ({"content": "x", "tts": 1}, 50035, "tts"),
        ({"content": "x", "flags": -1}, 50035, "flags"),
        ({"content": "x", "flags": 2**31}, 50035, "flags"),
        ({"content": "x", "nonce": "x" * 26}, 50035, "nonce"),
        ({"content": "x", "nonce": 1.5}, 50035, "nonce"),
        ({"content": "x", "message_reference": "1"}, 50035, "message_reference"),
        ({"content": "x", "message_reference": {}}, 50035, "message_reference"),
        ({"content": "x", "message_reference": {"message_id": 2**63}}, 50035, "message_reference"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_invalid_message_is_rejected(
    world: World, body: dict[str, object], code: int, field: str | None
) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    answer = await world.rest("alice").call("POST", path, body)
    assert (answer.status, answer.code) == (400, code)
    if field is not None:
        assert answer.json["errors"].keys() == {field}
    assert await world.rest("alice").get(path) == []


async def test_longest_message_is_accepted_in_every_script(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    for character in ("x", "ä", "漢", "🦆"):
        sent = await world.rest("alice").post(path, {"content": character * 2000})
        assert sent["content"] == character * 2000


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.text(max_size=2000))
async def test_content_is_returned_unchanged(world: World, text: str) -> None:
    if "shelf" not in world.shelf:
        world.shelf["shelf"] = await world.guild(owner="alice")
    path = f"/channels/{world.shelf['shelf'].general.id}/messages"
    answer = await world.rest("alice").call("POST", path, {"content": text})
    if answer.status == 200:
        assert answer.json["content"] == text.strip()
        [newest] = await world.rest("alice").get(f"{path}?limit=1")
        assert newest["content"] == text.strip()
    else:
        assert answer.status == 400
        assert "\0" in text or not text.strip()


async def test_concurrent_messages_have_one_order_for_all_clients(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    clients = await world.online("alice", "bob", "carol")
    path = f"/channels/{guild.general.id}/messages"
    sent = await asyncio.gather(
        *(
            world.rest(name).post(path, {"content": f"{name} {n}"})
            for n in range(40)
            for name in ("alice", "bob", "carol")
        )
    )
    in_order = sorted((message["id"] for message in sent), key=int)
    for client in clients:
        received = [each.d["id"] for each in await client.received_before_fence()]
        assert received == in_order


async def test_invalid_cursors_and_limits_name_the_parameter(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    for query, field in (
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("before=x", "before"),
        ("after=-1", "after"),
        ("around=9223372036854775808", "around"),
        ("before=1&after=1", "before"),
    ):
        answer = await world.rest("alice").call("GET", f"{path}?{query}")
        assert (answer.status, answer.code) == (400, 50035), query
        assert answer.json["errors"].keys() == {field}
