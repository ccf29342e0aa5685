"""Applications and their bots: creation, tokens, and adding them to guilds."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.helpers.images import data_uri, image_bytes
from tests.helpers.tampered import tampered
from tests.world import PASSWORD, World, like


async def made(world: World, owner: str, **options: object) -> dict[str, Any]:
    person = await world.person(owner)
    answer = await person.rest.call("POST", "/applications", {"name": "Helper", **options})
    assert answer.status == 201
    application: dict[str, Any] = answer.json
    return application


async def test_application_and_bot_have_the_same_id(world: World) -> None:
    alice = await world.person("alice")
    first = await made(world, "alice", description="Helps.")
    assert first == like(name="Helper", description="Helps.", bot_public=True)
    assert first["bot"] == like(id=first["id"], bot=True)
    assert first["owner"] == like(id=alice.id, bot=False)
    # Another of the same name; Fermi names the choice of no team.
    second = await made(world, "alice", team_id="Personal")
    names = {each["bot"]["username"] for each in (first, second)}
    assert len(names) == 2 and all(name.startswith("Helper") for name in names)
    listed = await alice.rest.get("/applications")
    assert [each["id"] for each in listed] == [first["id"], second["id"]]
    assert await alice.rest.get(f"/applications/{first['id']}") == first


async def test_bot_reads_all_documented_fields_of_its_application(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    for path in ("/applications/@me", "/oauth2/applications/@me"):
        shown = await bot.rest.get(path)
        assert shown["flags_new"] == str(shown["flags"])
        assert shown == like(redirect_uris=[], eligible_oauth2_scopes=[], explicit_content_filter=0)
        assert shown.keys() >= {"type", "interactions_endpoint_url", "team", "owner", "bot"}


async def test_only_the_owner_can_manage_an_application(world: World) -> None:
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


async def test_application_is_changed(world: World) -> None:
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


async def test_bot_token_is_valid_until_replaced(world: World) -> None:
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


async def test_guild_manager_adds_a_bot(world: World) -> None:
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
    assert (await guild.owner.rest.call("PUT", path)).status == 204  # one event
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=28")
    [entry] = log["audit_log_entries"]
    assert entry == like(target_id=bot.id, user_id=guild.owner.id)
    message = await bot.rest.post(f"/channels/{guild.general.id}/messages", {"content": "hi"})
    assert message["author"] == like(id=bot.id, bot=True)


async def test_only_bots_can_be_added(world: World) -> None:
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


async def test_concurrent_additions_of_a_bot_add_it_once(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", owner="alice")
    path = f"/guilds/{guild.id}/members/{bot.id}"
    answers = await asyncio.gather(*(guild.owner.rest.call("PUT", path) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [201] + [204] * 5


async def test_deleting_an_application_deletes_its_bot(world: World) -> None:
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


async def test_owner_of_applications_cannot_delete_its_account(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    alice = await world.person("alice")
    refused = await alice.rest.call("DELETE", "/users/@me", {"password": PASSWORD})
    assert refused.status == 400
    await alice.rest.delete(f"/applications/{bot.id}")
    await alice.rest.call("DELETE", "/users/@me", {"password": PASSWORD})
    assert (await alice.rest.call("GET", "/users/@me")).status == 401


async def test_applications_of_a_person_are_bounded(world: World) -> None:
    alice = await world.person("alice")
    answers = await asyncio.gather(
        *(alice.rest.call("POST", "/applications", {"name": f"bot {n}"}) for n in range(27))
    )
    assert sorted(answer.status for answer in answers) == [201] * 25 + [400] * 2


async def test_bot_has_a_profile_but_no_password(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    changed = await bot.rest.patch("/users/@me", {"username": bot.name + "2", "bio": "Beep."})
    assert changed == like(username=bot.name + "2", bio="Beep.")
    for change in ({"email": "bot@example.org"}, {"new_password": "Password123!"}):
        answer = await bot.rest.call("PATCH", "/users/@me", {**change, "password": "x"})
        assert (answer.status, answer.code) == (400, 50035)


async def test_forged_bot_tokens_are_refused(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    other = await world.bot("other", owner="alice")
    head, middle, proof = bot.token.split(".")
    for token in (
        f"{other.token.split('.')[0]}.{middle}.{proof}",
        f"{head}.{other.token.split('.')[1]}.{proof}",
        f"{head}.{middle}.{tampered(proof)}",
        f"{head}.{middle}",
        f"{head}.{middle}.",
        "...",
        "x" * 5000,
    ):
        headers = {"Authorization": f"Bot {token}"}
        answer = await world.anonymous.call("GET", "/users/@me", headers=headers)
        assert answer.status == 401, token


async def test_unsupported_collections_are_empty(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    for path in ("/soundboard-default-sounds", "/voice/regions"):
        assert await bot.rest.get(path) == await world.rest("alice").get(path) == []


async def test_any_account_reads_what_is_public_about_an_application(world: World) -> None:
    application = await made(world, "alice", description="Helps.")
    bob = await world.person("bob")
    bot = await world.bot("bot", owner="bob")
    for path in (
        f"/applications/{application['id']}/rpc",
        f"/applications/{application['id']}/public?with_guild=false",
        f"/oauth2/applications/{application['id']}/rpc",
    ):
        for rest in (bob.rest, bot.rest):
            shown = await rest.get(path)
            assert shown == like(id=application["id"], name="Helper", description="Helps.")
            assert shown == like(summary="", icon=None, bot=application["bot"])
            assert shown.keys().isdisjoint({"owner", "team", "approximate_guild_count"})
    gone = await bob.rest.call("GET", f"/applications/{bob.id}/rpc")
    assert (gone.status, gone.code) == (404, 10002)


async def test_application_describes_its_installations(world: World) -> None:
    alice = await world.person("alice")
    application = await made(world, "alice")
    path = f"/applications/{application['id']}"
    of_guilds = {"scopes": ["bot", "applications.commands"], "permissions": "0"}
    of_users = {"scopes": ["applications.commands"], "permissions": "0"}
    assert application["integration_types_config"] == {
        "0": {"oauth2_install_params": of_guilds},
        "1": {"oauth2_install_params": of_users},
    }
    assert application.keys().isdisjoint({"install_params", "custom_install_url"})
    wanted = {
        "tags": ["music", "fun"],
        "custom_install_url": "https://example.org/install",
        "install_params": {"scopes": ["bot"], "permissions": 8},
        "integration_types_config": {
            "0": {"oauth2_install_params": {"scopes": ["bot"], "permissions": "2"}},
            "1": None,
        },
        "description": {"default": "Plays."},
    }
    changed = await alice.rest.patch(path, wanted)
    assert changed == like(
        tags=["music", "fun"],
        custom_install_url="https://example.org/install",
        install_params={"scopes": ["bot"], "permissions": "8"},
        integration_types_config={
            "0": {"oauth2_install_params": {"scopes": ["bot"], "permissions": "2"}}
        },
        description="Plays.",
    )
    assert await alice.rest.get(path) == changed
    assert (await alice.rest.get(f"{path}/rpc"))["tags"] == ["music", "fun"]
    again = await alice.rest.patch(path, {"integration_types_config": {"1": {}}})
    assert again["integration_types_config"] == {**changed["integration_types_config"], "1": {}}
    removed = await alice.rest.patch(
        path, {"tags": None, "custom_install_url": None, "install_params": None}
    )
    assert removed["tags"] == []
    assert removed.keys().isdisjoint({"install_params", "custom_install_url"})


async def test_wrong_installations_are_refused(world: World) -> None:
    alice = await world.person("alice")
    application = await made(world, "alice")
    for change, field in (
        ({"tags": ["a", "b", "c", "d", "e", "f"]}, "tags"),
        ({"tags": ["x" * 21]}, "tags"),
        ({"tags": ["a", "a"]}, "tags"),
        ({"custom_install_url": "javascript:alert(1)"}, "custom_install_url"),
        ({"install_params": {"scopes": ["identify"]}}, "install_params"),
        ({"integration_types_config": {"2": {}}}, "integration_types_config"),
        ({"integration_types_config": {"0": None, "1": None}}, "integration_types_config"),
        (
            {"integration_types_config": {"1": {"oauth2_install_params": {"scopes": ["bot"]}}}},
            "integration_types_config",
        ),
        ({"bot_require_code_grant": True}, "bot_require_code_grant"),
        ({"redirect_uris": ["https://example.org"]}, "redirect_uris"),
    ):
        refused = await alice.rest.call("PATCH", f"/applications/{application['id']}", change)
        assert (refused.status, refused.code) == (400, 50035), change
        assert [*refused.json["errors"]] == [field]
    assert await alice.rest.get(f"/applications/{application['id']}") == application


async def test_kinds_of_installation_are_obeyed(world: World) -> None:
    guild = await world.guild(owner="alice")
    application = await made(world, "alice")
    alice, link = guild.owner, f"/oauth2/authorize?client_id={application['id']}"
    path = f"/applications/{application['id']}"
    consent = {"authorize": True, "guild_id": guild.id}
    await alice.rest.patch(path, {"integration_types_config": {"0": None}})
    refused = await alice.rest.call("POST", link, consent)
    assert [*refused.json["errors"]] == ["integration_type"]
    await alice.rest.post(f"{link}&integration_type=1", {"authorize": True})
    await alice.rest.patch(path, {"integration_types_config": {"0": {}, "1": None}})
    refused = await alice.rest.call("POST", link, consent)
    assert [*refused.json["errors"]] == ["scope"]
    refused = await alice.rest.call("GET", f"{link}&integration_type=1&scope=applications.commands")
    assert [*refused.json["errors"]] == ["integration_type"]
    await alice.rest.patch(path, {"install_params": {"scopes": ["bot"], "permissions": "2"}})
    await alice.rest.post(link, consent)
    roles = await alice.rest.get(f"/guilds/{guild.id}/roles")
    assert [role["permissions"] for role in roles if role["managed"]] == ["2"]


async def test_icon_of_an_application_is_public(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    data = image_bytes()
    changed = await bot.rest.patch("/applications/@me", {"icon": data_uri(data)})
    path = f"/app-icons/{bot.id}/{changed['icon']}.png"
    got = await world.anonymous.call("GET", path)
    assert (got.status, got.raw) == (200, data)
    shown = await world.rest("alice").get(f"/applications/{bot.id}/rpc")
    assert shown["icon"] == changed["icon"]
    for wrong in ("x", "data:image/png;base64,eA=="):
        refused = await bot.rest.call("PATCH", "/applications/@me", {"icon": wrong})
        assert [*refused.json["errors"]] == ["icon"]
    removed = await bot.rest.patch("/applications/@me", {"icon": None})
    assert removed["icon"] is None


async def test_bot_changes_its_own_application_only(world: World) -> None:
    bot = await world.bot("bot", owner="alice")
    other = await world.bot("other", owner="alice")
    alice = await world.person("alice")
    for path in ("/applications/@me", f"/applications/{bot.id}"):
        changed = await bot.rest.patch(path, {"description": "new"})
        assert changed == like(id=bot.id, description="new")
        for change in ({"name": "other name"}, {"bot_public": False}):
            refused = await bot.rest.call("PATCH", path, change)
            assert (refused.status, refused.code) == (403, 50001)
    for method in ("GET", "PATCH"):
        body = None if method == "GET" else {"description": "x"}
        refused = await bot.rest.call(method, f"/applications/{other.id}", body)
        assert (refused.status, refused.code) == (403, 50001)
    limited = await bot.rest.patch("/applications/@me", {"flags": 1 << 13})
    assert limited["flags"] == 1 << 13
    refused = await bot.rest.call("PATCH", "/applications/@me", {"flags": 1 << 13 | 1 << 15})
    assert [*refused.json["errors"]] == ["flags"]
    allowed = await alice.rest.patch(f"/applications/{bot.id}", {"flags": 1 << 13 | 1 << 15})
    assert allowed["flags"] == 1 << 13 | 1 << 15
