"""Users: reading profiles, and changing the caller's own."""

from __future__ import annotations

from dataclasses import replace

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import names
from chatd.core.errors import MissingAccess, ServiceUnavailable, Unauthorized, UnknownUser
from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.models import Account, MutualGuild, Profile, User
from chatd.core.relationships import RelationshipType
from chatd.core.unset import UNSET
from chatd.db.cursor import Cursor, UniqueViolation
from chatd.events import members as member_events
from chatd.events import users as events
from chatd.queries import applications, guilds, integrations, members, relationships, users
from chatd.services.access import access
from chatd.services.accounts import accounts, credentials
from chatd.services.accounts.credentials import CredentialChange
from chatd.services.accounts.mfa import confirmation
from chatd.services.media import images
from chatd.wire.schemas.accounts import ProfileChange
from chatd.wire.schemas.query_strings import ProfileParts

_SHOWN_TO = (RelationshipType.FRIEND, RelationshipType.INCOMING_REQUEST)
"""The relationships of a user to others whose profiles it may see."""

_ATTEMPTS = 3  # to lock all guilds of a user that is joining others


async def get(ctx: Context, user_id: UserId) -> User:
    """Return any user. Every logged-in caller may read it. Raises UnknownUser."""
    async with ctx.database.cursor() as cur:
        user = await users.get(cur, user_id)
    if user is None:
        raise UnknownUser
    return user


async def profile(ctx: Context, user_id: UserId, wanted: ProfileParts) -> Profile:
    """Return the profile of a user with the wanted parts, for the users that may see it.

    These are itself, its friends, the recipient of its friend request, and members of shared
    guilds; everyone may see that of a bot. Raises UnknownUser, MissingAccess, UnknownGuild.
    """
    async with ctx.database.cursor() as cur:
        user, mutual = await _require_acquainted(cur, ctx.user.id, user_id)
        found = Profile(
            user,
            await users.get_bio(cur, user_id),
            tuple(mutual) if wanted.with_mutual_guilds else None,
        )
        if wanted.with_mutual_friends or wanted.with_mutual_friends_count:
            friends = await relationships.mutual_friends(cur, ctx.user.id, user_id)
            found = replace(
                found,
                mutual_friends=tuple(friends) if wanted.with_mutual_friends else None,
                mutual_friends_count=len(friends),
            )
        if wanted.guild_id is not None:
            await access.guild(cur, ctx.user.id, wanted.guild_id)
            found = replace(found, member=await members.get(cur, wanted.guild_id, user_id))
        if user.bot:
            found = replace(found, application=await applications.get(cur, user_id))
        return found


async def mutual_friends(ctx: Context, user_id: UserId) -> list[User]:
    """Return the friends that the caller shares with a user, whose profile it may see.

    Raises UnknownUser, MissingAccess.
    """
    async with ctx.database.cursor() as cur:
        await _require_acquainted(cur, ctx.user.id, user_id)
        return await relationships.mutual_friends(cur, ctx.user.id, user_id)


async def _require_acquainted(
    cur: Cursor, viewer_id: UserId, user_id: UserId
) -> tuple[User, list[MutualGuild]]:
    """Return a user whose profile another may see, and the guilds that they share.

    Raises UnknownUser, MissingAccess.
    """
    user = await users.get(cur, user_id)
    if user is None:
        raise UnknownUser
    mutual = await members.list_mutual_guilds(cur, viewer_id, user_id)
    if not mutual and not user.bot and user_id != viewer_id:
        related = await relationships.get(cur, viewer_id, user_id)
        if related is None or related.type not in _SHOWN_TO:
            raise MissingAccess
    return user, mutual


async def own_account(ctx: Context) -> Account:
    """Return the caller's own account. Raises Unauthorized if it was deleted."""
    async with ctx.database.cursor() as cur:
        account = await users.account(cur, ctx.user.id)
    if account is None:
        raise Unauthorized
    return account


