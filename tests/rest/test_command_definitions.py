"""Definitions of application commands: what is refused, what has defaults, and translations."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.commands import PING, Commands, code, menu
from tests.world import World, like

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
