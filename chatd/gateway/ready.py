"""Starting a session: READY, the guilds, and then the stream, without a hole in between.

First it watches the feeds of its guilds, then it reads the snapshot. What it was given meanwhile
and the snapshot does not hold yet, it dispatches after the snapshot. If who may see what has
changed in between, or a guild has come or gone, it reads anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from chatd.core.errors import Busy, Unauthorized
from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.intents import NO_INTENT, Intents
from chatd.core.models import Account, Application, PrivateChannel
from chatd.db import Cursor, Database
from chatd.events.event import Event, to_user
from chatd.events.users import revoked_login
from chatd.gateway import bots
from chatd.gateway.commands import Identify
from chatd.gateway.feed import IN_PRIVATE, Feed, GuildFeed
from chatd.gateway.registry import Registry
from chatd.gateway.session import Outlet, Session
from chatd.queries import applications, guilds, logins, private_channels, streams, users
from chatd.services import snapshots
from chatd.services.snapshots import GuildSnapshot
from chatd.wire import payloads

_ATTEMPTS = 20
_CATCH_UP_S = 2.0


class DisallowedIntents(Exception):
    """A bot asks for what its application may not have."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    account: Account
    application: Application | None
    user_seq: int
    private_channels: Sequence[PrivateChannel]
    guilds: dict[GuildId, GuildSnapshot]


