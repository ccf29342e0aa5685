"""Visibility: sets of channels agree with computed permissions through random changes."""

from __future__ import annotations

import random
from dataclasses import replace

import orjson

from chatd.core import permissions
from chatd.core.ids import ChannelId, GuildId, RoleId, UserId
from chatd.core.models import Channel, ChannelType, Guild, Role
from chatd.core.overwrites import Overwrite, OverwriteType
from chatd.core.permissions import Permissions
from chatd.events import channels as channel_events
from chatd.events import roles as role_events
from chatd.gateway.fanout.visibility import Visibility
from chatd.services.guild_snapshot import GuildOutline

GUILD, OWNER = GuildId(1), UserId(2)
ROLES = [RoleId(each) for each in range(100, 108)]
USERS = [UserId(each) for each in range(200, 212)]
VIEW = int(Permissions.VIEW_CHANNEL)
DECISIONS = [(VIEW, 0), (0, VIEW), (0, 0), (2048, VIEW), (VIEW, VIEW)]


def role(role_id: RoleId, granted: int) -> Role:
    return Role(role_id, GUILD, "role", granted, 0, False, False, 1)


def channel(number: int) -> Channel:
    return Channel(
        id=ChannelId(number),
        guild_id=GUILD,
        type=ChannelType.TEXT,
        name="channel",
        topic=None,
        position=number % 3,
        parent_id=None,
        nsfw=False,
        rate_limit_per_user=0,
        last_message_id=None,
        overwrites=(),
    )


class Model:
    """The same guild, with visibility computed for each channel separately."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        everyone = RoleId(GUILD)
        self.roles = {each: role(each, self.bits()) for each in (everyone, *ROLES)}
        self.channels = {ChannelId(each): channel(each) for each in range(300, 310)}
        for each in self.channels:
            self.channels[each] = self.redone(self.channels[each])
        self.members = {
            each: tuple(sorted(chance.sample(ROLES, chance.randrange(4)))) for each in USERS
        }
        self.members[OWNER] = ()

    def bits(self) -> int:
        """Return permissions: sometimes VIEW_CHANNEL, rarely ADMINISTRATOR."""
        if self.chance.random() < 0.02:
            return 8
        return self.chance.choice([0, VIEW, VIEW, VIEW | 2048, 2048])

    def redone(self, before: Channel) -> Channel:
        """Return a channel with other overwrites."""
        targets: list[tuple[int, OverwriteType]] = [(int(GUILD), OverwriteType.ROLE)]
        targets += [(int(each), OverwriteType.ROLE) for each in ROLES]
        targets += [(int(each), OverwriteType.MEMBER) for each in USERS]
        chosen = self.chance.sample(targets, self.chance.randrange(6))
        overwrites = tuple(
            Overwrite(target, kind, *self.chance.choice(DECISIONS))
            for target, kind in sorted(chosen)
        )
        return replace(before, overwrites=overwrites)

    def outline(self) -> GuildOutline:
        guild = Guild(GUILD, "guild", None, None, OWNER, None)
        return GuildOutline(guild, 1, list(self.roles.values()), list(self.channels.values()))

    def seen(self, user_id: UserId) -> set[ChannelId]:
        own = self.members[user_id]
        held = [Permissions(self.roles[each].permissions) for each in (RoleId(GUILD), *own)]
        granted = permissions.in_guild(is_owner=user_id == OWNER, roles=held)
        return {
            each.id
            for each in self.channels.values()
            if Permissions.VIEW_CHANNEL
            in permissions.in_channel(
                granted, each.overwrites, guild_id=GUILD, user_id=user_id, roles=own
            )
        }


def agree(visibility: Visibility, model: Model) -> None:
    for user_id in model.members:
        seen = model.seen(user_id)
        assert set(visibility.channels_in(visibility.visible_channels(user_id))) == seen
        for channel_id in model.channels:
            may = visibility.has_permission(user_id, channel_id, Permissions.VIEW_CHANNEL)
            assert may == (channel_id in seen)
        shown = orjson.loads(orjson.dumps(visibility.visible_payloads(user_id)))
        ordered = sorted(seen, key=lambda each: (model.channels[each].position, each))
        assert [int(each["id"]) for each in shown] == ordered
        assert not any("guild_id" in each for each in shown)


def test_visible_channels_agree_with_permissions_through_random_changes() -> None:
    for seed in range(30):
        chance = random.Random(seed)
        model = Model(chance)
        visibility = Visibility.of(model.outline())
        for user_id, own in model.members.items():
            visibility.add_member(user_id, own, 0.0)
        agree(visibility, model)
        for step in range(40):
            event = None
            match chance.randrange(5):
                case 0:
                    each = chance.choice(list(model.roles))
                    model.roles[each] = role(each, model.bits())
                    event = role_events.role_updated(model.roles[each])
                case 1 | 2:
                    chosen = chance.choice(list(model.channels))
                    model.channels[chosen] = model.redone(model.channels[chosen])
                    event = channel_events.channel_updated(model.channels[chosen])
                case 3:
                    new = model.redone(channel(1000 + step))
                    model.channels[new.id] = new
                    event = channel_events.channel_created(new)
                case 4 if len(model.channels) > 1:
                    gone = model.channels.pop(chance.choice(list(model.channels)))
                    event = channel_events.channel_deleted(gone)
            if event is None:
                continue
            before = {user_id: visibility.visible_channels(user_id) for user_id in model.members}
            changed = visibility.apply(event.numbered(step + 2))
            agree(visibility, model)
            if not changed and event.name != "CHANNEL_CREATE":
                after = {user_id: visibility.visible_channels(user_id) for user_id in model.members}
                assert before == after
        restored = Visibility.restored(orjson.loads(orjson.dumps(visibility.state())))
        agree(restored, model)


def test_channel_payload_equals_the_event_body() -> None:
    model = Model(random.Random(1))
    visibility = Visibility.of(model.outline())
    for channel_id, each in model.channels.items():
        event = channel_events.channel_created(each)
        assert visibility.payloads.channel(channel_id) == event.body
        visibility.apply(event.numbered(2))
        assert visibility.payloads.channel(channel_id) == event.body
