"""Lists of what chatd does not have: libraries request them, and get an empty one."""

from __future__ import annotations

import discord
import pytest

from chatd.core.permissions import Permissions
from tests.helpers.discord_py import running
from tests.world import World, like

FOR_MEMBERS: dict[str, object] = {
    "emojis": [],
    "stickers": [],
    "regions": [],
    "scheduled-events?with_user_count=true": [],
    "soundboard-sounds": {"items": []},
    "welcome-screen": {"description": None, "welcome_channels": []},
    "threads/active": {"threads": [], "members": [], "has_more": False},
}
FOR_MANAGERS: dict[str, object] = {
    "templates": [],
    "vanity-url": {"code": None, "uses": 0},
}


async def test_lists_of_a_guild_are_empty(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    for name, empty in FOR_MEMBERS.items():
        assert await bob.rest.get(f"/guilds/{guild.id}/{name}") == empty
    for name, empty in FOR_MANAGERS.items():
        assert await guild.owner.rest.get(f"/guilds/{guild.id}/{name}") == empty
        refused = await bob.rest.call("GET", f"/guilds/{guild.id}/{name}")
        assert (refused.status, refused.code) == (403, 50013)
    assert await bob.rest.get("/sticker-packs") == {"sticker_packs": []}
    for path in ("/users/@me/connections", f"/oauth2/applications/{bob.id}/assets"):
        assert await bob.rest.get(path) == []


async def test_gifs_and_affinities_are_empty(world: World) -> None:
    """As Fermi and endcord ask for GIFs, and discord.py-self for affinities."""
    bob = await world.person("bob")
    for path in ("", "/search?q=cat&media_format=webm&provider=tenor", "/trending-gifs?locale=en"):
        assert await bob.rest.get(f"/gifs{path}") == []
    for path in ("/suggest?q=cat", "/trending-search"):
        assert await bob.rest.get(f"/gifs{path}") == []
    trending = await bob.rest.get("/gifs/trending?locale=en&provider=undefined")
    assert trending == {"categories": [], "gifs": []}
    affinities = "/users/@me/affinities"
    empty: object = {"user_affinities": [], "inverse_user_affinities": []}
    assert await bob.rest.get(f"{affinities}/users") == empty
    assert await bob.rest.get(f"{affinities}/guilds") == {"guild_affinities": []}
    assert await bob.rest.get(f"{affinities}/channels") == {"channel_affinities": []}


async def test_directory_and_teams_are_empty(world: World) -> None:
    bob = await world.person("bob")
    page = await bob.rest.get("/discoverable-guilds?limit=24&offset=48")
    assert page == {"guilds": [], "total": 0, "limit": 24, "offset": 48}
    page = await bob.rest.get("/discoverable-guilds?limit=50&offset=0")  # of Fermi
    assert page == {"guilds": [], "total": 0, "limit": 50, "offset": 0}
    assert await bob.rest.get("/connections") == {}
    assert await bob.rest.get("/teams?include_payout_account_status=true") == []


async def test_widget_is_disabled(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    owner, path = guild.owner.rest, f"/guilds/{guild.id}/widget"
    disabled = {"enabled": False, "channel_id": None}
    assert await owner.get(path) == disabled
    assert await owner.patch(path, {"enabled": False, "channel_id": guild.general.id}) == disabled
    refused = await owner.call("PATCH", path, {"enabled": True})
    assert (refused.status, refused.json["errors"].keys()) == (400, {"enabled"})
    for method in ("GET", "PATCH"):
        answer = await world.rest("bob").call(method, path)
        assert (answer.status, answer.code) == (403, 50013)
    shown = await world.anonymous.call("GET", f"{path}.json")
    assert (shown.status, shown.code) == (403, 50004)
    unknown = await world.anonymous.call("GET", "/guilds/1/widget.json")
    assert (unknown.status, unknown.code) == (404, 10004)


async def test_preview_and_own_member_of_a_guild(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    shown = await bob.rest.get(f"/guilds/{guild.id}/preview")
    assert shown == like(id=guild.id, approximate_member_count=2, emojis=[], stickers=[])
    own = await bob.rest.get(f"/users/@me/guilds/{guild.id}/member")
    assert own == await bob.rest.get(f"/guilds/{guild.id}/members/{bob.id}")


async def test_discord_py_reads_empty_lists(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    everyone = {"permissions": str(int(Permissions.MANAGE_GUILD | Permissions.VIEW_CHANNEL))}
    await guild.owner.rest.patch(f"/guilds/{guild.id}/roles/{guild.id}", everyone)
    async with running(bot.token, monkeypatch, world) as client:
        there = client.get_guild(int(guild.id))
        assert there is not None
        assert await there.fetch_emojis() == []
        assert await there.fetch_stickers() == []
        assert await there.fetch_scheduled_events() == []
        assert await there.fetch_automod_rules() == []
        assert await there.templates() == []
        assert await there.active_threads() == []
        assert await there.fetch_soundboard_sounds() == []
        assert await there.vanity_invite() is None
        assert await client.fetch_premium_sticker_packs() == []
        preview: discord.GuildPreview = await client.fetch_guild_preview(there.id)
        assert preview.approximate_member_count == 2
