"""Application commands: what applications define, and what they get back."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest

from chatd.core.commands import LOCALES
from tests.conftest import Server
from tests.helpers.commands import PING, Commands
from tests.world import World, like


def menu(kind: int, name: str) -> dict[str, Any]:
    return {"type": kind, "name": name}


def code(answer: Any, *path: str) -> str:
    """Return the code of the error of a field."""
    errors = answer.json["errors"]
    for key in path:
        errors = errors[key]
    return str(errors["_errors"][0]["code"])


@pytest.fixture(params=["global", "guild"])
async def commands(world: World, request: pytest.FixtureRequest) -> Commands:
    """The commands of a bot, globally and in a guild."""
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", "alice", guild)
    return Commands(bot, guild if request.param == "guild" else None)


@pytest.fixture
def database(server: Server) -> Iterator[psycopg2.extensions.cursor]:
    connection = psycopg2.connect(server.config.database_url)
    connection.autocommit = True
    with connection.cursor() as cur:
        yield cur
    connection.close()


async def test_creating_getting_changing_and_deleting(commands: Commands) -> None:
    created = await commands.rest.call("POST", commands.path, PING)
    assert created.status == 201
    made = created.json
    assert made == like(
        **PING, type=1, default_member_permissions=None, nsfw=False, name_localizations=None
    )
    assert "options" not in made
    one = f"{commands.path}/{made['id']}"
    assert await commands.rest.get(one) == made
    changed = await commands.rest.patch(one, {"description": "Says pong", "nsfw": True})
    assert changed == {
        **made,
        "description": "Says pong",
        "nsfw": True,
        "version": changed["version"],
    }
    assert int(changed["version"]) > int(made["version"])
    assert await commands.rest.get(commands.path) == [
        {key: each for key, each in changed.items() if not key.endswith("_localizations")}
    ]
    await commands.rest.delete(one)
    assert await commands.names() == []
    for method in ("GET", "PATCH", "DELETE"):
        gone = await commands.rest.call(method, one, {} if method == "PATCH" else None)
        assert (gone.status, gone.code) == (404, 10063)


async def test_same_name_replaces_the_command(commands: Commands) -> None:
    first = await commands.rest.post(commands.path, PING)
    other = await commands.rest.post(commands.path, menu(2, "ping"))
    replaced = await commands.rest.call("POST", commands.path, {**PING, "description": "New"})
    assert replaced.status == 200
    assert replaced.json == like(id=first["id"], description="New")
    assert other["id"] != first["id"]
    assert len(await commands.rest.get(commands.path)) == 2


async def test_unchanged_command_keeps_its_version(commands: Commands) -> None:
    first = await commands.rest.post(commands.path, PING)
    assert await commands.rest.post(commands.path, PING) == first
    assert await commands.rest.patch(f"{commands.path}/{first['id']}", {"nsfw": False}) == first
    assert await commands.rest.put(commands.path, [PING]) == [first]


async def test_overwriting_keeps_ids_and_deletes_the_rest(commands: Commands) -> None:
    before = await commands.rest.put(
        commands.path, [PING, {**PING, "name": "old"}, menu(2, "ping"), menu(3, "Bookmark")]
    )
    assert [each["name"] for each in before] == ["ping", "old", "ping", "Bookmark"]
    after = await commands.rest.put(
        commands.path, [menu(3, "Bookmark"), {**PING, "description": "New"}, {**PING, "name": "z"}]
    )
    assert after[0] == before[3]
    assert after[1] == like(id=before[0]["id"], description="New")
    assert after[1]["version"] != before[0]["version"]
    assert after[2]["id"] not in [each["id"] for each in before]
    assert await commands.names() == ["Bookmark", "ping", "z"]
    assert await commands.rest.put(commands.path, []) == []
    assert await commands.names() == []


async def test_overwriting_by_id_exchanges_names(commands: Commands) -> None:
    first, second = await commands.rest.put(commands.path, [PING, {**PING, "name": "pong"}])
    renamed = await commands.rest.put(
        commands.path,
        [{**PING, "name": "pong", "id": first["id"]}, {**PING, "name": "ping", "id": second["id"]}],
    )
    assert [(each["id"], each["name"]) for each in renamed] == [
        (first["id"], "pong"),
        (second["id"], "ping"),
    ]
    assert await commands.names() == ["ping", "pong"]


async def test_overwriting_is_atomic(commands: Commands) -> None:
    await commands.rest.put(commands.path, [PING])
    refused = await commands.refused([{**PING, "name": "new"}, {**PING, "name": "Bad"}], "PUT")
    assert code(refused, "1", "name") == "APPLICATION_COMMAND_INVALID_NAME"
    refused = await commands.refused([PING, menu(2, "ping"), PING], "PUT")
    assert code(refused, "2") == "APPLICATION_COMMANDS_DUPLICATE_NAME"
    assert await commands.names() == ["ping"]


async def test_renaming_to_an_existing_name_is_refused(commands: Commands) -> None:
    await commands.rest.post(commands.path, PING)
    other = await commands.rest.post(commands.path, {**PING, "name": "pong"})
    refused = await commands.rest.call("PATCH", f"{commands.path}/{other['id']}", {"name": "ping"})
    assert (refused.status, refused.code) == (400, 40041)
    assert await commands.names() == ["ping", "pong"]


WRONG: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "no name": ({"description": "x"}, ("name",), "BASE_TYPE_REQUIRED"),
    "no description": ({"name": "x"}, ("description",), "BASE_TYPE_REQUIRED"),
    "name with a space": (
        {**PING, "name": "a b"},
        ("name",),
        "APPLICATION_COMMAND_INVALID_NAME",
    ),
    "translated name": (
        {**PING, "name_localizations": {"de": "Nein"}},
        ("name_localizations", "de"),
        "APPLICATION_COMMAND_INVALID_NAME",
    ),
    "locale": (
        {**PING, "name_localizations": {"xx": "x"}},
        ("name_localizations", "xx"),
        "ENUM_TYPE_COERCE",
    ),
    "described menu": (
        {**menu(2, "x"), "description": "x"},
        ("description",),
        "APPLICATION_COMMAND_INVALID_DESCRIPTION",
    ),
    "options of a menu": (
        {**menu(3, "x"), "options": [{"type": 3, "name": "x", "description": "x"}]},
        ("options",),
        "APPLICATION_COMMAND_INVALID_OPTIONS",
    ),
    "entry point": ({**PING, "type": 4}, ("type",), "NOT_SUPPORTED"),
    "unknown type": ({**PING, "type": 5}, ("type",), "BASE_TYPE_CHOICES"),
    "handler": ({**PING, "handler": 2}, ("handler",), "NOT_SUPPORTED"),
    "no context": ({**PING, "contexts": []}, ("contexts",), "BASE_TYPE_BAD_LENGTH"),
    "context": ({**PING, "contexts": [3]}, ("contexts", "0"), "BASE_TYPE_CHOICES"),
    "context twice": ({**PING, "contexts": [0, 0]}, ("contexts",), "BASE_TYPE_INVALID"),
    "permissions": (
        {**PING, "default_member_permissions": -1},
        ("default_member_permissions",),
        "PERMISSIONS_TYPE_COERCE",
    ),
    "size": (
        {
            **PING,
            "options": [
                {"type": 3, "name": f"n{n}", "description": "x" * 100, "choices": choices}
                for n in range(4)
                for choices in [[{"name": f"{m}", "value": "v" * 100} for m in range(25)]]
            ],
        },
        (),
        "APPLICATION_COMMAND_TOO_LARGE",
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_wrong_commands_are_refused(world: World, name: str) -> None:
    commands = Commands(await world.bot("bot", "alice"))
    body, path, wanted = WRONG[name]
    assert code(await commands.refused(body), *path) == wanted
    assert code(await commands.refused([PING, body], "PUT"), "1", *path) == wanted
    made = await commands.rest.post(commands.path, PING)
    if name not in ("no name", "no description", "described menu", "options of a menu"):
        one = f"{commands.path}/{made['id']}"
        refused = await commands.rest.call("PATCH", one, {**body, "type": 1})
        if "type" not in path:
            assert code(refused, *path) == wanted
    assert await commands.names() == ["ping"]


async def test_deprecated_fields_mean_the_new_ones(world: World) -> None:
    commands = Commands(await world.bot("bot", "alice"))
    old = {**PING, "dm_permission": False, "default_permission": False}
    made = await commands.rest.post(commands.path, old)
    assert made == like(contexts=[0], dm_permission=False, default_member_permissions="0")
    one = f"{commands.path}/{made['id']}"
    assert await commands.rest.patch(one, {"dm_permission": True}) == like(
        contexts=[0, 1], dm_permission=True
    )
    assert await commands.rest.patch(one, {"contexts": None, "default_permission": True}) == like(
        contexts=None, dm_permission=True, default_member_permissions=None
    )
    both = {"default_member_permissions": 32, "default_permission": False}
    assert await commands.rest.patch(one, both) == like(default_member_permissions="32")


async def test_null_resets_a_field(commands: Commands) -> None:
    full = {
        **PING,
        "name_localizations": {"de": "pong"},
        "description_localizations": {"de": "Antwortet"},
        "options": [{"type": 3, "name": "word", "description": "x"}],
        "default_member_permissions": "8",
        "contexts": [1, 0],
        "integration_types": [1],
    }
    plain = await commands.rest.post(commands.path, {**PING, "name": "plain"})
    made = await commands.rest.post(commands.path, full)
    assert made == like(**{**full, "contexts": [0, 1]})
    reset = dict.fromkeys((key for key in full if key not in PING), None)
    cleared = await commands.rest.patch(f"{commands.path}/{made['id']}", reset)
    assert cleared == {**plain, **{key: cleared[key] for key in ("id", "version", "name")}}
    assert "options" not in plain
    assert plain["integration_types"] == ([0] if "guilds" in commands.path else [0, 1])


async def test_scopes_are_separate(world: World) -> None:
    guild, other = [await world.guild(owner="alice") for _ in "12"]
    bot = await world.bot("bot", "alice", guild, other)
    everywhere, here, there = Commands(bot), Commands(bot, guild), Commands(bot, other)
    ids = set()
    for each in (everywhere, here, there):
        made = await each.rest.post(each.path, PING)
        ids.add(made["id"])
        for scope in (everywhere, here, there):
            status = (await bot.rest.call("GET", f"{scope.path}/{made['id']}")).status
            assert status == (200 if scope is each else 404)
    assert len(ids) == 3
    await here.rest.put(here.path, [])
    assert await everywhere.names() == await there.names() == ["ping"]
    foreign = Commands(await world.bot("other", "alice", guild), guild)
    await foreign.rest.post(foreign.path, PING)
    await foreign.rest.put(foreign.path, [])
    assert await there.names() == ["ping"]


LOCALIZED = {
    **PING,
    "name_localizations": {"de": "klingeln", "en-GB": "ring"},
    "description_localizations": {"de": "Antwortet"},
    "options": [
        {
            "type": 1,
            "name": "once",
            "name_localizations": {"de": "einmal"},
            "description": "x",
            "options": [
                {
                    "type": 3,
                    "name": "who",
                    "description": "x",
                    "description_localizations": {"de": "wer"},
                    "choices": [
                        {"name": "A", "name_localizations": {"de": "Ä"}, "value": "a"},
                        {"name": "B", "value": "b"},
                    ],
                }
            ],
        }
    ],
}


async def test_translations(commands: Commands) -> None:
    made = await commands.rest.post(commands.path, LOCALIZED)
    assert made == like(**LOCALIZED)
    [full] = await commands.rest.get(f"{commands.path}?with_localizations=true")
    assert full == made

    async def listed(**headers: str) -> Any:
        answer = await commands.rest.call("GET", commands.path, headers=headers)
        [found] = answer.json
        assert "name_localizations" not in answer.raw.decode()
        return found

    german = await listed(**{"X-Discord-Locale": "de", "Accept-Language": "fr"})
    assert german == like(name="ping", name_localized="klingeln", description_localized="Antwortet")
    [once] = german["options"]
    assert once == like(name="once", name_localized="einmal")
    [who] = once["options"]
    assert who["description_localized"] == "wer"
    assert who["choices"] == [
        {"name": "A", "name_localized": "Ä", "value": "a"},
        {"name": "B", "value": "b"},
    ]
    assert await listed(**{"Accept-Language": "de-AT, en;q=0.5"}) == german
    default = await listed()
    assert default == like(name_localized="ring")  # en-US falls back to en-GB
    assert "description_localized" not in default
    assert "name_localized" not in await listed(**{"X-Discord-Locale": "ja"})


async def test_limits_of_each_type(commands: Commands) -> None:
    chat = [{**PING, "name": f"c{n}"} for n in range(100)]
    menus = [menu(kind, f"m{n}") for kind in (2, 3) for n in range(15)]
    assert len(await commands.rest.put(commands.path, chat + menus)) == 130
    for one in (PING, menu(2, "x"), menu(3, "x")):
        refused = await commands.refused(one)
        assert refused.code == 30032
    assert await commands.rest.post(commands.path, {**chat[0], "description": "still"})
    for several in ([*chat, PING], [menu(2, f"m{n}") for n in range(16)]):
        assert (await commands.refused(several, "PUT")).code == 30032
    refused = await commands.refused([*chat, *menus, PING], "PUT")
    assert code(refused) == "BASE_TYPE_MAX_LENGTH"


async def test_200_creations_a_day(
    commands: Commands, database: psycopg2.extensions.cursor
) -> None:
    for letter in "ab":
        await commands.rest.put(
            commands.path, [{**PING, "name": f"{letter}{n}"} for n in range(99)]
        )
    await commands.rest.put(commands.path, [PING])
    await commands.rest.put(commands.path, [])
    await commands.rest.post(commands.path, PING)  # the 200th
    refused = await commands.refused({**PING, "name": "one-more"})
    assert refused.code == 30034
    assert (await commands.refused([PING, {**PING, "name": "x"}], "PUT")).code == 30034
    assert await commands.names() == ["ping"]
    await commands.rest.post(commands.path, {**PING, "description": "Changes are no creations"})
    application_id = commands.path.split("/")[2]
    database.execute(
        "UPDATE application_command_scopes SET created_since = now() - interval '25 hours'"
        " WHERE application_id = %s",
        (application_id,),
    )
    await commands.rest.post(commands.path, {**PING, "name": "one-more"})


async def test_all_commands_together_have_a_size(world: World) -> None:
    """A hundred commands, each as large as it can be, do not fit into a scope."""
    commands = Commands(await world.bot("bot", "alice"))
    names = dict.fromkeys(LOCALES, "ü" * 100)
    choices = [{"name": f"{n:02}", "value": "", "name_localizations": names} for n in range(25)]
    options = [{"type": 3, "name": f"o{n}", "description": "x", "choices": choices} for n in (0, 1)]
    large = {**PING, "options": options}  # 350 kB
    stored = 0
    while True:
        answer = await commands.rest.call("POST", commands.path, {**large, "name": f"n{stored}"})
        if answer.status != 201:
            break
        stored += 1
    assert code(answer) == "APPLICATION_COMMAND_TOO_LARGE"
    assert 1 < stored < 10
    assert len(await commands.rest.get(commands.path)) == stored


async def test_body_has_a_size(world: World) -> None:
    commands = Commands(await world.bot("bot", "alice"))
    for method, most in (("PUT", 2**21), ("POST", 2**19)):
        answer = await commands.rest.call(
            method,
            commands.path,
            data=io.BytesIO(b" " * (most + 1)),
            headers={"Content-Type": "application/json"},
        )
        assert (answer.status, answer.code) == (413, 40005)


async def test_concurrent_upserts_of_one_name_make_one_command(commands: Commands) -> None:
    answers = await asyncio.gather(
        *(
            commands.rest.call("POST", commands.path, {**PING, "description": f"{n}"})
            for n in range(4)
        )
    )
    assert sorted(each.status for each in answers) == [200, 200, 200, 201]
    assert len({each.json["id"] for each in answers}) == 1
    [left] = await commands.rest.get(commands.path)
    assert left["description"] in {each.json["description"] for each in answers}


async def test_overwriting_races_creating(commands: Commands) -> None:
    """Whichever comes first: the list is that of the overwrite, or has the created one as well."""
    created, overwritten = await asyncio.gather(
        commands.rest.call("POST", commands.path, PING),
        commands.rest.call("PUT", commands.path, [{**PING, "name": "pong"}]),
    )
    assert (created.status, overwritten.status) == (201, 200)
    assert await commands.names() in (["pong"], ["ping", "pong"])


async def test_commands_of_a_guild_end_with_the_membership(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    here, everywhere = Commands(bot, guild), Commands(bot)
    await here.rest.post(here.path, PING)
    await everywhere.rest.post(everywhere.path, PING)
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bot.id}")
    refused = await bot.rest.call("GET", here.path)
    assert (refused.status, refused.code) == (403, 50001)
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{bot.id}")
    assert await here.names() == []
    assert await everywhere.names() == ["ping"]


async def test_commands_of_a_deleted_guild_are_gone(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    here = Commands(bot, guild)
    made = await here.rest.post(here.path, PING)
    await guild.owner.rest.delete(f"/guilds/{guild.id}")
    for method, path in (
        ("GET", here.path),
        ("PUT", here.path),
        ("GET", f"{here.path}/{made['id']}"),
    ):
        gone = await bot.rest.call(method, path, [] if method == "PUT" else None)
        assert (gone.status, gone.code) == (404, 10004)


async def test_deleting_an_application_deletes_its_commands(
    world: World, database: psycopg2.extensions.cursor
) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    for scope in (Commands(bot), Commands(bot, guild)):
        await scope.rest.post(scope.path, PING)
    await guild.owner.rest.delete(f"/applications/{bot.id}")
    gone = await guild.owner.rest.call("GET", f"/applications/{bot.id}/commands")
    assert (gone.status, gone.code) == (404, 10002)
    for table in ("application_commands", "application_command_scopes"):
        database.execute(f"SELECT count(*) FROM {table} WHERE application_id = %s", (bot.id,))
        assert database.fetchall() == [(0,)]


async def test_people_have_no_commands(world: World) -> None:
    mallory = await world.person("mallory")
    for application_id in (mallory.id, "1"):
        gone = await mallory.rest.call("GET", f"/applications/{application_id}/commands")
        assert (gone.status, gone.code) == (404, 10002)


async def test_people_learn_of_changed_commands_of_a_guild(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    (bob,) = await world.online("bob")
    bot = await world.bot("bot", "alice", guild)
    name = "GUILD_APPLICATION_COMMAND_INDEX_UPDATE"
    assert (await bob.next(name)).d == {"guild_id": guild.id}
    here = Commands(bot, guild)
    (listener,) = await world.online("bot")
    made = await here.rest.post(here.path, PING)
    assert (await bob.next(name)).d == {"guild_id": guild.id, "version": made["version"]}
    await here.rest.post(here.path, PING)  # changes nothing
    await here.rest.patch(f"{here.path}/{made['id']}", {"nsfw": True})
    await here.rest.put(here.path, [{**PING, "name": "pong"}])
    versions = [each.d["version"] for each in await bob.received_before_fence()]
    assert len(set(versions)) == 2
    assert await listener.received_before_fence() == []
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bot.id}")
    assert (await bob.next(name)).d == {"guild_id": guild.id}
