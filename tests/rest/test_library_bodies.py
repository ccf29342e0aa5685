"""Bodies that libraries send: values of other JSON types, and null for absent fields.

Each was refused when the library was first tried: discord.py 2.7, hikari 2.7, discord.js 14.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import marshmallow as ma

from chatd.wire.base_schema import Schema
from chatd.wire.fields import Nested
from chatd.wire.schemas.gateway import IdentifySchema
from tests.conftest import Server
from tests.helpers.members import backdate_members
from tests.helpers.roles import assign_roles, create_role
from tests.helpers.walk import walk
from tests.wire.schemas import SCHEMAS, fields_of
from tests.world import World


async def test_prune_accepts_strings_and_comma_separated_ids(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    roles = [await create_role(guild, "one"), await create_role(guild, "two")]
    for name, role in zip(("bob", "carol"), roles, strict=True):
        await assign_roles(world, guild, name, role)
    backdate_members(server, guild, await world.people("alice", "bob", "carol"), days=10)
    rest, path = guild.owner.rest, f"/guilds/{guild.id}/prune"
    ids = ", ".join(roles)  # as discord.py joins them
    assert await rest.get(f"{path}?include_roles={quote(ids)}") == {"pruned": 2}
    assert await rest.get(f"{path}?include_roles={','.join(roles)}") == {"pruned": 2}
    for wrong in ("x", f"{ids},x", "1 2", ",".join(["1"] * 251)):
        answer = await rest.call("POST", path, {"include_roles": wrong})
        assert answer.json["errors"].keys() == {"include_roles"}
    for wrong_word in ("yes", "TRUE ", ""):
        answer = await rest.call("POST", path, {"compute_prune_count": wrong_word})
        assert answer.json["errors"].keys() == {"compute_prune_count"}
    body = {"days": 7, "compute_prune_count": "true", "include_roles": ids}
    assert await rest.post(path, body) == {"pruned": 2}
    assert await rest.post(path, {"compute_prune_count": "false"}) == {"pruned": None}


async def test_unknown_system_channel_flags_are_dropped(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = f"/guilds/{guild.id}"
    for flags, kept in ((511, 63), (510, 62), (256, 0), (5, 5)):
        changed = await guild.owner.rest.patch(path, {"system_channel_flags": flags})
        assert changed["system_channel_flags"] == kept
    for flags in (-1, 2**31, 2**40):
        answer = await guild.owner.rest.call("PATCH", path, {"system_channel_flags": flags})
        assert answer.json["errors"].keys() == {"system_channel_flags"}


async def test_roles_without_a_position_are_not_moved(world: World) -> None:
    guild = await world.guild(owner="alice")
    one, two = await create_role(guild, "one"), await create_role(guild, "two")
    moves = [{"id": one, "position": None}, {"id": two}, {"id": guild.id, "position": None}]
    path = f"/guilds/{guild.id}/roles"
    before = await guild.owner.rest.get(path)
    assert await guild.owner.rest.patch(path, moves) == before
    await guild.owner.rest.patch(path, [*moves, {"id": one, "position": 2}])
    places = {role["id"]: role["position"] for role in await guild.owner.rest.get(path)}
    assert places[one] == 2


async def test_null_in_nested_objects_means_the_same_as_absent(world: World) -> None:
    guild = await world.guild(owner="alice")
    rest, path = guild.owner.rest, f"/channels/{guild.general.id}/messages"
    embed = {"fields": [{"name": "a", "value": "b", "inline": None}]}
    [stored] = (await rest.post(path, {"embeds": [embed]}))["embeds"]
    assert stored["fields"] == [{"name": "a", "value": "b", "inline": False}]
    reference = {"message_id": "1", "fail_if_not_exists": None}
    answer = await rest.call("POST", path, {"content": "x", "message_reference": reference})
    assert answer.status == 400  # as without the field


async def test_identify_accepts_null_for_optional_fields(world: World) -> None:
    alice = await world.person("alice")
    fields = IdentifySchema().fields
    optional = [name for name, field in fields.items() if not field.required]
    activity = {"name": "x", "type": None}
    presence = {"status": "online", "activities": [activity], "since": None, "afk": None}
    for extra in (dict.fromkeys(optional), {"intents": 1, "presence": presence}):
        client = await world.socket()
        await client.identify(alice.token, **extra)


@walk("schema", SCHEMAS)
def test_nested_objects_drop_redundant_nulls(schema: type[Schema[Any]]) -> None:
    """`fields.Nested` does this; the field of marshmallow reads null as a value."""
    for path, field, _ in fields_of(schema(), ""):
        if isinstance(field, ma.fields.Nested):
            assert isinstance(field, Nested), path
            assert isinstance(field.schema, Schema), path
