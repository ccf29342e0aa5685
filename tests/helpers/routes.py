"""A guild with one of everything that a route can name."""

from __future__ import annotations

from urllib.parse import quote

from chatd.core.permissions import Permissions
from chatd.rest.table import table
from tests.helpers.roles import create_role
from tests.world import Answer, Guild, Rest, World

TABLE = {f"{route.method} {route.path}": route for route in table()}

SEE = Permissions.VIEW_CHANNEL
ALL_PERMISSIONS = Permissions(sum(Permissions)) & ~Permissions.ADMINISTRATOR

COMMAND_PERMISSIONS = (
    "/applications/{application_id}/guilds/{guild_id}/commands/{command_id}/permissions"
)

SPAM_RULE = {"name": "theirs", "event_type": 1, "trigger_type": 3}

BODIES: dict[str, object] = {
    "PATCH /administration/accounts/{user_id}": {"disabled": True},
    "POST /administration/reports/{report_id}/resolve": {"outcome": "no_action"},
    "PATCH /guilds/{guild_id}": {"name": "theirs"},
    "PUT /guilds/{guild_id}/incident-actions": {"dms_disabled_until": None},
    "POST /guilds/{guild_id}/channels": {"name": "theirs"},
    "PATCH /guilds/{guild_id}/channels": [],
    "PATCH /channels/{channel_id}": {"topic": "theirs"},
    "PUT /channels/{channel_id}/permissions/{target_id}": {"type": 0},
    "POST /channels/{channel_id}/messages": {"content": "theirs"},
    "POST /channels/{channel_id}/attachments": {"files": [{"filename": "x", "file_size": 1}]},
    "PATCH /channels/{channel_id}/messages/{message_id}": {"flags": 4},
    "POST /guilds/{guild_id}/roles": {"name": "theirs"},
    "PATCH /guilds/{guild_id}/roles/{role_id}": {"name": "theirs"},
    "PATCH /guilds/{guild_id}/members/@me": {"nick": "theirs"},
    "PATCH /guilds/{guild_id}/members/{user_id}": {"nick": "theirs"},
    "POST /channels/{channel_id}/invites": {},
    "PATCH /users/@me/guilds/{guild_id}/settings": {"muted": True},
    "POST /guilds/{guild_id}/auto-moderation/rules": SPAM_RULE,
    "PATCH /guilds/{guild_id}/auto-moderation/rules/{rule_id}": {"name": "theirs"},
    "POST /channels/{channel_id}/webhooks": {"name": "theirs"},
    "PATCH /webhooks/{webhook_id}": {"name": "theirs"},
    "PATCH /webhooks/{webhook_id}/{webhook_token}": {"name": "theirs"},
    "PUT /guilds/{guild_id}/bans/{user_id}": {},
    "POST /guilds/{guild_id}/mfa": {"level": 1},
}


ANNOUNCING = (
    "POST /channels/{channel_id}/followers",
    "POST /channels/{channel_id}/messages/{message_id}/crosspost",
)
"""Routes of announcement channels."""


