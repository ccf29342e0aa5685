"""Each documented search filter excludes messages that do not match, scanned or indexed.

Tools delete what they find, so a filter never finds more than it asks for.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.attachments import message_form, send_form
from tests.rest.searching import Index, search, texts
from tests.world import Guild, Person, World

FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"author_type": "bot"}, ["by bot"]),
    ({"author_type": ["user"], "content": "by"}, ["by bob"]),
    ({"author_type": "-user"}, ["by bot"]),
    ({"author_type": "-bot", "content": "by"}, ["by bob"]),
    ({"author_type": ["bot", "user"], "content": "by"}, ["by bot", "by bob"]),
    ({"author_type": "webhook"}, []),
    ({"author_type": ["bot", "-bot"]}, []),
    ({"author_type": "-webhook", "content": "by"}, ["by bot", "by bob"]),
    ({"mentions_role_id": "{role}"}, ["<@&{role}>"]),
    ({"mentions_role_id": ["{role}", "1"]}, ["<@&{role}>"]),
    ({"mentions_role_id": "1"}, []),
    ({"replied_to_user_id": "{bob}"}, ["answer"]),
    ({"replied_to_user_id": "{alice}"}, []),
    ({"replied_to_message_id": "{first}"}, ["answer"]),
    ({"replied_to_message_id": "1"}, []),
    ({"link_hostname": "example.org"}, ["see HTTPS://me:x@Example.org:80/a", "at https://example.org."]),
    ({"link_hostname": "EXAMPLE.com"}, ["<http://example.com>"]),
    ({"link_hostname": ["example.com", "sub.example.org"]}, ["on http://sub.example.org/", "<http://example.com>"]),
    ({"link_hostname": "org"}, []),
    ({"link_hostname": ".*"}, []),
    ({"embed_type": "image"}, []),
    ({"embed_type": ["gif", "article"]}, []),
    ({"embed_provider": "x"}, []),
    ({"attachment_filename": "ONE.txt"}, ["one file"]),
    ({"attachment_filename": ["one.txt", "two.tar.gz"]}, ["other file", "one file"]),
    ({"attachment_filename": "one"}, []),
    ({"attachment_extension": "TXT"}, ["one file"]),
    ({"attachment_extension": [".gz"]}, ["other file"]),
    ({"attachment_extension": "tar.gz"}, []),
    ({"content": "secret"}, []),
    ({"content": "secret", "include_nsfw": "false"}, []),
    ({"content": "secret", "include_nsfw": "true"}, ["secret"]),
]  # fmt: skip


async def scene(world: World) -> tuple[Guild, Person, dict[str, str]]:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.people("alice", "bob")
    bot = await world.bot("bot", "alice", guild)
    role = (await alice.rest.post(f"/guilds/{guild.id}/roles", {"mentionable": True}))["id"]
    path = f"/channels/{guild.general.id}/messages"
    first = await bob.rest.post(path, {"content": "by bob"})
    await bot.rest.post(path, {"content": "by bot"})
    await bob.rest.post(path, {"content": f"<@&{role}>"})
    answer = {"content": "answer", "message_reference": {"message_id": first["id"]}}
    await alice.rest.post(path, answer)
    await alice.rest.put(
        f"{path}/pins/{first['id']}"
    )  # the system message refers to it, but is no reply
    for text in (
        "<http://example.com>",
        "at https://example.org.",
        "on http://sub.example.org/",
        "see HTTPS://me:x@Example.org:80/a",
        "no link: example.org",
    ):
        await bob.rest.post(path, {"content": text})
    for name, text in (("one.txt", "one file"), ("two.tar.gz", "other file")):
        await send_form(bob.rest, path, message_form({"content": text}, (name, b"x")))
    await alice.rest.post(path, {"content": "boxed", "embeds": [{"title": "one.txt"}]})
    hidden = await guild.channel("hidden", nsfw=True)
    await alice.rest.post(f"/channels/{hidden.id}/messages", {"content": "secret"})
    return guild, alice, {"role": role, "first": first["id"], "alice": alice.id, "bob": bob.id}


@pytest.mark.parametrize("indexed", [False, True])
async def test_each_filter_excludes_messages_that_do_not_match(
    world: World, index: Index, indexed: bool
) -> None:
    guild, alice, names = await scene(world)
    if indexed:
        await index(guild.id)
    for query, wanted in FILTERS:
        filled = {
            key: [each.format(**names) for each in ([value] if isinstance(value, str) else value)]
            for key, value in query.items()
        }
        found = await texts(alice.rest, guild, **filled)
        assert found == [each.format(**names) for each in wanted], query


async def test_invalid_filter_values_are_rejected(world: World) -> None:
    guild, alice, _ = await scene(world)
    for name, value in (
        ("author_type", "person"),
        ("embed_type", "rich"),
        ("mentions_role_id", "x"),
        ("replied_to_user_id", "x"),
        ("include_nsfw", "x"),
        ("link_hostname", ""),
        ("attachment_filename", ["x"] * 101),
    ):
        for place in (f"guilds/{guild.id}", f"channels/{guild.general.id}"):
            given = value if isinstance(value, list) else [value]
            query = "&".join(f"{name}={each}" for each in given)
            refused = await alice.rest.call("GET", f"/{place}/messages/search?{query}")
            assert (refused.status, refused.code) == (400, 50035), name
            assert name in refused.json["errors"]


async def test_channel_search_includes_age_restricted_channels(world: World) -> None:
    guild, alice, _ = await scene(world)
    [_, hidden] = guild.channels
    found = await search(alice.rest, hidden, content="secret")
    assert found["total_results"] == 1
