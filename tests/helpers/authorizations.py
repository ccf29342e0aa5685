"""Adding applications to guilds, as a person does it with a link."""

from __future__ import annotations

from typing import Any

from tests.world import Answer, Guild, Person

BOT_SCOPE = "bot applications.commands"


async def authorize(
    person: Person, client_id: str, *, scope: str = BOT_SCOPE, **consent: object
) -> Answer:
    """Consent to a link with these scopes."""
    path = f"/oauth2/authorize?client_id={client_id}&scope={scope.replace(' ', '+')}"
    return await person.rest.call("POST", path, {"authorize": True, **consent})


async def add(guild: Guild, bot: Person, permissions: int) -> None:
    """Add a bot to a guild, as its owner."""
    answer = await authorize(guild.owner, bot.id, guild_id=guild.id, permissions=str(permissions))
    assert answer.status == 200, answer.raw


async def managed_role(guild: Guild, bot: Person) -> dict[str, Any] | None:
    """Return the role of a bot."""
    found = await guild.owner.rest.get(f"/guilds/{guild.id}/roles")
    own = [role for role in found if role.get("tags") == {"bot_id": bot.id}]
    assert len(own) <= 1
    return own[0] if own else None
