"""Administration by the operator, on the command line. There is no caller and no permission check.

Changes take the same path as requests: the database first, then events to every instance. So tokens
and sessions end at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from chatd.context.context import CoreContext
from chatd.context.dependencies import CoreDependencies
from chatd.core import names
from chatd.core.errors import (
    InvalidForm,
    OwnsApplications,
    OwnsGuilds,
    UnknownGuild,
    UnknownUser,
)
from chatd.core.ids import GuildId, LoginId, UserId, parse_id
from chatd.core.mail import email_key
from chatd.core.models import Caller
from chatd.db.cursor import Cursor
from chatd.queries import administration, applications, mail_tokens, members, registrations, users
from chatd.queries import guilds as guild_queries
from chatd.queries.administration import AccountSummary, GuildSummary
from chatd.services.accounts import applications as application_service
from chatd.services.accounts import deletion
from chatd.services.accounts.credentials import hash_new
from chatd.services.accounts.mail import notices, verification
from chatd.services.accounts.revocation import revoke_all
from chatd.services.guilds import guilds

_NAMED = 20  # guilds listed in an error text
_REASON = "By the operator of the server, on the command line"


async def find(cur: Cursor, text: str) -> AccountSummary:
    """Return the account with an id, an address or a name. Raises UnknownUser.

    Ids take precedence over names. So no account can pose as another by taking its id as a name.
    """
    found = None
    with contextlib.suppress(ValueError):
        found = await administration.get_account(cur, user_id=parse_id(text))
    if found is None and "@" in text:  # not permitted in names
        found = await administration.get_account(cur, email_key=email_key(text))
    elif found is None:
        found = await administration.get_account(cur, username_key=names.key(text))
    if found is None:
        raise UnknownUser(f"There is no account {text!r}.")
    return found


async def find_guild(cur: Cursor, text: str) -> GuildSummary:
    """Return the guild with an id. Raises UnknownGuild."""
    found = None
    with contextlib.suppress(ValueError):
        found = await administration.get_guild(cur, parse_id(text))
    if found is None:
        raise UnknownGuild(f"There is no guild {text!r}.")
    return found


async def disable(dependencies: CoreDependencies, user_id: UserId) -> None:
    """Disable an account and end all its logins. Raises UnknownUser.

    A concurrent login locks the row of the account. So it is either ended too, or is rejected. The
    messages of the account stay. It does not wait for approval any longer: this is the decision.
    """
    async with dependencies.begin() as work:
        await work.ensure_and_lock(user_id)
        if not await administration.set_disabled(work.cur, user_id, True):
            raise UnknownUser
        await registrations.delete(work.cur, user_id)
        await revoke_all(work, user_id)


async def enable(dependencies: CoreDependencies, user_id: UserId) -> None:
    """Enable a disabled account. Its logins stay ended. Raises UnknownUser.

    If it waits for approval, it is approved, with the mail about it: refusing it later would
    delete it.
    """
    async with dependencies.begin() as work:
        await work.ensure_and_lock(user_id)
        if not await administration.set_disabled(work.cur, user_id, False):
            raise UnknownUser
        if await registrations.delete(work.cur, user_id):
            await notices.approved(dependencies, work, user_id)


async def set_password(dependencies: CoreDependencies, user_id: UserId, password: str) -> None:
    """Set the password of a person, and end all its logins.

    Raises InvalidForm, UnknownUser, ServiceUnavailable.
    """
    hashed = await hash_new(dependencies, password, field="password")
    async with dependencies.begin() as work:
        await work.ensure_and_lock(user_id)
        if not await administration.set_password(work.cur, user_id, hashed):
            raise UnknownUser
        await mail_tokens.revoke(work.cur, user_id, verification.REVOKED_BY_CHANGES)
        await revoke_all(work, user_id)


async def revoke_sessions(dependencies: CoreDependencies, user_id: UserId) -> None:
    """End all logins of an account."""
    async with dependencies.begin() as work:
        await revoke_all(work, user_id)


async def set_administrator(dependencies: CoreDependencies, user_id: UserId, value: bool) -> None:
    """Grant or revoke administrator rights on the server. Raises UnknownUser."""
    async with dependencies.begin() as work:
        if not await administration.set_administrator(work.cur, user_id, value):
            raise UnknownUser


async def transfer_guild(
    dependencies: CoreDependencies, guild: GuildSummary, user_id: UserId
) -> None:
    """Transfer a guild to another member. Raises UnknownGuild, InvalidForm."""
    ctx = await _as_owner(dependencies, guild.id)
    await guilds.transfer(ctx, guild.id, user_id)


async def delete_guild(dependencies: CoreDependencies, guild: GuildSummary) -> None:
    """Delete a guild with all that is in it. Raises UnknownGuild."""
    await guilds.delete(await _as_owner(dependencies, guild.id), guild.id)


async def delete_account(
    dependencies: CoreDependencies,
    user_id: UserId,
    *,
    new_owner: UserId | None = None,
    with_guilds: bool = False,
    with_applications: bool = False,
) -> None:
    """Delete the account of a person, as the person itself could with its password.

    Its guilds are transferred to `new_owner`, which has to be a member of each, or are deleted.
    Its applications are deleted with `with_applications`. Each of these steps is a separate
    transaction, before that of the account.

    Raises UnknownUser, OwnsGuilds, OwnsApplications, InvalidForm, ServiceUnavailable.
    """
    async with dependencies.database.cursor() as cur:
        await _require_person(cur, user_id)
        owned = await administration.list_guilds_of_owner(cur, user_id)
        apps = await applications.list_for_owner(cur, user_id)
        if owned and not with_guilds and new_owner is None:
            raise OwnsGuilds(_named("It owns guilds", [(each.id, each.name) for each in owned]))
        if apps and not with_applications:
            named = [(each.bot.id, each.name) for each in apps]
            raise OwnsApplications(_named("It has applications", named))
        if new_owner is not None:
            await _require_can_own(cur, owned, user_id, new_owner)
    await _give_up_guilds(dependencies, owned, new_owner)
    for each in apps:
        ctx = CoreContext(dependencies, Caller(each.owner, LoginId(0)), reason=_REASON)
        await application_service.delete(ctx, each.bot.id)
    async with dependencies.begin() as work:
        await deletion.anonymize_person(
            work, user_id, check=lambda: _require_person(work.cur, user_id)
        )


async def _give_up_guilds(
    dependencies: CoreDependencies, owned: Sequence[GuildSummary], new_owner: UserId | None
) -> None:
    """Transfer guilds to a new owner, or without one delete them."""
    for guild in owned:
        if new_owner is not None:
            await transfer_guild(dependencies, guild, new_owner)
        else:
            await delete_guild(dependencies, guild)


async def _require_person(cur: Cursor, user_id: UserId) -> None:
    """Raise UnknownUser for unknown or deleted accounts and for bots."""
    found = await administration.get_account(cur, user_id=user_id)
    if found is None or found.deleted_at is not None:
        raise UnknownUser
    if found.bot:
        raise UnknownUser("A bot is deleted with its application, by its owner.")


async def _require_can_own(
    cur: Cursor, owned: Sequence[GuildSummary], user_id: UserId, new_owner: UserId
) -> None:
    """Raise InvalidForm unless the new owner can get all these guilds.

    Called before the first guild is transferred.
    """
    foreign = []
    for guild in owned:
        member = await members.get(cur, guild.id, new_owner)
        if member is None or member.user.bot or new_owner == user_id:
            foreign.append((guild.id, guild.name))
    if foreign:
        text = _named("The new owner is no person who is a member of these guilds", foreign)
        raise InvalidForm.of("transfer", "GUILD_OWNER_INVALID", text)


def _named(text: str, named: Sequence[tuple[int, str]]) -> str:
    """Return a text that lists the first of these, by id and name."""
    shown = ", ".join(f"{each_id} ({name})" for each_id, name in named[:_NAMED])
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"{text}: {shown}{more}"


async def _as_owner(dependencies: CoreDependencies, guild_id: GuildId) -> CoreContext:
    """Return a context for the owner of a guild, without a login.

    Raises UnknownGuild.
    """
    async with dependencies.database.cursor() as cur:
        found = await guild_queries.by_ids(cur, [guild_id])
        owner = await users.get(cur, found[0].owner_id) if found else None
    if owner is None:
        raise UnknownGuild
    return CoreContext(dependencies, Caller(owner, LoginId(0)), reason=_REASON)
