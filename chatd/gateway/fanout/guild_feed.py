"""The feed of a guild: delivers each event to the members that may see it.

An event can change which channels a member may see. The feed applies such events to its
`Visibility`. It sends CHANNEL_CREATE to members that can see a channel now and could not before.
It sends CHANNEL_DELETE to members that could see the channel and cannot now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Protocol, TypeAlias

import orjson

from chatd.core.ids import ChannelId, GuildId, RoleId, StreamId, UserId
from chatd.core.intents import NO_INTENT, Intents
from chatd.core.json import JsonObject
from chatd.core.permissions import Permissions
from chatd.events.event import AudienceKind, Event, to_channel
from chatd.events.guilds import JOINED, MEMBERSHIP
from chatd.gateway.fanout import visible_channels
from chatd.gateway.fanout.audience_cache import AudienceCache, excludes_timed_out
from chatd.gateway.fanout.channel_overwrites import ChannelSet
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.feed import Feed
from chatd.gateway.fanout.guild_payloads import RECORDED
from chatd.gateway.fanout.presence_deliveries import deliveries
from chatd.gateway.fanout.visibility import Visibility
from chatd.gateway.fanout.visible_channels import VisibilityChange
from chatd.gateway.session.session import Session
from chatd.wire import payloads
from chatd.wire.payloads import client_ready

_DELIVER_THEN_APPLY = frozenset({"CHANNEL_DELETE", "GUILD_DELETE"})
"""Events that the feed delivers to members that could see the channel or guild before the event.
It delivers all other events to members that may see the channel or guild after the event."""

_STATE_EVENTS = frozenset(
    {
        "CHANNEL_CREATE",
        "CHANNEL_DELETE",
        "CHANNEL_UPDATE",
        "GUILD_DELETE",
        "GUILD_MEMBER_UPDATE",
        "GUILD_ROLE_CREATE",
        "GUILD_ROLE_DELETE",
        "GUILD_ROLE_UPDATE",
        "GUILD_UPDATE",
        *JOINED,
    }
)
"""Events that may change which members have sessions here, or what they may see."""

_VIEWERS = (AudienceKind.CHANNEL, Permissions.VIEW_CHANNEL)
"""The audience of most events, by its kind and the permissions that are needed."""

_Form: TypeAlias = tuple[bool, bool, bool | None]
"""What decides the form of a GUILD_CREATE; see `_send_guild_create`. There are few forms. Each is
encoded separately, and a user can have 100 sessions with different capabilities."""


class LocalSessions(Protocol):
    """The sessions of this instance, by user."""

    def sessions_of(self, user_id: UserId) -> Iterable[Session]:
        """Return the sessions of a user."""

    def mark_presence_dirty(self, user_id: UserId) -> None:
        """Mark a user whose presence must be computed again."""

    def detach_later(self, feed: Feed, sessions: dict[UserId, tuple[Session, ...]]) -> None:
        """Remove a feed that has ended from these sessions, in time slices."""

    def presences_of(self, guild_id: GuildId, members: Iterable[JsonObject]) -> list[JsonObject]:
        """Return the presences of those of these members that are online in a guild."""


class GuildFeed(Feed):
    """The events of a guild, for the members that may see them.

    `start_from_outline` starts it from a guild that was read from Postgres, and `restore` from the
    state that an instance saved. When a local user joins a guild without a feed, `begin_start`
    comes first: then `start_from_outline` starts no later than at that user's GUILD_JOINED.
    """

    def __init__(
        self,
        stream: StreamId,
        local_sessions: LocalSessions,
        delivery_queue: DeliveryQueue,
        feeds_with_gaps: set[Feed],
    ) -> None:
        super().__init__(stream, delivery_queue, feeds_with_gaps)
        self._local_sessions = local_sessions
        self._visibility: Visibility | None = None
        self._join_event: Event | None = None
        """The oldest GUILD_JOINED that was passed to `begin_start`."""
        self._pending_starts = 0
        """Calls of `begin_start` whose `end_start` has not been called."""
        self.audiences = AudienceCache()
        """Audiences regardless of the timeouts of members, which end without an event."""
        self.without_typing: set[Session] = set()
        """Sessions that have ended their subscription to TYPING_START."""

    def begin_start(self, event: Event) -> None:
        """Announce that a task will start the feed, no later than at this GUILD_JOINED."""
        if self._join_event is None or event.seq < self._join_event.seq:
            self._join_event = event
        self._pending_starts += 1

    def end_start(self) -> None:
        """End a `begin_start`: the feed has been started, or its start has failed."""
        self._pending_starts -= 1
        if not self._pending_starts:
            self._join_event = None

    @property
    def is_starting(self) -> bool:
        """Whether a task of the dispatcher is starting the feed; then nothing else may start it."""
        return self._pending_starts > 0 and not self.is_started

    async def wait_until_ready(self, position: int) -> None:
        """Wait until `start_from_outline` can start from the guild as it was at `position`."""
        while not self.is_started and self._events_since_join(position) is None:
            await self.wait_for_progress()

    def start_from_outline(self, visibility: Visibility, position: int, now: float) -> None:
        """Start after `position`, at which the guild had this visibility.

        If the GUILD_JOINED of `begin_start` is older, the feed starts before that event. Then
        `Visibility.rewind` computes the visibility at the event.
        """
        self._visibility = visibility
        if self._join_event is not None and (since := self._events_since_join(position)):
            position = self._join_event.seq - 1
            self._visibility.rewind(orjson.loads(self._join_event.body), since)
        self.start(position, now)

    def _events_since_join(self, position: int) -> list[Event] | None:
        """Return the events from `_join_event` to `position`; None if one is missing."""
        if self._join_event is None:
            return []
        return self._order.buffered(self._join_event.seq - 1, position)

    def restore(self, visibility: Visibility, position: int, now: float) -> None:
        """Start after `position`, at which the guild had this visibility."""
        self._visibility = visibility
        self.start(position, now)

    @property
    def visibility(self) -> Visibility:
        """The visibility of a feed that has been started."""
        assert self._visibility is not None
        return self._visibility

    def add_member_session(
        self, session: Session, roles: tuple[RoleId, ...], timeout_end: float
    ) -> None:
        """Deliver events to a session of a member with these roles.

        `timeout_end` is when the member's timeout ends or ended, in Unix time; 0 without one.
        """
        if self.visibility.roles_of(session.user_id) != roles:
            self._note_changed(session.user_id)
        self.visibility.add_member(session.user_id, roles, timeout_end)
        self.attach(session)

    def attach(self, session: Session) -> None:
        """Deliver events to a session from now on."""
        if session not in self._sessions.get(session.user_id, ()):
            self.audiences.note(session, is_new=True)
        super().attach(session)
        self._local_sessions.mark_presence_dirty(session.user_id)

    def detach(self, session: Session) -> None:
        """Stop delivering events to a session."""
        super().detach(session)
        self.without_typing.discard(session)
        self.audiences.clear()  # a reference would keep the session's replay buffer alive
        self._local_sessions.mark_presence_dirty(session.user_id)
        if session.user_id not in self._sessions and self._visibility is not None:
            self._visibility.remove_member(session.user_id)

    def push_presences(self, changed: Mapping[UserId, Event]) -> None:
        """Deliver the PRESENCE_UPDATEs of these users; see `presence_deliveries`."""
        if not self.is_started:
            return
        for listener in self._listeners:
            for user_id, event in changed.items():
                if user_id != listener.user_id or listener.receives_own_presence:
                    listener.buffer(self, event)
        viewers = self._audience(next(iter(changed.values())))
        for event, sessions in deliveries(
            changed, viewers, lambda user_id: self._sessions.get(user_id, ())
        ):
            self._dispatch(event, sessions)

    def may_see(self, user_id: UserId, event: Event) -> bool:
        """Return whether this user may receive an event, by the present state of the feed."""
        if excludes_timed_out(event) and self.visibility.is_timed_out(user_id):
            return False
        return self._has_permissions(user_id, event)

    def _has_permissions(self, user_id: UserId, event: Event) -> bool:
        """Return whether this user may receive an event, regardless of its timeout."""
        audience = event.audience
        assert self._visibility is not None
        if audience.kind is AudienceKind.CHANNEL:
            channel_id = ChannelId(audience.id)
            return self._visibility.has_permission(user_id, channel_id, audience.needed)
        if audience.kind is AudienceKind.GUILD:
            return self._visibility.has_guild_permission(user_id, audience.needed)
        return super().may_see(user_id, event)

    def _deliver(self, event: Event) -> None:
        if event.name not in _STATE_EVENTS:
            if event.name in RECORDED:
                self.visibility.payloads.record(event)
            self._dispatch(event, self._audience(event))
            return
        if event.name in _DELIVER_THEN_APPLY:
            super()._deliver(event)
            self._apply(event)
            return
        before = visible_channels.before_event(self.visibility, event)
        self._apply(event)
        if event.name in JOINED:
            self._send_guild_create(event)
            return
        changes = visible_channels.changes(self.visibility, before)
        if event.name == "CHANNEL_UPDATE":
            # Members that see it only before or only after get CHANNEL_DELETE or CHANNEL_CREATE.
            self._dispatch(event, self._unaffected(event, changes))
        else:
            super()._deliver(event)
        if event.name == "GUILD_MEMBER_UPDATE":
            self._notify_self(event)
        self._send_visibility_changes(changes)

    def _notify_self(self, event: Event) -> None:
        """Send a member its own GUILD_MEMBER_UPDATE, even without the intent GUILD_MEMBERS.

        Rule: Discord docs, Gateway, "List of Intents": it needs no intent.
        """
        without_intent = [
            session
            for session in self._sessions.get(_member_in(event), ())
            if not session.wants(Intents.GUILD_MEMBERS)
        ]
        if without_intent:
            self._dispatch(replace(event, intent=NO_INTENT), without_intent)

    def _send_guild_create(self, event: Event) -> None:
        """Send GUILD_CREATE to the sessions of a member that has just joined.

        Sessions with the intent GUILD_PRESENCES receive presences in it. Bots without GUILD_MEMBERS
        receive no member but themselves.
        """
        kinds: defaultdict[_Form, list[Session]] = defaultdict(list)
        for session in self._audience(event):
            wants_presences = session.wants(Intents.GUILD_PRESENCES)
            client = session.user_client
            properties = None if client is None else client.wants_properties
            kinds[session.sees_only_itself, wants_presences, properties].append(session)
        if not kinds:
            return
        state = orjson.loads(event.body)
        state["roles"] = self.visibility.payloads.roles()
        state["channels"] = self.visibility.visible_payloads(UserId(event.audience.id))
        own = [each for each in state["members"] if each["user"]["id"] == str(event.audience.id)]
        guild_id, presences_of = GuildId(self.stream), self._local_sessions.presences_of
        for (is_alone, wants_presences, properties), sessions in kinds.items():
            members = own if is_alone else state["members"]
            shown = {
                **state,
                "members": members,
                "presences": presences_of(guild_id, members) if wants_presences else [],
                "large": state["member_count"] > len(members),
            }
            if properties is not None:
                shown = client_ready.guild_created(shown, with_properties=properties)
            body = payloads.encode(shown)
            self._dispatch(replace(event, name="GUILD_CREATE", body=body), sessions)

    def _unaffected(self, event: Event, changes: Iterable[VisibilityChange]) -> Collection[Session]:
        """Return the sessions that could see the channel of an event before, and still can."""
        bit = self.visibility.bit(ChannelId(event.audience.id))
        gained = {user_id for each in changes if each.gained & bit for user_id in each.users}
        audience = self._audience(event)
        return [each for each in audience if each.user_id not in gained] if gained else audience

    def _send_visibility_changes(self, changes: Iterable[VisibilityChange]) -> None:
        """Send CHANNEL_CREATE or CHANNEL_DELETE for channels that members gained or lost.

        A member gains a channel when it can see it now and could not before. Most members gain and
        lose the same channels. So the feed encodes each event once for all of these members.
        """
        groups: dict[tuple[ChannelSet, ChannelSet], list[Session]] = {}
        for each in changes:
            sessions = groups.setdefault((each.lost, each.gained), [])
            for user_id in each.users:
                sessions += self._sessions.get(user_id, ())
        sent: dict[tuple[str, ChannelId], Event] = {}
        for (lost, gained), sessions in groups.items():
            for name, channels in (("CHANNEL_DELETE", lost), ("CHANNEL_CREATE", gained)):
                for channel_id in self.visibility.channels_in(channels):
                    event = sent.get((name, channel_id))
                    if event is None:
                        event = sent[name, channel_id] = self._channel_event(name, channel_id)
                    self._dispatch(event, sessions)

    def _channel_event(self, name: str, channel_id: ChannelId) -> Event:
        body, audience = self.visibility.payloads.channel(channel_id), to_channel(channel_id)
        return Event(name, self.stream, audience, body, Intents.GUILDS)

    def _apply(self, event: Event) -> None:
        """Apply an event to visibility, and attach or detach the sessions that it affects."""
        assert self._visibility is not None
        is_changed = self._visibility.apply(event)
        if is_changed:
            self.visibility_seq = event.seq
        if event.name == "GUILD_MEMBER_UPDATE":
            if is_changed:
                self._note_changed(_member_in(event))
            self._restart_startups(event)
        elif event.name not in MEMBERSHIP and (is_changed or event.name == "CHANNEL_CREATE"):
            self.audiences.clear()  # an event of MEMBERSHIP changes nothing for other sessions
        if event.name in JOINED:
            self._note_changed(UserId(event.audience.id))
            for session in self._local_sessions.sessions_of(UserId(event.audience.id)):
                if session.shard_includes(GuildId(self.stream)):
                    self.attach(session)
        elif event.name == "GUILD_DELETE":
            self._remove_members(event)

    def _restart_startups(self, event: Event) -> None:
        """Make the starting sessions of a changed member read their snapshots again.

        Visibility does not know such a member yet, so `apply` does not see its change.
        """
        user_id = _member_in(event) if self._listeners else None
        for listener in self._listeners:
            if listener.user_id == user_id:
                listener.invalidate_snapshot()

    def _remove_members(self, event: Event) -> None:
        """Detach the sessions of a member that has left, or all when the guild is deleted."""
        if event.audience.kind is AudienceKind.GUILD:
            self._local_sessions.detach_later(self, self._sessions)
            self._sessions = {}
            self.without_typing.clear()
            self.audiences.clear()
        for session in self._sessions.get(UserId(event.audience.id), ()):
            self.detach(session)

    def _note_changed(self, user_id: UserId) -> None:
        """Make the audience cache check the sessions of a member again."""
        for session in self._sessions.get(user_id, ()):
            self.audiences.note(session, is_new=False)

    def _audience(self, event: Event) -> Collection[Session]:
        audience = event.audience
        if audience.kind is AudienceKind.USER:
            return super()._audience(event)
        key = audience.id, audience.needed
        viewers = self.audiences.current(key) or self.audiences.get(
            key,
            lambda: self._find_viewers(event),
            lambda session: self._includes(session, event),
        )
        if event.name == "TYPING_START" and self.without_typing:
            return [session for session in viewers if session not in self.without_typing]
        if excludes_timed_out(event):
            # A timeout ends without an event, so the cached audience cannot consider it.
            is_timed_out = self.visibility.is_timed_out
            return [session for session in viewers if not is_timed_out(session.user_id)]
        return viewers

    def _find_viewers(self, event: Event) -> list[Session]:
        """Return the sessions of the members with the permissions that an event needs."""
        audience = event.audience
        if (audience.kind, audience.needed) == _VIEWERS:
            channel_id = ChannelId(audience.id)
            users: Iterable[UserId] = visible_channels.viewers(self.visibility, channel_id)
        else:
            users = [each for each in self._sessions if self._has_permissions(each, event)]
        return [session for user_id in users for session in self._sessions.get(user_id, ())]

    def _includes(self, session: Session, event: Event) -> bool:
        """Return whether a session follows this feed and belongs to the audience of an event."""
        user_id = session.user_id
        return session in self._sessions.get(user_id, ()) and self._has_permissions(user_id, event)


def _member_in(event: Event) -> UserId:
    """Return the member that a GUILD_MEMBER_UPDATE is about."""
    return UserId(int(orjson.loads(event.body)["user"]["id"]))
