"""Names in the API: invisible characters are rejected, and search ignores normal forms."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from tests.helpers.names import EMOJI
from tests.world import World

HIDING = ["\u034f", "\u3164", "\u2800", "\ufe0f", "\u202e", "\u200d", "\n", "\U000e0061"]


async def _named(world: World) -> list[tuple[str, str, dict[str, Any], str]]:
    """Named resources: method, path, the rest of the body, and the key of the name."""
    guild = await world.guild(owner="alice", members=["bob"])
    rest, bob = guild.owner.rest, await world.person("bob")
    carol = await world.person("carol")
    guild_id, channel_id = guild.id, guild.general.id
    await guild.admit(carol)
    group = await rest.post("/users/@me/channels", {"recipients": [bob.id, carol.id]})
    role = await rest.post(f"/guilds/{guild_id}/roles", {"name": "role"})
    application = await rest.post("/applications", {"name": "program"})
    return [
        ("POST", "/guilds", {}, "name"),
        ("PATCH", f"/guilds/{guild_id}", {}, "name"),
        ("POST", f"/guilds/{guild_id}/channels", {}, "name"),
        ("PATCH", f"/channels/{channel_id}", {}, "name"),
        ("PATCH", f"/channels/{group['id']}", {}, "name"),
        ("POST", f"/guilds/{guild_id}/roles", {}, "name"),
        ("PATCH", f"/guilds/{guild_id}/roles/{role['id']}", {}, "name"),
        ("PATCH", f"/guilds/{guild_id}/members/@me", {}, "nick"),
        ("PATCH", f"/guilds/{guild_id}/members/{bob.id}", {}, "nick"),
        ("PATCH", "/users/@me", {}, "global_name"),
        ("PATCH", "/users/@me", {"password": "Password123!"}, "username"),
        ("POST", "/applications", {}, "name"),
        ("PATCH", f"/applications/{application['id']}", {}, "name"),
    ]


async def test_names_with_invisible_characters_are_rejected(world: World) -> None:
    for method, path, body, key in await _named(world):
        for code_point in HIDING:
            given = {**body, key: f"ali{code_point}ce"}
            answer = await world.rest("alice").call(method, path, given)
            assert answer.status == 400, (path, ascii(code_point), answer.raw)
            assert answer.json["errors"].keys() == {key}


async def test_display_names_may_contain_emoji(world: World) -> None:
    for method, path, body, key in await _named(world):
        is_username = key == "username" or (method, path) == ("POST", "/applications")
        for each in EMOJI[:0] if is_username else EMOJI:
            answer = await world.rest("alice").call(method, path, {**body, key: f"a {each}"})
            assert answer.status < 300, (path, ascii(each), answer.raw)
            assert answer.json[key] == f"a {each}"


async def test_look_alike_usernames_are_refused(world: World) -> None:
    await world.person("alice")
    for code_point in (*HIDING, "\u00ad", "\uffa0", "\u115f", "\u0301\u034f"):
        body = {
            "username": f"ali{code_point}ce",
            "email": "second@example.org",
            "password": "Password123!",
        }
        answer = await world.anonymous.call("POST", "/auth/register", body)
        assert answer.status == 400, ascii(code_point)
        assert answer.json["errors"].keys() == {"username"}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
async def test_members_are_found_in_either_normal_form(world: World, form: Any) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, [client] = await world.person("bob"), await world.online("alice")
    path = f"/guilds/{guild.id}/members"
    for stored in ("NFC", "NFD"):
        nick = unicodedata.normalize(stored, "Émile")
        await guild.owner.rest.patch(f"{path}/{bob.id}", {"nick": nick})
        for query in ("É", "é", "ÉMI", "émile"):
            asked = unicodedata.normalize(form, query)
            found = await guild.owner.rest.get(f"{path}/search?query={asked}&limit=5")
            assert [each["user"]["id"] for each in found] == [bob.id], (stored, query)
            await client.send(8, {"guild_id": guild.id, "query": asked, "limit": 5})
            chunk = (await client.next("GUILD_MEMBERS_CHUNK")).d
            assert [each["user"]["id"] for each in chunk["members"]] == [bob.id]
    for query in ("%25", "_mile", "%5C", "emile", "mile"):
        assert await guild.owner.rest.get(f"{path}/search?query={query}&limit=5") == []
