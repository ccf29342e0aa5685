"""A mirror: the state that a client builds from READY and the events after it.

It is strict: what is changed or deleted must have been sent before, and nothing is sent twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import pytest

from chatd.core.intents import Intents
from tests.world import TIMEOUT_S, WITHOUT_PRESENCES, Client, Dispatched, World

Json = dict[str, Any]

_NOT_COMPARED = (
    *("presences", "unavailable", "data_mode", "lazy"),
    *("activity_instances", "voice_states", "soundboard_sounds"),
)
_BY_ID = ("roles", "channels")


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Return where two states differ."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return [] if one == other else [f"{path}: {one!r} is not {other!r}"]
    missing = object()
    return [
        found
        for name in sorted({*one, *other})
        for found in differences(one.get(name, missing), other.get(name, missing), f"{path}/{name}")
    ]


class Mirror:
    """The state of one client.

    Without GUILD_MEMBERS a client receives its own member only, and no current member count.
    """

    def __init__(self, client: Client, *, intents: int) -> None:
        self.client = client
        self.guilds: dict[str, Json] = {}
        self.private: dict[str, Json] = {}
        self.user: Json = {}
        self.relationships: dict[str, Json] = {}
        self.read: list[str] = []
        """The contents of messages, in the order of their arrival."""
        self._has_members_intent = bool(intents & Intents.GUILD_MEMBERS)

    def state(self) -> Json:
        """Return the state in a form to compare.

        Overwrites and recipients have no order. The names of recipients are left out: a client has
        them from the latest event that mentions the user.
        """
        guilds = {
            guild_id: {
                **guild,
                "channels": {
                    channel_id: {
                        **channel,
                        "permission_overwrites": {
                            each["id"]: each for each in channel["permission_overwrites"]
                        },
                    }
                    for channel_id, channel in guild["channels"].items()
                },
            }
            for guild_id, guild in self.guilds.items()
        }
        private = {
            channel_id: {**channel, "recipients": {each["id"] for each in channel["recipients"]}}
            for channel_id, channel in self.private.items()
        }
        relationships = {
            user_id: (each["type"], each["nickname"], each["since"])
            for user_id, each in self.relationships.items()
        }
        return {
            "user": self.user,
            "guilds": guilds,
            "private": private,
            "relationships": relationships,
        }

    def start(self) -> None:
        """Start with the state in READY."""
        self.user = self.client.ready["user"]
        self.private = {each["id"]: dict(each) for each in self.client.ready["private_channels"]}
        for channel in self.private.values():
            channel.pop("recipient_ids", None)
        self.relationships = {each["id"]: each for each in self.client.ready["relationships"]}
        members = self.client.ready.get("merged_members")
        for number, guild in enumerate(self.client.ready["guilds"]):
            if "channels" in guild:
                listed = guild["members"] if members is None else members[number]
                self._guild_create({**guild, "members": [self._hydrated(each) for each in listed]})

    def _hydrated(self, member: Json) -> Json:
        """Return a member of `merged_members` as GUILD_CREATE has it."""
        if "user_id" not in member:
            return member
        rest = {key: each for key, each in member.items() if key not in ("user_id", "guild_id")}
        return {"user": _as_others_see(self.user), **rest}

    def catch_up(self) -> None:
        """Apply the events that have arrived."""
        for dispatched in self.client.all_received():
            self.apply(dispatched)

    def apply(self, dispatched: Dispatched) -> None:
        """Apply a dispatch."""
        reader = self._readers.get(dispatched.t)
        if reader is not None:
            reader(self, dispatched.d)

    def _guild_create(self, data: Json) -> None:
        assert data["id"] not in self.guilds, "a guild came twice"
        data = {**data.pop("properties", {}), **data}
        guild = {name: value for name, value in data.items() if name not in _NOT_COMPARED}
        for name in _BY_ID:
            guild[name] = {each["id"]: each for each in data[name]}
        guild["members"] = {each["user"]["id"]: each for each in data["members"]}
        if not self._has_members_intent:
            own = self.user["id"]
            guild["members"] = {own: guild["members"][own]}
            del guild["member_count"]
        self.guilds[data["id"]] = guild

    def _guild_update(self, data: Json) -> None:
        roles = {each["id"]: each for each in data["roles"]}
        self.guilds[data["id"]].update(data, roles=roles)

    def _guild_delete(self, data: Json) -> None:
        del self.guilds[data["id"]]

    def _channels(self, data: Json) -> tuple[dict[str, Json], Json]:
        guild_id = data.get("guild_id")
        if guild_id is None:
            return self.private, data
        channel = {name: value for name, value in data.items() if name != "guild_id"}
        known: dict[str, Json] = self.guilds[guild_id]["channels"]
        return known, channel

    def _channel_create(self, data: Json) -> None:
        known, channel = self._channels(data)
        assert channel["id"] not in known, "a channel came twice"
        known[channel["id"]] = channel

    def _channel_update(self, data: Json) -> None:
        known, channel = self._channels(data)
        assert channel["id"] in known, "an update of a channel that is not to be seen"
        known[channel["id"]] = channel

    def _channel_delete(self, data: Json) -> None:
        known, channel = self._channels(data)
        del known[channel["id"]]

    def _recipient_added(self, data: Json) -> None:
        recipients = self.private[data["channel_id"]]["recipients"]
        assert data["user"] not in recipients
        recipients.append(data["user"])

    def _recipient_removed(self, data: Json) -> None:
        channel = self.private[data["channel_id"]]
        left = [each for each in channel["recipients"] if each["id"] != data["user"]["id"]]
        assert len(left) == len(channel["recipients"]) - 1
        channel["recipients"] = left

    def _role_create(self, data: Json) -> None:
        roles = self.guilds[data["guild_id"]]["roles"]
        assert data["role"]["id"] not in roles, "a role came twice"
        roles[data["role"]["id"]] = data["role"]

    def _role_update(self, data: Json) -> None:
        roles = self.guilds[data["guild_id"]]["roles"]
        assert data["role"]["id"] in roles
        roles[data["role"]["id"]] = data["role"]

    def _role_delete(self, data: Json) -> None:
        guild = self.guilds[data["guild_id"]]
        del guild["roles"][data["role_id"]]
        for member in guild["members"].values():
            member["roles"] = [each for each in member["roles"] if each != data["role_id"]]

    def _member_add(self, data: Json) -> None:
        guild = self.guilds[data.pop("guild_id")]
        assert data["user"]["id"] not in guild["members"], "a member came twice"
        guild["members"][data["user"]["id"]] = data
        guild["member_count"] += 1

    def _member_update(self, data: Json) -> None:
        members = self.guilds[data.pop("guild_id")]["members"]
        assert data["user"]["id"] in members, "an update of a user that is no member"
        members[data["user"]["id"]] = data

    def _member_remove(self, data: Json) -> None:
        guild = self.guilds[data["guild_id"]]
        del guild["members"][data["user"]["id"]]
        guild["member_count"] -= 1

    def _message_create(self, data: Json) -> None:
        self.read.append(data["content"])
        if "guild_id" not in data:
            self.private[data["channel_id"]]["last_message_id"] = data["id"]
        else:
            channels = self.guilds[data["guild_id"]]["channels"]
            channels[data["channel_id"]]["last_message_id"] = data["id"]

    def _user_update(self, data: Json) -> None:
        self.user = data

    def _relationship_add(self, data: Json) -> None:
        before = self.relationships.get(data["id"], {"type": None})
        assert data["type"] != before["type"], "a relationship came twice"
        self.relationships[data["id"]] = data

    def _relationship_update(self, data: Json) -> None:
        assert data["id"] in self.relationships
        self.relationships[data["id"]] = data

    def _relationship_remove(self, data: Json) -> None:
        assert self.relationships.pop(data["id"])["type"] == data["type"]

    _readers: ClassVar[dict[str, Callable[[Mirror, Json], None]]] = {
        "GUILD_CREATE": _guild_create,
        "GUILD_UPDATE": _guild_update,
        "GUILD_DELETE": _guild_delete,
        "GUILD_ROLE_CREATE": _role_create,
        "GUILD_ROLE_UPDATE": _role_update,
        "GUILD_ROLE_DELETE": _role_delete,
        "GUILD_MEMBER_ADD": _member_add,
        "GUILD_MEMBER_UPDATE": _member_update,
        "GUILD_MEMBER_REMOVE": _member_remove,
        "CHANNEL_CREATE": _channel_create,
        "CHANNEL_UPDATE": _channel_update,
        "CHANNEL_DELETE": _channel_delete,
        "CHANNEL_RECIPIENT_ADD": _recipient_added,
        "CHANNEL_RECIPIENT_REMOVE": _recipient_removed,
        "MESSAGE_CREATE": _message_create,
        "RELATIONSHIP_ADD": _relationship_add,
        "RELATIONSHIP_UPDATE": _relationship_update,
        "RELATIONSHIP_REMOVE": _relationship_remove,
        "USER_UPDATE": _user_update,
    }


def _as_others_see(user: Json) -> Json:
    private = (
        "email",
        "bio",
        "verified",
        "mfa_enabled",
        "authenticator_types",
        "locale",
        "premium_type",
    )
    return {name: value for name, value in user.items() if name not in private}


async def mirrored(
    world: World, name: str, intents: int = WITHOUT_PRESENCES, capabilities: int | None = None
) -> Mirror:
    """Connect a client, and mirror its state."""
    client = await world.socket()
    mirror = Mirror(client, intents=intents)
    token = (await world.person(name)).token
    client.ready, client.seq = {}, 0
    identify = {"token": token, "properties": {}, "intents": intents}
    await client.send(2, {**identify, "capabilities": capabilities})
    client.ready = (await client.next("READY")).d
    mirror.start()
    missing = {guild["id"] for guild in client.ready["guilds"] if guild.get("unavailable")}
    while missing:
        dispatched = await client.next_any()
        mirror.apply(dispatched)
        if dispatched.t == "GUILD_CREATE":
            missing.discard(dispatched.d["id"])
    return mirror


async def agree(mirrors: Sequence[tuple[str, Mirror]], fresh: dict[str, Mirror]) -> None:
    """Wait until every mirror equals a fresh one; fail with the differences."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            while not all(mirror.state() == fresh[kind].state() for kind, mirror in mirrors):
                await asyncio.sleep(0.02)
                for _, mirror in mirrors:
                    mirror.catch_up()
    except TimeoutError:
        found = [
            f"{kind} {difference}"
            for kind, mirror in mirrors
            for difference in differences(mirror.state(), fresh[kind].state())
        ]
        pytest.fail("\n".join(found))