async def update_profile(ctx: Context, change: ProfileChange) -> Account:
    """Change the profile of the caller, and publish it to its guilds.

    A new address or password needs the current password and the second factor of an account that
    has one, and ends all other logins. Raises InvalidForm when the name or the address is taken or
    the password is wrong, ConfirmationRequired, InvalidMfaCode, Unauthorized, ServiceUnavailable.
    """
    credential_change = await credentials.prepare(ctx, change)
    if change.code or credential_change is not None:
        await confirmation.require(ctx, change.code or None)
    async with images.stored(ctx, "avatars", ctx.user.id, "avatar", change.avatar) as avatar:
        return await _update_with(ctx, change, avatar, credential_change)


async def _update_with(
    ctx: Context,
    change: ProfileChange,
    avatar: str | None,
    credential_change: CredentialChange | None,
) -> Account:
    username = None if change.username is UNSET else names.normalize_username(change.username)
    email = None if change.email is UNSET else change.email
    for attempt in range(_ATTEMPTS):
        try:
            return await _update(ctx, change, avatar, credential_change)
        except ConcurrentChange:
            if attempt == _ATTEMPTS - 1:
                raise
        except UniqueViolation:
            await accounts.require_available(ctx.dependencies, username, email, ignore=ctx.user.id)
            raise ServiceUnavailable from None  # taken when it was written, available again now
    raise AssertionError("an attempt ends it")


async def _update(
    ctx: Context,
    change: ProfileChange,
    avatar: str | None,
    credential_change: CredentialChange | None,
) -> Account:
    async with ctx.begin() as work:
        if _is_visible_in_guilds(change):
            await lock_with_guilds(work, ctx.user.id)
        else:
            await work.ensure_and_lock(ctx.user.id)
        account = await users.account(work.cur, ctx.user.id)
        if account is None:
            raise Unauthorized
        changed = _apply_change(account, change)
        if change.avatar is not UNSET:
            changed = replace(changed, user=changed.user._replace(avatar=avatar))
            await images.swap(work, "avatars", ctx.user.id, old=account.user.avatar, new=avatar)
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
            for member in await members.list_for_user(work.cur, changed.user.id):
                work.emit(member_events.member_updated(member))
        return changed


class ConcurrentChange(ServiceUnavailable):
    """A user joined a guild, or got a friend, while its guilds and friends were locked."""


async def lock_with_guilds(
    work: UnitOfWork, user_id: UserId, *, with_friends: bool = False
) -> None:
    """Lock the streams of a user and of all its guilds. Lock order: guilds before users.

    A bot is also in the guilds that use only the commands of its application. With `with_friends`,
    this locks its friends and the other sides of its friend requests too. Raises ConcurrentChange
    when the user joins a guild or gets a friend in the meantime.
    """
    guild_ids = await _guild_ids(work, user_id)
    friends = await _counterparts(work, user_id) if with_friends else set()
    await work.lock_all(StreamId(guild_id) for guild_id in guild_ids)
    await work.ensure_and_lock(user_id, *friends)  # from here on it cannot join another guild
    if not guild_ids >= await _guild_ids(work, user_id):
        raise ConcurrentChange
    if with_friends and not friends >= await _counterparts(work, user_id):
        raise ConcurrentChange


async def _guild_ids(work: UnitOfWork, user_id: UserId) -> set[GuildId]:
    joined = await guilds.ids_for_user(work.cur, user_id)
    return {*joined, *await integrations.guilds_of_application(work.cur, user_id)}


async def _counterparts(work: UnitOfWork, user_id: UserId) -> set[UserId]:
    return set(await relationships.counterparts(work.cur, user_id))


def _is_visible_in_guilds(change: ProfileChange) -> bool:
    """Return whether a change is published to the guilds of the user."""
    private = ProfileChange(
        bio=change.bio,
        email=change.email,
        new_password=change.new_password,
        password=change.password,
    )
    return change != private


def _apply_change(account: Account, change: ProfileChange) -> Account:
    account = replace(account, user=_renamed(account.user, change))
    if change.bio is not UNSET:
        account = replace(account, bio=change.bio or "")
    return account


def _renamed(user: User, change: ProfileChange) -> User:
    if change.username is not UNSET:
        user = user._replace(username=names.normalize_username(change.username))
    if change.global_name is not UNSET:
        user = user._replace(global_name=change.global_name)
    return user
