"""Applications: programs that act as accounts of their own, each with an owner who answers for it.

An application and its bot have one id (libraries count on it). A bot has no password; its token is
its one login, and a new token ends the one before.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from chatd.context import Context
from chatd.core import names
from chatd.core.errors import (
    Busy,
    InvalidConsent,
    MissingAccess,
    TooManyApplications,
    Unauthorized,
    UnknownApplication,
    UserBanned,
)
from chatd.core.ids import GuildId, LoginId, UserId
from chatd.core.models import Application, ApplicationFlags, AuditAction, Member, User
from chatd.core.permissions import Permissions
from chatd.db import Cursor, UniqueViolation
from chatd.queries import applications, guilds, logins, members, users
from chatd.services import access, audit
from chatd.services.deletion import erase
from chatd.services.joining import join, require_room
from chatd.services.revocation import revoke_all
from chatd.wire.fields import UNSET
from chatd.wire.schemas.applications import ApplicationChange, NewApplication

MAX_APPLICATIONS = 25
"""How many one person can own."""

_MARK = 3  # bytes that tell a bot from another account of its name
_NAME_LENGTH = 32


async def create(ctx: Context, wanted: NewApplication) -> Application:
    """Make an application with its bot. Raises TooManyApplications, Unauthorized, Busy.

    The bot is called like the application, with a mark behind it if somebody has that name.
    """
    name = names.username(wanted.name)
    marked = f"{name[: _NAME_LENGTH - 2 * _MARK - 1]} {secrets.token_hex(_MARK)}"
    for username in (name, marked):
        try:
            return await _create(ctx, wanted, name, username)
        except UniqueViolation:
            continue
    raise Busy


async def _create(ctx: Context, wanted: NewApplication, name: str, username: str) -> Application:
    bot = User(ctx.new_id(UserId), username, global_name=None, avatar=None, bot=True)
    application = Application(
        bot, ctx.user, name, wanted.description, wanted.bot_public, ApplicationFlags.PRIVILEGED
    )
    async with ctx.begin() as work:
        await work.open(ctx.user.id)
        await access.require_account(work.cur, ctx.user.id)
        if len(await applications.of_owner(work.cur, ctx.user.id)) >= MAX_APPLICATIONS:
            raise TooManyApplications
        await users.insert_bot(work.cur, bot, username_key=names.key(username))
        await applications.insert(work.cur, application)
    return application


async def of_caller(ctx: Context) -> list[Application]:
    """Those that the caller owns."""
    async with ctx.database.cursor() as cur:
        return await applications.of_owner(cur, ctx.user.id)


async def get(ctx: Context, application_id: UserId) -> Application:
    """One of the caller's own. Raises UnknownApplication, MissingAccess."""
    async with ctx.database.cursor() as cur:
        return await _own(cur, ctx, application_id)


async def of_bot(ctx: Context) -> tuple[Application, int]:
    """The application that asks, and how many guilds it is in. Raises Unauthorized."""
    async with ctx.database.cursor() as cur:
        application = await applications.get(cur, ctx.user.id)
        if application is None:
            raise Unauthorized
        return application, await guilds.count_of_user(cur, ctx.user.id)


async def require_own(ctx: Context, application_id: UserId) -> None:
    """Raises UnknownApplication, MissingAccess unless it is the caller itself, or its own."""
    if application_id != ctx.user.id:
        await get(ctx, application_id)
    elif not ctx.user.bot:
        raise UnknownApplication


async def update(ctx: Context, application_id: UserId, change: ApplicationChange) -> Application:
    """Change one of the caller's own; its bot's profile is the bot's to change.

    What it may ask for of the gateway holds from its next IDENTIFY on. Raises UnknownApplication,
    MissingAccess.
    """
    async with ctx.begin() as work:
        await work.open(application_id)
        changed = await _own(work.cur, ctx, application_id)
        if change.name is not UNSET:
            changed = replace(changed, name=change.name)
        if change.description is not UNSET:
            changed = replace(changed, description=change.description)
        if change.bot_public is not UNSET:
            changed = replace(changed, public=change.bot_public)
        if change.flags is not UNSET:
            changed = replace(changed, flags=ApplicationFlags(change.flags))
        await applications.update(work.cur, changed)
    return changed


async def replace_token(ctx: Context, application_id: UserId) -> str:
    """A new token for the bot; the one before ends, with all its sessions.

    Raises UnknownApplication, MissingAccess.
    """
    async with ctx.begin() as work:
        await work.open(application_id)
        await _own(work.cur, ctx, application_id)
        await revoke_all(work, application_id)
        login_id = ctx.new_id(LoginId)
        await logins.insert(work.cur, login_id, application_id, None)
    return ctx.resources.bot_tokens.issue(application_id, login_id)


async def delete(ctx: Context, application_id: UserId) -> None:
    """Delete one of the caller's own and its bot; what the bot has written stays.

    Raises UnknownApplication, MissingAccess, OwnsGuilds, Busy.
    """
    async with ctx.begin() as work:
        await erase(work, application_id, allowed=lambda: _own(work.cur, ctx, application_id))
        await applications.delete(work.cur, application_id)


async def add_to_guild(ctx: Context, guild_id: GuildId, user_id: UserId) -> Member | None:
    """Let a bot join a guild; None when it is a member already. Needs MANAGE_GUILD.

    People join by themselves. Raises UnknownGuild, MissingAccess, MissingPermissions,
    InvalidConsent, UserBanned, TooManyGuilds.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        if await members.get(work.cur, guild_id, user_id) is not None:
            return None
        application = await applications.get(work.cur, user_id)
        if application is None:
            raise InvalidConsent
        if not application.public and application.owner.id != ctx.user.id:
            raise MissingAccess
        if await members.is_banned(work.cur, guild_id, user_id):
            raise UserBanned
        await require_room(work, application.bot)
        await join(ctx, work, application.bot, guild_id)
        await audit.record(ctx, work, guild_id, AuditAction.BOT_ADD, user_id)
        return await members.get(work.cur, guild_id, user_id)


async def _own(cur: Cursor, ctx: Context, application_id: UserId) -> Application:
    application = await applications.get(cur, application_id)
    if application is None:
        raise UnknownApplication
    if application.owner.id != ctx.user.id:
        raise MissingAccess
    return application
