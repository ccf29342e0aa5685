"""What whoever runs the server does from outside, by the command line: no caller is asked for.

It takes the same way as what users do: the database first, then events to every instance, by which
tokens and sockets end at once.
"""

from __future__ import annotations

import contextlib

from chatd.context import Context, Resources
from chatd.core import names
from chatd.core.errors import UnknownGuild, UnknownUser
from chatd.core.ids import GuildId, LoginId, UserId, parse_id
from chatd.core.models import Caller
from chatd.db import Cursor
from chatd.queries import administration, users
from chatd.queries import guilds as guild_queries
from chatd.queries.administration import AccountSummary, GuildSummary
from chatd.services import guilds
from chatd.services.credentials import email_key, normal
from chatd.services.revocation import revoke_all
from chatd.wire.schemas.guilds import GuildChange

_REASON = "By those who run the server, on the command line"


async def find(cur: Cursor, text: str) -> AccountSummary:
    """The account of an id, an address or a name. Raises UnknownUser.

    An id goes before a name: nobody takes another's place by being called like its id.
    """
    found = None
    with contextlib.suppress(ValueError):
        found = await administration.account(cur, user_id=parse_id(text))
    if found is None and "@" in text:  # which stands in no name
        found = await administration.account(cur, email_key=email_key(text))
    elif found is None:
        found = await administration.account(cur, username_key=names.key(text))
    if found is None:
        raise UnknownUser(f"There is no account {text!r}.")
    return found


async def find_guild(cur: Cursor, text: str) -> GuildSummary:
    """The guild of an id. Raises UnknownGuild."""
    found = None
    with contextlib.suppress(ValueError):
        found = await administration.guild(cur, parse_id(text))
    if found is None:
        raise UnknownGuild(f"There is no guild {text!r}.")
    return found


async def disable(resources: Resources, user_id: UserId) -> None:
    """Shut an account: all its logins end, and nobody can log in to it. Raises UnknownUser.

    Whoever logs in meanwhile holds the account's row: that login is among those that end, or is
    refused. What the account has written stays.
    """
    async with resources.begin() as work:
        await work.open(user_id)
        if not await administration.set_disabled(work.cur, user_id, True):
            raise UnknownUser
        await revoke_all(work, user_id)


async def enable(resources: Resources, user_id: UserId) -> None:
    """Open a disabled account again; it has to log in anew. Raises UnknownUser."""
    async with resources.begin() as work:
        await work.open(user_id)
        if not await administration.set_disabled(work.cur, user_id, False):
            raise UnknownUser


async def set_password(resources: Resources, user_id: UserId, password: str) -> None:
    """Give a person another password, and end all its logins. Raises UnknownUser, Busy."""
    hashed = await resources.passwords.hash(normal(password))
    async with resources.begin() as work:
        await work.open(user_id)
        if not await administration.set_password(work.cur, user_id, hashed):
            raise UnknownUser
        await revoke_all(work, user_id)


async def revoke_sessions(resources: Resources, user_id: UserId) -> None:
    """End all logins of an account."""
    async with resources.begin() as work:
        await revoke_all(work, user_id)


async def set_administrator(resources: Resources, user_id: UserId, value: bool) -> None:
    """Make a person an administrator of the server, or no longer. Raises UnknownUser."""
    async with resources.begin() as work:
        if not await administration.set_administrator(work.cur, user_id, value):
            raise UnknownUser


async def transfer_guild(resources: Resources, guild: GuildSummary, user_id: UserId) -> None:
    """Hand a guild to another member. Raises UnknownGuild, InvalidForm."""
    ctx = await _as_owner(resources, guild.id)
    await guilds.update(ctx, guild.id, GuildChange(owner_id=user_id))


async def delete_guild(resources: Resources, guild: GuildSummary) -> None:
    """Delete a guild with all that is in it. Raises UnknownGuild."""
    await guilds.delete(await _as_owner(resources, guild.id), guild.id)


async def _as_owner(resources: Resources, guild_id: GuildId) -> Context:
    """Act for the owner of a guild, with a login that nobody has.

    Raises UnknownGuild.
    """
    async with resources.database.cursor() as cur:
        found = await guild_queries.by_ids(cur, [guild_id])
        owner = await users.get(cur, found[0].owner_id) if found else None
    if owner is None:
        raise UnknownGuild
    return Context(resources, Caller(owner, LoginId(0)), reason=_REASON)
