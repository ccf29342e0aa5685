"""Roles of a guild."""

from __future__ import annotations

from tests.world import Guild, World


async def create_role(
    guild: Guild, name: str, permissions: int = 0, position: int | None = None
) -> str:
    """Create a role, at a position if one is given; return its id."""
    rest = guild.owner.rest
    body = {"name": name, "permissions": str(permissions)}
    role = await rest.post(f"/guilds/{guild.id}/roles", body)
    if position is not None:
        await rest.patch(f"/guilds/{guild.id}/roles", [{"id": role["id"], "position": position}])
    return str(role["id"])


async def assign_roles(world: World, guild: Guild, name: str, *roles: str) -> None:
    """Assign roles to a person of the world, as the guild's owner."""
    person = await world.person(name)
    for role in roles:
        await guild.owner.rest.put(f"/guilds/{guild.id}/members/{person.id}/roles/{role}")
