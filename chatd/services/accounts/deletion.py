"""Account deletion.

The row of a deleted account is anonymized but kept, because messages, audit logs and bans refer to
it. Its name and address become available. Its messages stay, with an anonymous author.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import names
from chatd.core.errors import OwnsApplications, OwnsGuilds
from chatd.core.ids import UserId
from chatd.queries import (
    applications,
    guilds,
    integrations,
    mail_tokens,
    members,
    mentions,
    notes,
    notifications,
    oidc_identities,
    pending_deletions,
    second_factors,
    user_exports,
    user_settings,
    users,
)
from chatd.services.accounts import credentials, relationships
from chatd.services.accounts.mfa import confirmation
from chatd.services.accounts.revocation import revoke_all
from chatd.services.accounts.users import lock_with_guilds
from chatd.services.guilds import members as member_service
from chatd.services.media import images


async def delete_account(ctx: Context, password: str | None, code: str | None) -> None:
    """Delete the caller's account: it leaves its guilds, and all its logins end.

    This is one transaction that locks the streams of its guilds and its own. A concurrent transfer
    of a guild waits for the guild's lock, and then finds no member. A concurrent join, or creation
    of a guild, waits for the user's lock, and then finds no account. A concurrent login locks the
    row of the account, as for a new password. Raises OwnsGuilds, OwnsApplications, InvalidForm,
    ConfirmationRequired, InvalidMfaCode, Unauthorized, ServiceUnavailable.
    """
    verified = await credentials.verify_password(ctx, password)
    await confirmation.require(ctx, code)
    async with ctx.begin() as work:
        await anonymize_person(
            work, ctx.user.id, check=lambda: credentials.recheck(ctx, work, verified)
        )


async def anonymize_person(
    work: UnitOfWork, user_id: UserId, *, check: Callable[[], Awaitable[object]]
) -> None:
    """Anonymize an account that may own applications. Also raises OwnsApplications."""
    await anonymize_account(work, user_id, check=check)
    if await applications.list_for_owner(work.cur, user_id):
        raise OwnsApplications


async def anonymize_account(
    work: UnitOfWork, user_id: UserId, *, check: Callable[[], Awaitable[object]]
) -> None:
    """Remove an account from its guilds, and all of its data but the id and the messages.

    `check` is called under the locks, and raises if the deletion is not permitted. Raises
    OwnsGuilds, ServiceUnavailable.
    """
    await lock_with_guilds(work, user_id, with_friends=True)
    await check()
    if await guilds.owns_any(work.cur, user_id):
        raise OwnsGuilds
    user = await users.get(work.cur, user_id)
    avatar = None if user is None else user.avatar
    await images.swap(work, "avatars", user_id, old=avatar, new=None)
    name = names.deleted_username(secrets.token_hex(8))
    await users.anonymize(work.cur, user_id, username=name, username_key=names.key(name))
    for member in await members.list_for_user(work.cur, user_id):
        # the event contains only the new name
        await member_service.remove_member(work, member, for_good=True)
    await pending_deletions.insert(
        work.cur, pending_deletions.READ_STATES_OF_USER, {"user_id": user_id}
    )
    await relationships.end_all(work, user_id)
    await user_settings.delete(work.cur, user_id)
    await notifications.delete(work.cur, user_id)
    await notes.delete_all(work.cur, user_id)
    await mentions.delete_of_user(work.cur, user_id)
    await integrations.delete_all_for_user(work.cur, user_id)
    await second_factors.delete_all(work.cur, user_id)
    await mail_tokens.delete_all(work.cur, user_id)
    await oidc_identities.delete_all(work.cur, user_id)
    await user_exports.delete(work.cur, user_id)
    await revoke_all(work, user_id)
    work.bump_version(user_id)  # a statement that has read the account before must notice
