"""READY for a user client: the client of a person, which sent capabilities with IDENTIFY.

Other clients receive a GUILD_CREATE for each guild after READY. For user clients READY itself
contains the guilds, up to MAX_SIZE. `LateGuilds` sends the others as GUILD_CREATE, as if the person
had just joined them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence

import orjson

from chatd.core import snowflake
from chatd.core.capabilities import Capabilities, UserClient
from chatd.core.ids import ChannelId
from chatd.core.json import JsonObject
from chatd.core.presence import Status, status_in
from chatd.core.relationships import RelationshipType
from chatd.gateway.fanout import session_lists
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.session.session import Session
from chatd.services.accounts import relationships
from chatd.services.client_snapshot import ClientSnapshot
from chatd.services.ready_snapshot import ReadySnapshot
from chatd.wire import payloads
from chatd.wire.payloads import client_ready

MAX_SIZE = 12_000
"""The size of the guilds inside one READY, by the measure of `guild_snapshot.parts`: up to 5 MB."""


class ClientReady:
    """READY and READY_SUPPLEMENTAL for one session, from one snapshot."""

    def __init__(
        self,
        hub: Hub,
        session: Session,
        client: UserClient,
        snapshot: ReadySnapshot,
        state: ClientSnapshot,
    ) -> None:
        self.client = client
        self._hub = hub
        self._session = session
        self._snapshot = snapshot
        self._state = state
        self._settings = payloads.user_settings(state.settings)
        self._relationships: Sequence[JsonObject] = ()
        self._private_channels = self._users = b"[]"
        self._members = {each.guild_id: each.own for each in snapshot.guilds.memberships}

    @property
    def stored_status(self) -> Status:
        """The status in the settings of the account, which its clients share."""
        return status_in(self._settings) or Status.ONLINE

    async def render(self) -> None:
        """Render relationships and private channels in time slices, since there can be many."""
        snapshot, user_id, dedupes = self._snapshot, self._session.user_id, self.client.dedupes
        show = client_ready.relationship if dedupes else payloads.relationship
        self._relationships = await relationships.rendered(snapshot.relationships, show)
        show_channel = client_ready.private_channel if dedupes else payloads.private_channel
        self._private_channels = await payloads.encode_array(
            snapshot.private_channels, lambda each: show_channel(each, user_id)
        )
        if dedupes:
            users = client_ready.users_of(
                snapshot.relationships, snapshot.private_channels, user_id
            )
            self._users = await payloads.encode_array(users, lambda each: each)

    def ready(self, gateway_url: str, guilds: Iterable[bytes]) -> bytes:
        """Return the body of READY with these guilds, in the present state of their feeds."""
        session, snapshot, wanted = self._session, self._snapshot, self.client.capabilities
        settings = self._state.settings
        listed = session_lists.shown(
            self._hub, [*self._hub.sessions_of(session.user_id), session], session.user_id
        )
        session.listed_sessions = payloads.encode(listed)
        body: JsonObject = {
            **client_ready.EMPTY,
            "v": 10,
            "user": payloads.own_user(snapshot.account),
            "guilds": [orjson.Fragment(each) for each in guilds],
            "relationships": self._relationships,
            "private_channels": orjson.Fragment(self._private_channels),
            "user_settings": self._settings,
            "user_settings_proto": b64encode(payloads.preloaded_settings(settings)).decode(),
            "user_guild_settings": client_ready.versioned(
                [payloads.notifications(each) for each in self._state.notifications],
                is_versioned=Capabilities.VERSIONED_USER_GUILD_SETTINGS in wanted,
            ),
            "read_state": client_ready.versioned(
                self._read_states(),
                is_versioned=Capabilities.VERSIONED_READ_STATES in wanted,
            ),
            "session_id": session.id,
            "static_client_session_id": session.id,
            "sessions": listed,
            "auth_session_id_hash": self._state.login_hash,
            "resume_gateway_url": gateway_url,
        }
        if self.client.takes_notes:
            notes = self._state.notes.items()
            body["notes"] = {str(user_id): note for user_id, note in notes}
        if not self.client.dedupes:
            return payloads.encode({**body, "presences": self._friends()})
        body["users"] = orjson.Fragment(self._users)
        body["merged_members"] = [
            [client_ready.merged_member(each.own)] for each in snapshot.guilds.memberships
        ]
        if not self.client.awaits_supplement:
            body["merged_presences"] = self._merged_presences()
        return payloads.encode(body)

    def supplement(self) -> bytes:
        """Return the body of READY_SUPPLEMENTAL."""
        return payloads.encode(
            {
                "guilds": [client_ready.guild_supplement(each) for each in self._members],
                "merged_members": [[] for _ in self._members],
                "merged_presences": self._merged_presences(),
                "lazy_private_channels": [],
                "disclose": [],
                "game_invites": [],
            }
        )

    def _read_states(self) -> list[JsonObject]:
        return [
            client_ready.read_state(each, self.client.capabilities)
            for each in self._state.read_states
            if self._shows_read_state(each.channel_id)
        ]

    def _shows_read_state(self, channel_id: ChannelId) -> bool:
        """Return whether the person may see a channel that has messages since the person joined."""
        guild_id = self._state.guild_of.get(channel_id)
        if guild_id is None:
            return True  # a private channel
        feed, own = self._hub.guild_feed(guild_id), self._members[guild_id]
        visible = feed.visibility.visible_with(own.user.id, own.roles)
        is_visible = bool(visible & feed.visibility.bit(channel_id))
        joined = snowflake.at(own.joined_at)
        return is_visible and feed.visibility.payloads.has_messages_after(channel_id, joined)

    def _merged_presences(self) -> JsonObject:
        return {"friends": self._friends(), "guilds": [[] for _ in self._members]}

    def _friends(self) -> list[JsonObject]:
        """Return the presences of the friends that are online."""
        return [
            client_ready.merged_presence(each.user.id, presence)
            for each in self._snapshot.relationships
            if each.type == RelationshipType.FRIEND
            and (presence := self._hub.presence_of(each.user.id)).status != Status.OFFLINE
        ]
