"""Message search, among scanned and among indexed messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatd.core.permissions import EVERYONE, Permissions
from chatd.db.pool import Database
from tests.helpers.roles import assign_roles, create_role
from tests.rest.searching import Index, say, search, texts
from tests.world import Channel, World

SAID = [
    "The quick brown fox",
    "jumps over the lazy dog",
    "Brown bears\nfish for salmon",
    "100% sure_thing \\o/ C:\\temp",
    'she said "quick!" to me',
    "吾輩は猫である。名前はまだ無い",
    "犬も歩けば棒に当たる",
    "ＦＵＬＬ　ｗｉｄｔｈ　ﬁne",
    "Straße ΣΊΣΥΦΟΣ İstanbul",
    "a",
    "cafe\u0301 au lait",
    "한국어 검색",
]


FOUND = [
    ("fox", [0]),
    ("FOX", [0]),
    ("brown", [2, 0]),
    ("row", [2, 0]),
    ("brown quick", [0]),
    ("quick bears", []),
    ("ick", [4, 0]),
    ("ck bro", [0]),
    ('"quick brown"', [0]),
    ('"brown quick"', []),
    ('"bears fish"', [2]),
    ('"  quick   BROWN "', [0]),
    ('"the quick" fox', [0]),
    ("%", [3]),
    ("0% s", [3]),
    ("100%", [3]),
    ("1%0", []),
    ("e_t", [3]),
    ("_", [3]),
    ("\\", [3]),
    ("c:\\t", [3]),
    ("\\%", []),
    ('quick!"', [4]),
    ('"quick!', [4]),
    ("'", []),
    ("猫", [5]),
    ("は猫", [5]),
    ("猫であ", [5]),
    ("名前はまだ無い", [5]),
    ("猫 無い", [5]),
    ("犬", [6]),
    ("に", [6]),
    ("無犬", []),
    ("full", [7]),
    ("ｆｕｌｌ", [7]),
    ("width fine", [7]),
    ("fi", [7, 2]),
    ("STRASSE", [8]),
    ("straße", [8]),
    ("σίσυφος", [8]),
    ("a", [10, 9, 8, 4, 2, 1]),
    ("caf\u00e9", [10]),
    ("검", [11]),
    ("국어", [11]),
    ("zzz", []),
]


async def test_content_search_finds_matching_messages(world: World, index: Index) -> None:
    guild = await world.guild(owner="alice")
    alice = guild.owner.rest
    await say(alice, guild.general, *SAID)
    await index(guild.id)
    for content, wanted in FOUND:
        expected = [SAID[number] for number in wanted]
        for place in (guild, guild.general):
            assert await texts(alice, place, content=content) == expected, content
        backwards = await texts(alice, guild, content=content, sort_order="asc")
        assert backwards == expected[::-1], content


async def test_search_without_content_finds_all_messages(world: World, index: Index) -> None:
    guild = await world.guild(owner="alice")
    await say(guild.owner.rest, guild.general, "one", "two", "three", "four")
    await index(guild.id)
    for query in ({}, {"content": ""}, {"content": " \t"}, {"content": '""'}):
        assert await texts(guild.owner.rest, guild, **query) == ["four", "three", "two", "one"]


async def test_hit_contains_the_whole_message(world: World, index: Index) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    path = f"/channels/{guild.general.id}/messages"
    embed = {"title": "apple"}
    body = {"content": f"<@{bob.id}> apple", "embeds": [embed]}
    sent = await guild.owner.rest.post(path, body)
    await bob.rest.put(f"{path}/{sent['id']}/reactions/%F0%9F%91%8D/@me")
    await index(guild.id)
    for place in (guild, guild.general):
        found = await search(bob.rest, place, content="apple")
        [stored] = await bob.rest.get(path)
        assert found == {
            "messages": [[{**stored, "hit": True}]],
            "total_results": 1,
            "doing_deep_historical_index": False,
            "threads": [],
            "members": [],
        }


async def test_search_finds_only_readable_messages(world: World, index: Index) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    alice = guild.owner.rest
    bob, carol = await world.people("bob", "carol")
    hidden, mute, open_ = [await guild.channel(name) for name in ("hidden", "mute", "open")]
    role = await create_role(guild, "staff")
    await assign_roles(world, guild, "carol", role)
    for channel, bits in (
        (hidden, Permissions.VIEW_CHANNEL),
        (mute, Permissions.READ_MESSAGE_HISTORY),
    ):
        path = f"/channels/{channel.id}/permissions"
        await alice.put(f"{path}/{guild.id}", {"type": 0, "deny": str(int(bits))})
        await alice.put(f"{path}/{role}", {"type": 0, "allow": str(int(bits))})
    for channel in guild.channels:
        await say(alice, channel, f"pear in {channel.name}")
    await index(guild.id)

    everywhere = ["pear in open", "pear in mute", "pear in hidden", f"pear in {guild.general.name}"]
    assert await texts(alice, guild, content="pear") == everywhere
    assert await texts(carol.rest, guild, content="pear") == everywhere
    assert await texts(bob.rest, guild, content="pear") == [everywhere[0], everywhere[3]]
    assert await texts(bob.rest, guild, content="pear", channel_id=[hidden.id, mute.id]) == []
    ids = [hidden.id, open_.id]
    assert await texts(bob.rest, guild, content="pear", channel_id=ids) == ["pear in open"]
    for channel, code in ((hidden, 50001), (mute, 50013)):
        answer = await bob.rest.call("GET", f"/channels/{channel.id}/messages/search")
        assert (answer.status, answer.code) == (403, code)
    await alice.delete(f"/guilds/{guild.id}/members/{carol.id}/roles/{role}")
    assert await texts(carol.rest, guild, content="pear") == [everywhere[0], everywhere[3]]
    await alice.delete(f"/channels/{open_.id}")
    assert await texts(carol.rest, guild, content="pear") == [everywhere[3]]
    other = await world.guild(owner="mallory")
    assert await texts(other.owner.rest, other, channel_id=guild.general.id) == []


async def test_non_members_and_banned_users_cannot_search(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, mallory = await world.people("bob", "mallory")
    await say(guild.owner.rest, guild.general, "plum")
    assert await texts(bob.rest, guild, content="plum") == ["plum"]
    await guild.owner.rest.put(f"/guilds/{guild.id}/bans/{bob.id}", {})
    for person in (bob, mallory):
        for path in (f"/guilds/{guild.id}", f"/channels/{guild.general.id}"):
            answer = await person.rest.call("GET", f"{path}/messages/search?content=plum")
            assert (answer.status, answer.code) == (403, 50001)


async def test_timed_out_member_may_search(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, alice = await world.person("bob"), guild.owner.rest
    hidden = await guild.channel("hidden")
    bits = {"type": 0, "deny": str(int(Permissions.READ_MESSAGE_HISTORY))}
    await alice.put(f"/channels/{hidden.id}/permissions/{guild.id}", bits)
    await say(alice, guild.general, "fig")
    await say(alice, hidden, "fig")
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    path = f"/guilds/{guild.id}/members/{bob.id}"
    await alice.patch(path, {"communication_disabled_until": until})
    assert await texts(bob.rest, guild, content="fig") == ["fig"]
    without = int(EVERYONE & ~Permissions.READ_MESSAGE_HISTORY)
    await alice.patch(f"/guilds/{guild.id}/roles/{guild.id}", {"permissions": str(without)})
    assert await texts(bob.rest, guild, content="fig") == []


async def test_search_in_a_private_channel(world: World, index: Index) -> None:
    alice, bob, mallory = await world.friends("alice", "bob", "mallory")
    made = await alice.rest.post("/users/@me/channels", {"recipient_id": bob.id})
    channel = Channel(made["id"], "")
    await say(alice.rest, channel, "quince", "apple", "quinces")
    await index(channel.id)
    assert await texts(bob.rest, channel, content="quince") == ["quinces", "quince"]
    answer = await mallory.rest.call("GET", f"/channels/{channel.id}/messages/search")
    assert (answer.status, answer.code) == (403, 50001)


async def test_search_filters(world: World, index: Index) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    alice = guild.owner.rest
    bob, carol = await world.people("bob", "carol")
    side = await guild.channel("side")
    [first] = await say(alice, guild.general, "nut one")
    [second] = await say(bob.rest, guild.general, f"nut two <@{carol.id}>")
    [third] = await say(bob.rest, side, "nut three https://example.org/x")
    [fourth] = await say(carol.rest, side, f"nut four <@{bob.id}> <@{carol.id}> @everyone")
    path = f"/channels/{side.id}/messages"
    body = {"content": "nut five", "embeds": [{"title": "x"}]}
    fifth = (await alice.post(path, body))["id"]
    await alice.put(f"/channels/{guild.general.id}/messages/pins/{first}")
    await index(guild.id)

    ids = [first, second, third, fourth, fifth]
    for query, wanted in (
        ({"author_id": bob.id}, [3, 2]),
        ({"author_id": [bob.id, carol.id]}, [4, 3, 2]),
        ({"author_id": "1"}, []),
        ({"mentions": carol.id}, [4, 2]),
        ({"mentions": bob.id}, [4]),
        ({"mentions": [bob.id, carol.id], "author_id": bob.id}, [2]),
        ({"mention_everyone": "true"}, [4]),
        ({"mention_everyone": "false"}, [5, 3, 2, 1]),
        ({"channel_id": side.id}, [5, 4, 3]),
        ({"channel_id": [side.id, guild.general.id]}, [5, 4, 3, 2, 1]),
        ({"has": "link"}, [3]),
        ({"has": "-link"}, [5, 4, 2, 1]),
        ({"has": "embed"}, [5]),
        ({"has": ["-embed", "-link"]}, [4, 2, 1]),
        ({"has": ["link", "embed"]}, []),
        ({"has": "file"}, []),
        ({"has": ["-file", "-image", "-video", "-sound"]}, [5, 4, 3, 2, 1]),
        ({"pinned": "true"}, [1]),
        ({"pinned": "false"}, [5, 4, 3, 2]),
        ({"min_id": second}, [5, 4, 3]),
        ({"max_id": third}, [2, 1]),
        ({"min_id": first, "max_id": fourth}, [3, 2]),
        ({"min_id": fourth, "max_id": first}, []),
        ({"min_id": 2**63 - 1}, []),
        ({"max_id": 0}, []),
        ({"content": "o", "author_id": bob.id}, [3, 2]),
        ({"content": "two", "author_id": carol.id}, []),
    ):
        for order, step in (("desc", 1), ("asc", -1)):
            asked: dict[str, Any] = {"content": "nut", "sort_order": order, **query}
            found = await search(bob.rest, guild, **asked)
            shown = [message["id"] for [message] in found["messages"]]
            assert shown == [ids[number - 1] for number in wanted][::step], query


FILES = ["image/png", "video/mp4", "audio/ogg", "text/plain"]


async def test_search_by_attachment_kind(world: World, index: Index, database: Database) -> None:
    guild = await world.guild(owner="alice")
    sent = await say(guild.owner.rest, guild.general, *FILES, "none")
    async with database.cursor() as cur:
        for number, kind in enumerate(FILES):
            key = {"channel": int(guild.general.id), "message": int(sent[number]), "kind": kind}
            await cur.execute(
                """
                WITH counted AS (
                    UPDATE messages SET attachment_count = 1
                     WHERE channel_id = %(channel)s AND id = %(message)s
                )
                INSERT INTO attachments (channel_id, message_id, id, filename, content_type, size)
                VALUES (%(channel)s, %(message)s, %(message)s, 'x', %(kind)s, 1)
                """,
                key,
            )
    await index(guild.id)
    for has, wanted in (
        ("file", FILES),
        ("image", FILES[:1]),
        ("video", FILES[1:2]),
        ("sound", FILES[2:3]),
        ("-file", ["none"]),
        ("-image", [*FILES[1:], "none"]),
        (["file", "-sound"], ["image/png", "video/mp4", "text/plain"]),
    ):
        assert await texts(guild.owner.rest, guild, has=has, sort_order="asc") == wanted, has


async def test_search_by_relevance(world: World, index: Index) -> None:
    guild = await world.guild(owner="alice")
    said = ["a melon among much else", "melon", "melon melon and so on", "melon"]
    await say(guild.owner.rest, guild.general, *said)
    await index(guild.id)
    shown = await texts(guild.owner.rest, guild, content="melon", sort_by="relevance")
    assert shown == ["melon", "melon", "melon melon and so on", "a melon among much else"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=26", "limit"),
        ("limit=x", "limit"),
        ("offset=-1", "offset"),
        ("offset=9976", "offset"),
        ("author_id=x", "author_id"),
        ("author_id=1&author_id=-1", "author_id"),
        ("author_id=1&" * 101, "author_id"),
        ("channel_id=" + "9" * 20, "channel_id"),
        ("mentions=", "mentions"),
        ("min_id=x", "min_id"),
        ("max_id=1.5", "max_id"),
        ("has=nothing", "has"),
        ("has=--file", "has"),
        ("has=", "has"),
        ("pinned=maybe", "pinned"),
        ("mention_everyone=2", "mention_everyone"),
        ("sort_by=luck", "sort_by"),
        ("sort_order=up", "sort_order"),
        ("content=%00", "content"),
        ("content=" + "x" * 1025, "content"),
    ],
    ids=lambda value: value[:24],
)
async def test_invalid_queries_are_rejected(world: World, query: str, field: str) -> None:
    guild = await world.guild(owner="alice")
    for path in (f"/guilds/{guild.id}", f"/channels/{guild.general.id}"):
        answer = await guild.owner.rest.call("GET", f"{path}/messages/search?{query}")
        assert (answer.status, answer.code) == (400, 50035)
        assert answer.json["errors"].keys() == {field}


@pytest.mark.parametrize("content", ["%FF", "%ED%A0%80", "x" * 1024, "%22" * 9, "a%20" * 300])
async def test_unusual_content_finds_nothing(world: World, content: str) -> None:
    guild = await world.guild(owner="alice")
    await say(guild.owner.rest, guild.general, "hello")
    found = await guild.owner.rest.get(f"/guilds/{guild.id}/messages/search?content={content}")
    assert found["total_results"] == 0