class RouteStage:
    """A guild with one of everything that a path can name."""

    def __init__(self, world: World, guild: Guild, names: dict[str, str]) -> None:
        self.guild = guild
        self.names = names
        self._world = world

    async def try_it(self, rest: Rest, name: str) -> Answer:
        """Call a route with a valid path, query and body; only the permission may be missing."""
        route = TABLE[name]
        if "integration_id" in route.path and "integration_id" not in self.names:
            self.names["integration_id"] = await add_integration(self.guild)
        if "{application_id}" in route.path:
            await self.add_application()
        if "{report_id}" in route.path and "report_id" not in self.names:
            about = {"type": "user", "category": "spam", "user_id": self.names["user_id"]}
            self.names["report_id"] = (await self.guild.owner.rest.post("/reports", about))[
                "report_id"
            ]
        path = route.path.format(**self.names)
        if "search" in path:
            path += "?query=x"
        body = BODIES.get(name)
        if name == "PATCH /guilds/{guild_id}/roles":
            body = [{"id": self.names["role_id"], "position": 1}]
        if name in ANNOUNCING:
            announcing = {"type": 5}
            await self.guild.owner.rest.patch(f"/channels/{self.guild.general.id}", announcing)
        if name == "POST /channels/{channel_id}/followers":
            body = {"webhook_channel_id": (await self.guild.channel("follower")).id}
        if name == "POST /guilds/{guild_id}/bulk-ban":
            body = {"user_ids": [self.names["user_id"]]}
        if name == "POST /channels/{channel_id}/messages/bulk-delete":
            body = {"messages": [self.names["message_id"], self.names["other_message_id"]]}
        if name == f"PUT {COMMAND_PERMISSIONS}":
            body = {"permissions": [{"id": self.names["role_id"], "type": 1, "permission": True}]}
        return await rest.call(route.method, path, body)

    async def allow_everyone(self, permissions: Permissions) -> None:
        """Set the permissions of all members."""
        path = f"/guilds/{self.guild.id}/roles/{self.guild.id}"
        await self.guild.owner.rest.patch(path, {"permissions": str(int(permissions))})

    async def remove_reactions(self) -> None:
        """Remove all reactions to the message of the stage."""
        path = f"/channels/{self.guild.general.id}/messages/{self.names['message_id']}/reactions"
        await self.guild.owner.rest.delete(path)

    async def add_application(self) -> None:
        """Add an application with a command, for which the guild has permissions."""
        if "application_id" in self.names:
            return
        bot = await self._world.bot("helper", "alice", self.guild)
        command = {"name": "blep", "description": "x"}
        made = await bot.rest.post(f"/applications/{bot.id}/commands", command)
        self.names |= {"application_id": bot.id, "command_id": made["id"]}
        names = {**self.names, "guild_id": self.guild.id}
        denied = [{"id": self.names["role_id"], "type": 1, "permission": False}]
        path = COMMAND_PERMISSIONS.format(**names)
        await self.guild.owner.rest.put(path, {"permissions": denied})


async def add_integration(guild: Guild) -> str:
    """Add a new application with its bot to a guild; return the id that both have."""
    made = await guild.owner.rest.post("/applications", {"name": "Helper"})
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{made['id']}")
    return str(made["id"])


async def route_stage(world: World, *, everyone: Permissions = SEE) -> RouteStage:
    """Create a guild whose members have the permissions `everyone`, and one of everything."""
    guild = await world.guild(owner="alice", members=["target"])
    rest, channel = guild.owner.rest, guild.general.id
    target = await world.person("target")
    messages = f"/channels/{channel}/messages"
    message, other = [await rest.post(messages, {"content": text}) for text in ("1", "2")]
    await rest.put(f"{messages}/{message['id']}/reactions/{quote('👍')}/@me")
    role = await create_role(guild, "low", position=1)
    await rest.put(f"/channels/{channel}/permissions/{role}", {"type": 0})
    webhook = await rest.post(f"/channels/{channel}/webhooks", {"name": "hook"})
    mentions = {**SPAM_RULE, "trigger_type": 5}
    rule = await rest.post(f"/guilds/{guild.id}/auto-moderation/rules", mentions)
    names = {
        "guild_id": guild.id,
        "channel_id": channel,
        "message_id": message["id"],
        "other_message_id": other["id"],
        "user_id": target.id,
        "role_id": role,
        "target_id": role,
        "emoji": quote("👍"),
        "webhook_id": webhook["id"],
        "webhook_token": webhook["token"],
        "rule_id": rule["id"],
        "code": await guild.invite(),
    }
    stage = RouteStage(world, guild, names)
    await stage.allow_everyone(everyone)
    return stage


def assert_permitted(answer: Answer) -> None:
    """Require that the call was permitted. The user of a bulk ban may be unknown."""
    assert 200 <= answer.status < 300 or answer.code == 10026, answer.raw
