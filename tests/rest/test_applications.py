"""Applications and their bots: made by people, added to guilds, and acting for themselves."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.world import PASSWORD, World, like


async def made(world: World, owner: str, **options: object) -> dict[str, Any]:
    person = await world.person(owner)
    answer = await person.rest.call("POST", "/applications", {"name": "Helper", **options})
    assert answer.status == 201
    application: dict[str, Any] = answer.json
    return application


async def test_an_application_and_its_bot_have_one_id(world: World) -> None:
    alice = await world.person("alice")
    first = await made(world, "alice", description="Helps.")
    assert first == like(name="Helper", description="Helps.", bot_public=True)
    assert first["bot"] == like(id=first["id"], bot=True)
    assert first["owner"] == like(id=alice.id, bot=False)
    second = await made(world, "alice")  # another of the same name
    names = {each["bot"]["username"] for each in (first, second)}
    assert len(names) == 2 and all(name.startswith("Helper") for name in names)
    listed = await alice.rest.get("/applications")
    assert [each["id"] for each in listed] == [first["id"], second["id"]]
    assert await alice.rest.get(f"/applications/{first['id']}") == first


async def test_a_bot_reads_all_that_discord_tells_of_an_application(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    for path in ("/applications/@me", "/oauth2/applications/@me"):
        shown = await bot.rest.get(path)
        assert shown["flags_new"] == str(shown["flags"])
        assert shown == like(redirect_uris=[], eligible_oauth2_scopes=[], explicit_content_filter=0)
        assert shown.keys() >= {"type", "interactions_endpoint_url", "team", "owner", "bot"}


async def test_only_its_owner_may_touch_it(world: World) -> None:
    application = await made(world, "alice")
    bob = await world.person("bob")
    path = f"/applications/{application['id']}"
    for method, end, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "mine"}),
        ("POST", "/bot/reset", None),
        ("POST", "/delete", None),
        ("DELETE", "", None),
    ):
        answer = await bob.rest.call(method, path + end, body)
        assert (answer.status, answer.code) == (403, 50001), method
        answer = await bob.rest.call(method, f"/applications/{bob.id}{end}", body)
        assert (answer.status, answer.code) == (404, 10002), method


async def test_changing_one(world: World) -> None:
    alice = await world.person("alice")
    application = await made(world, "alice")
    path = f"/applications/{application['id']}"
    change = {"name": "Other name", "description": "New.", "bot_public": False, "flags": 1 << 19}
    changed = await alice.rest.patch(path, change)
    assert changed == {**application, **change, "flags_new": str(1 << 19)}
    assert await alice.rest.get(path) == changed
    for wrong in ({"flags": 1}, {"flags": -1}, {"name": "x"}, {"description": "x" * 401}):
        answer = await alice.rest.call("PATCH", path, wrong)
        assert (answer.status, answer.code) == (400, 50035), wrong


async def test_a_token_holds_until_the_next_one(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    alice = await world.person("alice")
    assert await bot.rest.get("/users/@me") == like(id=bot.id, bot=True, email=None)
    own = await bot.rest.get("/oauth2/applications/@me")
    assert own == like(id=bot.id, name=bot.name, approximate_guild_count=0)
    assert own == await bot.rest.get("/applications/@me")
    [client] = await world.online("bot")
    new = (await alice.rest.post(f"/applications/{bot.id}/bot/reset"))["token"]
    assert await client.closed() == 4004
    assert (await bot.rest.call("GET", "/users/@me")).status == 401
    bot.rest.token = new
    assert await bot.rest.get("/users/@me")


async def test_a_manager_adds_a_bot(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"], quiet=False)
    bot = await world.bot("bot", owner="carol")
    bob = await world.person("bob")
    path = f"/guilds/{guild.id}/members/{bot.id}"
    refused = await bob.rest.call("PUT", path)
    assert (refused.status, refused.code) == (403, 50013)
    [watching, client] = await world.online("alice", "bot")
    answer = await guild.owner.rest.call("PUT", path)
    assert answer.status == 201
    assert answer.json["user"] == like(id=bot.id, bot=True)
    assert (await watching.next("GUILD_MEMBER_ADD")).d["user"]["id"] == bot.id
    assert (await client.next("GUILD_CREATE")).d["id"] == guild.id
    assert (await watching.next("MESSAGE_CREATE")).d == like(type=7, author=like(id=bot.id))
    assert (await guild.owner.rest.call("PUT", path)).status == 204  # once is enough
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=28")
    [entry] = log["audit_log_entries"]
    assert entry == like(target_id=bot.id, user_id=guild.owner.id)
    message = await bot.rest.post(f"/channels/{guild.general.id}/messages", {"content": "hi"})
    assert message["author"] == like(id=bot.id, bot=True)


async def test_nobody_else_is_added(world: World) -> None:
    guild = await world.guild(owner="alice")
    bob = await world.person("bob")
    hidden = await world.bot("hidden", owner="carol")
    carol = await world.person("carol")
    await carol.rest.patch(f"/applications/{hidden.id}", {"bot_public": False})
    banned = await world.bot("banned", owner="carol")
    await guild.owner.rest.put(f"/guilds/{guild.id}/bans/{banned.id}", {})
    for person, code in ((bob, 50025), (hidden, 50001), (banned, 40007)):
        answer = await guild.owner.rest.call("PUT", f"/guilds/{guild.id}/members/{person.id}")
        assert (answer.status, answer.code) == (403, code)
    own = await world.guild(owner="carol")
    assert await carol.rest.put(f"/guilds/{own.id}/members/{hidden.id}")


async def test_a_bot_that_is_added_twice_at_once_joins_once(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="alice")
    path = f"/guilds/{guild.id}/members/{bot.id}"
    answers = await asyncio.gather(*(guild.owner.rest.call("PUT", path) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [201] + [204] * 5


async def test_deleting_one_takes_its_bot_along(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    path = f"/channels/{guild.general.id}/messages"
    message = await bot.rest.post(path, {"content": "stays"})
    [client, watching] = await world.online("bot", "alice")
    await guild.owner.rest.delete(f"/applications/{bot.id}")
    assert await client.closed() == 4004
    assert (await watching.next("GUILD_MEMBER_REMOVE")).d["user"]["id"] == bot.id
    assert (await bot.rest.call("GET", "/users/@me")).status == 401
    assert (await guild.owner.rest.get(f"{path}/{message['id']}"))["content"] == "stays"
    gone = await guild.owner.rest.call("GET", f"/applications/{bot.id}")
    assert (gone.status, gone.code) == (404, 10002)


async def test_who_owns_applications_is_needed(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    alice = await world.person("alice")
    refused = await alice.rest.call("DELETE", "/users/@me", {"password": PASSWORD})
    assert refused.status == 400
    await alice.rest.delete(f"/applications/{bot.id}")
    await alice.rest.call("DELETE", "/users/@me", {"password": PASSWORD})
    assert (await alice.rest.call("GET", "/users/@me")).status == 401


async def test_so_many_and_no_more(world: World) -> None:
    alice = await world.person("alice")
    answers = await asyncio.gather(
        *(alice.rest.call("POST", "/applications", {"name": f"bot {n}"}) for n in range(27))
    )
    assert sorted(answer.status for answer in answers) == [201] * 25 + [400] * 2


async def test_a_bot_has_a_profile_but_no_password(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    changed = await bot.rest.patch("/users/@me", {"username": bot.name + "2", "bio": "Beep."})
    assert changed == like(username=bot.name + "2", bio="Beep.")
    for change in ({"email": "bot@example.org"}, {"new_password": "Password123!"}):
        answer = await bot.rest.call("PATCH", "/users/@me", {**change, "password": "x"})
        assert (answer.status, answer.code) == (400, 50035)


async def test_forged_tokens(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    other = await world.bot("other", owner="alice")
    head, middle, proof = bot.token.split(".")
    for token in (
        f"{other.token.split('.')[0]}.{middle}.{proof}",
        f"{head}.{other.token.split('.')[1]}.{proof}",
        f"{head}.{middle}.{proof[:-2]}xx",
        f"{head}.{middle}",
        f"{head}.{middle}.",
        "...",
        "x" * 5000,
    ):
        headers = {"Authorization": f"Bot {token}"}
        answer = await world.nobody.call("GET", "/users/@me", headers=headers)
        assert answer.status == 401, token


async def test_what_there_is_none_of_is_an_empty_list(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    other = await world.bot("other", owner="alice")
    for path in ("/soundboard-default-sounds", "/voice/regions"):
        assert await bot.rest.get(path) == await world.rest("alice").get(path) == []
    path = f"/applications/{bot.id}/commands"
    assert await bot.rest.get(path) == await world.rest("alice").get(path) == []
    mallory = await world.person("mallory")
    for stranger in (other, mallory):
        refused = await stranger.rest.call("GET", path)
        assert (refused.status, refused.code) == (403, 50001)
    refused = await mallory.rest.call("GET", f"/applications/{mallory.id}/commands")
    assert (refused.status, refused.code) == (404, 10002)
