"""Users: looking at them, and changing one's own profile."""

from __future__ import annotations

from dataclasses import replace

from chatd.context import Context, Work
from chatd.core import names
from chatd.core.errors import Busy, MissingAccess, Unauthorized, UnknownUser
from chatd.core.ids import StreamId, UserId
from chatd.core.models import Account, Profile, User
from chatd.db import UniqueViolation
from chatd.events import members as member_events
from chatd.events import users as events
from chatd.queries import guilds, members, users
from chatd.services import accounts, credentials, images
from chatd.services.credentials import CredentialChange
from chatd.wire.fields import UNSET
from chatd.wire.schemas.accounts import ProfileChange

_ATTEMPTS = 3  # to lock all guilds of somebody who joins one after the other


async def get(ctx: Context, user_id: UserId) -> User:
    """Any user, to anyone who is logged in. Raises UnknownUser."""
    async with ctx.database.cursor() as cur:
        user = await users.get(cur, user_id)
    if user is None:
        raise UnknownUser
    return user


async def profile(ctx: Context, user_id: UserId) -> Profile:
    """What a user tells of itself, to itself and to those who share a guild with it.

    Raises UnknownUser, MissingAccess.
    """
    async with ctx.database.cursor() as cur:
        user = await users.get(cur, user_id)
        if user is None:
            raise UnknownUser
        mutual = await members.mutual(cur, ctx.user.id, user_id)
        if not mutual and user_id != ctx.user.id:
            raise MissingAccess
        return Profile(user, await users.bio_of(cur, user_id), tuple(mutual))


async def own_account(ctx: Context) -> Account:
    """The caller's own account."""
    async with ctx.database.cursor() as cur:
        account = await users.account(cur, ctx.user.id)
    if account is None:
        raise Unauthorized
    return account


async def update_profile(ctx: Context, change: ProfileChange) -> Account:
    """Change what one tells of oneself; every guild of the user gets its new names.

    A new address or password needs the current password, and ends all other logins. Raises
    InvalidForm when name or address is taken or the password is wrong, Unauthorized, Busy.
    """
    credential_change = await credentials.prepare(ctx, change)
    avatar = None
    if change.avatar is not UNSET and change.avatar is not None:
        avatar = await images.store(ctx, "avatars", ctx.user.id, "avatar", change.avatar)
    username = None if change.username is UNSET else names.username(change.username)
    email = None if change.email is UNSET else change.email
    for attempt in range(_ATTEMPTS):
        try:
            return await _update(ctx, change, avatar, credential_change)
        except Overtaken:
            if attempt == _ATTEMPTS - 1:
                raise
        except UniqueViolation:
            await accounts.refuse_taken(ctx.resources, username, email, besides=ctx.user.id)
            raise Busy from None  # taken and freed again in between
    raise AssertionError("an attempt ends it")


async def _update(
    ctx: Context,
    change: ProfileChange,
    avatar: str | None,
    credential_change: CredentialChange | None,
) -> Account:
    async with ctx.begin() as work:
        if _shows_in_guilds(change):
            await lock_with_guilds(work, ctx.user.id)
        else:
            await work.open(ctx.user.id)
        account = await users.account(work.cur, ctx.user.id)
        if account is None:
            raise Unauthorized
        changed = _changed(account, change)
        if change.avatar is not UNSET:
            changed = replace(changed, user=changed.user._replace(avatar=avatar))
            await images.replace(work, "avatars", ctx.user.id, old=account.user.avatar, new=avatar)
        if credential_change is not None:
            changed = await credentials.apply(ctx, work, changed, credential_change)
        if changed == account:
            return account
        await users.update_profile(
            work.cur,
            changed.user.id,
            username=changed.user.username,
            username_key=names.key(changed.user.username),
            global_name=changed.user.global_name,
            avatar=changed.user.avatar,
            bio=changed.bio,
        )
        work.emit(events.user_updated(changed))
        if changed.user != account.user:
            for member in await members.all_of_user(work.cur, changed.user.id):
                work.emit(member_events.member_updated(member))
        return changed


class Overtaken(Busy):
    """A user has joined a guild while its guilds were being locked."""


async def lock_with_guilds(work: Work, user_id: UserId) -> None:
    """Lock a user and all its guilds: guilds before users, as everyone does.

    Raises Overtaken when it joins one meanwhile.
    """
    guild_ids = set(await guilds.ids_of_user(work.cur, user_id))
    await work.lock_all(StreamId(guild_id) for guild_id in guild_ids)
    await work.open(user_id)  # from here on it joins none
    if not guild_ids >= set(await guilds.ids_of_user(work.cur, user_id)):
        raise Overtaken


def _shows_in_guilds(change: ProfileChange) -> bool:
    """Whether it is of more than what only the user itself is told at once."""
    private = ProfileChange(
        bio=change.bio,
        email=change.email,
        new_password=change.new_password,
        password=change.password,
    )
    return change != private


def _changed(account: Account, change: ProfileChange) -> Account:
    account = replace(account, user=_renamed(account.user, change))
    if change.bio is not UNSET:
        account = replace(account, bio=change.bio or "")
    return account


def _renamed(user: User, change: ProfileChange) -> User:
    if change.username is not UNSET:
        user = user._replace(username=names.username(change.username))
    if change.global_name is not UNSET:
        user = user._replace(global_name=change.global_name)
    return user