class Starter:
    """Starts one session. Used once."""

    def __init__(self, database: Database, registry: Registry, session: Session) -> None:
        self._database = database
        self._registry = registry
        self._session = session
        self._held: list[tuple[Feed, Event]] = []
        self._complete_from: dict[Feed, int] = {}
        self._watched: set[Feed] = set()
        self._must_restart = False

    @property
    def user_id(self) -> UserId:
        """Whose session it is."""
        return self._session.user_id

    def hold(self, feed: Feed, event: Event) -> None:
        """Keep an event for later."""
        self._held.append((feed, event))

    def complete_from(self, feed: Feed, seq: int) -> None:
        """What is held of this feed is everything after `seq`."""
        self._complete_from[feed] = seq

    def restart(self) -> None:
        """Read everything anew."""
        self._must_restart = True

    async def start(self, outlet: Outlet, wanted: Identify, gateway_url: str) -> None:
        """Send READY and the guilds, and let the session follow its feeds.

        Raises Unauthorized, DisallowedIntents, Busy, DatabaseAway; then the session has never been.
        """
        session = self._session
        self._registry.begin_start(session.user_id, self)
        try:
            snapshot = await self._settled_snapshot(wanted.large_threshold)
            # From here to the end nothing waits, so nothing changes.
            session.outlet = outlet
            self._introduce(snapshot, wanted, gateway_url)
            self._registry.add(session)
            self._follow(snapshot)
            self._catch_up(snapshot)
        finally:
            self._registry.end_start(session.user_id, self, self._watched)

    async def _settled_snapshot(self, large_threshold: int) -> _Snapshot:
        """A snapshot that the held events continue without a hole."""
        watched = await self._guild_ids()
        for _ in range(_ATTEMPTS):
            self._must_restart = False
            self._held = [each for each in self._held if self._is_current(each[0])]
            user_feed: Feed = self._registry.user_feed(self._session.user_id)
            feeds = {guild_id: self._registry.guild_feed(guild_id) for guild_id in watched}
            for feed in (user_feed, *feeds.values()):
                feed.watch(self)
                self._watched.add(feed)
            snapshot = await self._read(large_threshold)
            if snapshot.guilds.keys() != feeds.keys():
                watched = set(snapshot.guilds)
                continue
            await self._synchronise(user_feed, feeds, snapshot)
            settled = all(
                self._is_settled(feeds[guild_id], guild.seq)
                for guild_id, guild in snapshot.guilds.items()
            )
            settled = settled and self._is_settled(user_feed, snapshot.user_seq)
            if settled and not self._must_restart:
                return snapshot
        raise Busy

    async def _guild_ids(self) -> set[GuildId]:
        async with self._database.cursor() as cur:
            ids = await guilds.ids_of_user(cur, self._session.user_id)
        return {guild_id for guild_id in ids if self._session.takes(guild_id)}

    async def _read(self, large_threshold: int) -> _Snapshot:
        user_id = self._session.user_id
        transaction = await self._database.begin(snapshot=True)
        try:
            if await logins.caller(transaction.cur, self._session.login_id, user_id) is None:
                raise Unauthorized
            account = await users.account(transaction.cur, user_id)
            if account is None:
                raise Unauthorized
            application = await self._application(transaction.cur, account)
            positions = await streams.positions(transaction.cur, [user_id])
            found = await snapshots.of_user(
                transaction.cur, user_id, large_threshold=large_threshold
            )
            private = await self._private_channels(transaction.cur, account)
        finally:
            await transaction.rollback()
        takes = self._session.takes
        own = {each.guild.id: each for each in found if takes(each.guild.id)}
        return _Snapshot(account, application, positions.get(user_id, 0), private, own)

    async def _application(self, cur: Cursor, account: Account) -> Application | None:
        """That of a bot, if it asks for no more than it may."""
        if not account.user.bot:
            return None
        application = await applications.get(cur, account.user.id)
        if application is None:
            raise Unauthorized
        if bots.disallowed(application, self._session.intents):
            raise DisallowedIntents
        return application

    async def _private_channels(self, cur: Cursor, account: Account) -> Sequence[PrivateChannel]:
        """Those of a person: bots are told of a private channel by what happens in it."""
        if account.user.bot or not self._session.takes_private:
            return ()
        return await private_channels.open_of_user(cur, account.user.id)

    async def _synchronise(
        self, user_feed: Feed, feeds: dict[GuildId, GuildFeed], snapshot: _Snapshot
    ) -> None:
        """Begin the feeds that are new; wait for those that have not come as far yet."""
        now = asyncio.get_running_loop().time()
        if not user_feed.is_live:
            user_feed.start(snapshot.user_seq, now)
        for guild_id, guild in snapshot.guilds.items():
            if not feeds[guild_id].is_live and not feeds[guild_id].is_opening:
                feeds[guild_id].begin(guild, now)
        try:
            async with asyncio.timeout(_CATCH_UP_S):
                await user_feed.reached(snapshot.user_seq)
                for guild_id, guild in snapshot.guilds.items():
                    await feeds[guild_id].reached(guild.seq)
        except TimeoutError:
            self._must_restart = True  # the dispatcher finds out what is missing

    def _is_settled(self, feed: Feed, seq: int) -> bool:
        complete_from = self._complete_from.get(feed)
        return (
            self._is_current(feed)
            and complete_from is not None
            and seq >= max(complete_from, feed.changed_at)
        )

    def _is_current(self, feed: Feed) -> bool:
        """Whether the feed has not been lost and begun anew meanwhile."""
        return self._registry.feed(feed.stream) is feed

    def _introduce(self, snapshot: _Snapshot, wanted: Identify, gateway_url: str) -> None:
        session = self._session
        ready = {
            "v": 10,
            "user": payloads.own_user(snapshot.account),
            "guilds": [{"id": str(each), "unavailable": True} for each in snapshot.guilds],
            "private_channels": [
                payloads.private_channel(each, session.user_id)
                for each in snapshot.private_channels
            ],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": gateway_url,
            "shard": list(wanted.shard),
            "application": {
                "id": str(session.user_id),
                "flags": 0 if snapshot.application is None else snapshot.application.flags,
            },
            "_trace": [],
        }
        self._send("READY", ready, NO_INTENT)
        for guild in snapshot.guilds.values():
            state = {**guild.state(), "unavailable": False}
            if session.wants(Intents.GUILD_PRESENCES):
                state["presences"] = self._registry.presences_of(state["members"])
            self._send("GUILD_CREATE", state, Intents.GUILDS)

    def _send(self, name: str, payload: payloads.Json, intent: Intents) -> None:
        user_id = self._session.user_id
        body = payloads.encode(payload)
        event = Event(name, StreamId(user_id), to_user(user_id), body, intent)
        self._session.tell(event)

    def _follow(self, snapshot: _Snapshot) -> None:
        self._registry.user_feed(self._session.user_id).attach(self._session)
        for guild_id, guild in snapshot.guilds.items():
            self._registry.guild_feed(guild_id).admit(self._session, guild.own.roles)

    def _catch_up(self, snapshot: _Snapshot) -> None:
        known = {StreamId(each.guild.id): each.seq for each in snapshot.guilds.values()}
        known[StreamId(self._session.user_id)] = snapshot.user_seq
        for feed, event in self._held:
            is_news = event.seq == 0 or event.seq > known.get(feed.stream, event.seq)
            if not is_news or not feed.may_see(self._session.user_id, event):
                continue
            if event.intent in IN_PRIVATE and not self._session.takes_private:
                continue
            if revoked_login(event) is None:
                self._session.tell(event)
            elif revoked_login(event) == self._session.login_id:
                self._registry.revoke(self._session)
                return  # what came after it is not for this login
