"""What READY sends: an account with its guilds, private channels and relationships."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from chatd.core.errors import Unauthorized
from chatd.core.ids import GuildId, LoginId, UserId
from chatd.core.models import Account, Application, PrivateChannel
from chatd.core.relationships import Relationship
from chatd.db.cursor import Cursor
from chatd.queries import (
    applications,
    guilds,
    logins,
    private_channels,
    relationships,
)
from chatd.services import guild_snapshot
from chatd.services.guild_snapshot import KnownGuilds, UserGuilds

_FEW_GUILDS = 3
"""Up to this number, guilds are sent with READY regardless of their size. It saves small accounts a
query."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The account of a valid login, and a bot's application."""

    account: Account
    application: Application | None
    user_seq: int
    """The position of the user's stream."""


@dataclass(frozen=True, slots=True)
class ReadySnapshot:
    """The state of an account, read from one snapshot of the database."""

    account: Account
    application: Application | None
    user_seq: int
    """The position of the user's stream."""
    private_channels: Sequence[PrivateChannel]
    """Empty for a bot: it learns of a private channel by the events in it."""
    relationships: Sequence[Relationship]
    """Empty for a bot."""
    guild_ids: Sequence[GuildId]
    """All guilds of the shard."""
    guilds: UserGuilds
    """The guilds that were requested of these."""


async def read_identity(cur: Cursor, login_id: LoginId, user_id: UserId) -> Identity:
    """Return the account of a login. Raises Unauthorized when the login is not valid."""
    found = await logins.account_and_position(cur, login_id, user_id)
    if found is None:
        raise Unauthorized
    account, position = found
    if not account.user.bot:
        return Identity(account, None, position)
    application = await applications.get(cur, user_id)
    if application is None:
        raise Unauthorized
    return Identity(account, application, position)


async def guild_sizes(
    cur: Cursor,
    user_id: UserId,
    *,
    is_in_shard: Callable[[GuildId], bool],
    known_size: Callable[[GuildId], int | None],
) -> dict[GuildId, int]:
    """Return the guilds of a user, with what they cost to read (see `guild_snapshot.parts`).

    `known_size` returns the size of a guild that is in memory, or None. The costs are 0 if the user
    has only a few guilds.
    """
    ids = [each for each in await guilds.ids_for_user(cur, user_id) if is_in_shard(each)]
    sizes = known_sizes(ids, known_size)
    if unknown := [each for each in ids if each not in sizes]:
        sizes |= await guilds.sizes(cur, unknown)
    return sizes


def known_sizes(
    ids: Sequence[GuildId], known_size: Callable[[GuildId], int | None]
) -> dict[GuildId, int]:
    """Return the part of `guild_sizes` that needs no query, for a user in these guilds."""
    if len(ids) <= _FEW_GUILDS:
        return dict.fromkeys(ids, 0)
    return {each: size for each in ids if (size := known_size(each)) is not None}


async def read(
    cur: Cursor,
    identity: Identity,
    *,
    only: Collection[GuildId] | None,
    known: KnownGuilds,
    large_threshold: int,
    is_in_shard: Callable[[GuildId], bool],
    with_private_channels: bool,
) -> ReadySnapshot:
    """Read the state of an account. `cur` reads from one snapshot of the database.

    The guilds are `only` these, or all of the shard. A guild of more than `large_threshold` members
    is loaded with the user's own member alone.
    """
    account = identity.account
    user_id, is_bot = account.user.id, account.user.bot
    found = await guild_snapshot.read_for_user(
        cur,
        account.user,
        large_threshold=large_threshold,
        known=known,
        is_wanted=is_in_shard if only is None else only.__contains__,
    )
    ids = [each.guild_id for each in found.memberships]
    if only is not None:
        ids = [each for each in await guilds.ids_for_user(cur, user_id) if is_in_shard(each)]
    private: Sequence[PrivateChannel] = ()
    if with_private_channels and not is_bot:
        private = await private_channels.list_open_for_user(cur, user_id)
    related: Sequence[Relationship] = ()
    if not is_bot:
        related = await relationships.list_for_user(cur, user_id)
    return ReadySnapshot(
        account=account,
        application=identity.application,
        user_seq=identity.user_seq,
        private_channels=private,
        relationships=related,
        guild_ids=ids,
        guilds=found,
    )
