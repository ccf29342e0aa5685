"""A guild with an application, and what people and the application do with its components."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from chatd.db.pool import Database
from tests.world import Answer, Client, Guild, Person, Rest, World

BUTTON: dict[str, Any] = {"type": 2, "id": 2, "style": 1, "label": "Go", "custom_id": "go"}
ROW: dict[str, Any] = {"type": 1, "id": 1, "components": [BUTTON]}


@dataclass
class Received:
    """An interaction as its application received it."""

    payload: dict[str, Any]
    anonymous: Rest
    """Applications respond without a login."""

    @property
    def id(self) -> str:
        return str(self.payload["id"])

    @property
    def token(self) -> str:
        return str(self.payload["token"])

    @property
    def callback(self) -> str:
        return f"/interactions/{self.id}/{self.token}/callback"

    @property
    def webhook(self) -> str:
        return f"/webhooks/{self.payload['application_id']}/{self.token}"

    @property
    def original(self) -> str:
        return f"{self.webhook}/messages/@original"

    async def respond(self, kind: int, **data: Any) -> dict[str, Any]:
        """Respond, and return what the response has created."""
        body = {"type": kind, "data": data} if data else {"type": kind}
        return dict(await self.anonymous.post(f"{self.callback}?with_response=true", body))

    async def try_to_respond(self, body: Any) -> Answer:
        """Respond, and return the answer, whatever it is."""
        return await self.anonymous.call("POST", self.callback, body)

    async def follow_up(self, **message: Any) -> dict[str, Any]:
        """Send a message that follows the response."""
        return dict(await self.anonymous.post(self.webhook, message))


@dataclass
class Stage:
    """A guild with a bot that is connected, and a message of the bot with a button."""

    world: World
    guild: Guild
    bot: Person
    client: Client
    """The gateway client of the bot."""
    message: dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)

    def body(self, custom_id: str = "go", **changes: Any) -> dict[str, Any]:
        """Return the body with which a person uses the button."""
        return {
            "type": 3,
            "application_id": self.bot.id,
            "guild_id": self.guild.id,
            "channel_id": self.guild.general.id,
            "message_id": self.message["id"],
            "message_flags": 0,
            "nonce": "1",
            "data": {"component_type": 2, "custom_id": custom_id},
            **changes,
        }

    async def click(self, person: Person, custom_id: str = "go", **changes: Any) -> Received:
        """Use the button as a person; return what the bot received."""
        await person.rest.post("/interactions", self.body(custom_id, **changes))
        return await self.received()

    async def received(self) -> Received:
        """Return the next interaction that the bot receives."""
        return Received((await self.client.next("INTERACTION_CREATE")).d, self.world.anonymous)


async def interaction_stage(
    world: World, database: Database, *members: str, components: Any = (ROW,)
) -> Stage:
    """Create a guild of alice with these members and a bot."""
    guild = await world.guild(owner="alice", members=members)
    bot = await world.bot("bot", "alice", guild)
    [client] = await world.online("bot")
    path = f"/channels/{guild.general.id}/messages"
    message = await bot.rest.post(path, {"content": "Press"})
    await client.next("MESSAGE_CREATE")
    await set_components(database, message["id"], components)
    return Stage(world, guild, bot, client, message)


async def set_components(database: Database, message_id: str, components: Any) -> None:
    """Give a message these components."""
    async with database.cursor() as cur:
        await cur.execute(
            "UPDATE messages SET components = %(components)s WHERE id = %(id)s",
            {"id": int(message_id), "components": orjson.dumps(list(components)).decode()},
        )
