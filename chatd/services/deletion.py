"""Deleting one's own account: what goes, what stays, and what nobody can do any more.

The row stays without all that tells of a person, since messages, audit logs and bans name it. Its
name and address are free for others. What it has written stays, under the name of nobody.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from chatd.context import Context, Work
from chatd.core import names
from chatd.core.errors import OwnsApplications, OwnsGuilds
from chatd.core.ids import UserId
from chatd.queries import applications, guilds, members, read_states, users
from chatd.services import credentials, images
from chatd.services import members as member_service
from chatd.services.revocation import revoke_all
from chatd.services.users import lock_with_guilds


async def delete_account(ctx: Context, password: str | None) -> None:
    """Delete the caller's account: it leaves its guilds, and all its logins end.

    All this is one transaction, under the locks of its guilds and its own. Who hands it a guild
    waits for the guild and then finds no member; who lets it join, or makes a guild for it, waits
    for the user and then finds no account. Who logs in holds the account's row, as for a new
    password. Raises OwnsGuilds, OwnsApplications, InvalidForm, Unauthorized, Busy.
    """
    proof = await credentials.prove(ctx, password)
    async with ctx.begin() as work:
        await erase(work, ctx.user.id, allowed=lambda: credentials.require_still(ctx, work, proof))
        if await applications.of_owner(work.cur, ctx.user.id):
            raise OwnsApplications


async def erase(work: Work, user_id: UserId, *, allowed: Callable[[], Awaitable[object]]) -> None:
    """Let an account leave its guilds, and keep nothing of it but its id.

    `allowed` raises, under the locks, what is against it. Raises OwnsGuilds, Busy.
    """
    await lock_with_guilds(work, user_id)
    await allowed()
    if await guilds.owns_any(work.cur, user_id):
        raise OwnsGuilds
    user = await users.get(work.cur, user_id)
    avatar = None if user is None else user.avatar
    await images.replace(work, "avatars", user_id, old=avatar, new=None)
    name = names.of_deleted(secrets.token_hex(8))
    await users.anonymise(work.cur, user_id, username=name, username_key=names.key(name))
    for member in await members.all_of_user(work.cur, user_id):
        await member_service.remove(work, member)  # the others are told the new name only
    await read_states.delete_of_user(work.cur, user_id)
    await revoke_all(work, user_id)
