"""Applications: programs with a bot account, each with an owner.

An application and its bot have the same id, which libraries rely on. A bot has no password. Its
token is its only login, and a new token ends the previous one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from chatd.context.context import Context, CoreContext
from chatd.core import names
from chatd.core.errors import (
    InvalidConsent,
    InvalidForm,
    MissingAccess,
    ServiceUnavailable,
    TooManyApplications,
    Unauthorized,
    UnknownApplication,
)
from chatd.core.ids import GuildId, LoginId, UserId
from chatd.core.installation import InstallConfig, IntegrationType, Scope
from chatd.core.models import Application, ApplicationFlags, Member, User
from chatd.core.permissions import Permissions
from chatd.core.unset import UNSET, given_or
from chatd.db.cursor import Cursor, UniqueViolation
from chatd.queries import (
    applications,
    integrations,
    logins,
    members,
    pending_deletions,
    users,
)
from chatd.services.access import access
from chatd.services.accounts.deletion import anonymize_account
from chatd.services.accounts.mfa import confirmation
from chatd.services.accounts.revocation import revoke_all
from chatd.services.guilds.installation import install, uninstall
from chatd.services.interactions.endpoints import require_endpoint
from chatd.services.media import images
from chatd.wire.schemas.applications import (
    ApplicationChange,
    IntegrationTypesConfig,
    NewApplication,
)

MAX_APPLICATIONS = 25
"""The applications that one person can own."""

_MAX_COUNTED = 10_000
"""The people that have added an application are counted up to here, which takes milliseconds."""

_MARK = 3  # random bytes, added to the name of a bot if that is taken
_NAME_LENGTH = 32  # characters of a username, to which the mark is added


@dataclass(frozen=True, slots=True)
class Installed:
    """An application, and the numbers of its installations."""

    application: Application
    guilds: int = 0
    users: int = 0


async def create(ctx: Context, wanted: NewApplication) -> Installed:
    """Create an application and its bot.

    Raises TooManyApplications, Unauthorized, ServiceUnavailable.

    The bot gets the name of the application, with a random suffix if the name is taken.
    """
    name = names.normalize_username(wanted.name)
    marked = f"{name[: _NAME_LENGTH - 2 * _MARK - 1]} {secrets.token_hex(_MARK)}"
    for username in (name, marked):
        try:
            return Installed(await _create(ctx, wanted, name, username))
        except UniqueViolation:
            continue
    raise ServiceUnavailable


async def _create(ctx: Context, wanted: NewApplication, name: str, username: str) -> Application:
    bot = User(ctx.new_id(UserId), username, global_name=None, avatar=None, bot=True)
    application = Application(
        bot, ctx.user, name, wanted.description, wanted.bot_public, ApplicationFlags.PRIVILEGED
    )
    async with ctx.begin() as work:
        await work.ensure_and_lock(ctx.user.id)
        await access.require_account(work.cur, ctx.user.id)
        if len(await applications.list_for_owner(work.cur, ctx.user.id)) >= MAX_APPLICATIONS:
            raise TooManyApplications
        await users.insert_bot(work.cur, bot, username_key=names.key(username))
        await applications.insert(work.cur, application)
    return application


async def list_for_caller(ctx: Context) -> list[Application]:
    """Return the applications of the caller."""
    async with ctx.database.cursor() as cur:
        return await applications.list_for_owner(cur, ctx.user.id)


async def get(ctx: Context, application_id: UserId) -> Installed:
    """Return an application, to its owner and to its bot.

    Raises UnknownApplication, MissingAccess.
    """
    async with ctx.database.cursor() as cur:
        return await _installed(cur, await _own(cur, ctx, application_id, or_bot=True))


async def get_any(ctx: Context, application_id: UserId) -> Application:
    """Return any application. Every account may read it. Raises UnknownApplication."""
    async with ctx.database.cursor() as cur:
        application = await applications.get(cur, application_id)
    if application is None:
        raise UnknownApplication
    return application


async def own_application(ctx: Context) -> Installed:
    """Return the application of the calling bot. Raises Unauthorized."""
    async with ctx.database.cursor() as cur:
        application = await applications.get(cur, ctx.user.id)
        if application is None:
            raise Unauthorized
        return await _installed(cur, application)


async def update(ctx: Context, application_id: UserId, change: ApplicationChange) -> Installed:
    """Change an application of the caller, or the own one of a bot.

    Only the bot itself can change the bot's profile. Changed flags apply from its next IDENTIFY.
    A bot can change neither the name of its application nor whether it is public, and gives itself
    no privileged intents. Raises UnknownApplication, MissingAccess, ServiceUnavailable,
    InvalidForm (also for an endpoint that does not verify signatures).
    """
    endpoint_url = change.interactions_endpoint_url
    if isinstance(change.icon, str) or isinstance(endpoint_url, str):
        await get(ctx, application_id)  # before the picture is stored, and requests are sent
    if isinstance(endpoint_url, str):
        await require_endpoint(ctx, application_id, endpoint_url)
    async with (
        images.stored(ctx, "app-icons", application_id, "icon", change.icon) as icon,
        ctx.begin() as work,
    ):
        await work.ensure_and_lock(application_id)
        application = await _own(work.cur, ctx, application_id, or_bot=True)
        if ctx.user.bot:
            _require_allowed_for_bot(application, change)
        changed = _apply_change(application, change)
        if change.icon is not UNSET:
            changed = replace(changed, icon=icon)
            await images.swap(work, "app-icons", application_id, old=application.icon, new=icon)
        await applications.update(work.cur, changed)
        return await _installed(work.cur, changed)


async def replace_token(ctx: Context, application_id: UserId, code: str | None) -> str:
    """Return a new token for the bot. The previous one ends, with its sessions.

    An owner with a second factor has to prove it. Raises UnknownApplication, MissingAccess,
    ConfirmationRequired, InvalidMfaCode.
    """
    await _confirm_as_owner(ctx, application_id, code)
    async with ctx.begin() as work:
        await work.ensure_and_lock(application_id)
        await _own(work.cur, ctx, application_id)
        await revoke_all(work, application_id)
        login_id = ctx.new_id(LoginId)
        await logins.insert(work.cur, login_id, application_id, None, lifetime_s=None)
    return ctx.dependencies.bot_tokens.issue(application_id, login_id)


async def delete_confirmed(ctx: Context, application_id: UserId, code: str | None) -> None:
    """Delete an application; an owner with a second factor has to prove it.

    Raises the errors of `delete`, ConfirmationRequired, InvalidMfaCode.
    """
    await _confirm_as_owner(ctx, application_id, code)
    await delete(ctx, application_id)


async def _confirm_as_owner(ctx: Context, application_id: UserId, code: str | None) -> None:
    """Require the ownership of an application, and the second factor of an owner that has one."""
    async with ctx.database.cursor() as cur:
        await _own(cur, ctx, application_id)
    await confirmation.require(ctx, code)


async def delete(ctx: CoreContext, application_id: UserId) -> None:
    """Delete an application of the caller and its bot. The messages of the bot stay.

    Raises UnknownApplication, MissingAccess, OwnsGuilds, ServiceUnavailable.
    """
    async with ctx.begin() as work:
        await anonymize_account(
            work, application_id, check=lambda: _own(work.cur, ctx, application_id)
        )
        application = await applications.get(work.cur, application_id)
        if application is not None and application.icon is not None:
            await images.swap(work, "app-icons", application_id, old=application.icon, new=None)
        for guild_id in await integrations.guilds_of_application(work.cur, application_id):
            # those without the bot are left
            await uninstall(work, guild_id, application_id, for_good=True)
        await applications.delete(work.cur, application_id)
        await pending_deletions.insert(
            work.cur, pending_deletions.USERS_OF_APPLICATION, {"application_id": application_id}
        )


async def add_to_guild(ctx: Context, guild_id: GuildId, user_id: UserId) -> Member | None:
    """Add a bot to a guild, without a role. Needs MANAGE_GUILD. Returns None for a member.

    Only bots can be added. Raises UnknownGuild, MissingAccess, MissingPermissions,
    InvalidConsent, UserBanned, TooManyGuilds, TooManyIntegrations.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        if await members.get(work.cur, guild_id, user_id) is not None:
            return None
        try:
            await install(ctx, work, granted, user_id, bot=True, permissions=None)
        except UnknownApplication:
            raise InvalidConsent from None
        return await members.get(work.cur, guild_id, user_id)


def _require_allowed_for_bot(application: Application, change: ApplicationChange) -> None:
    if change.name is not UNSET or change.bot_public is not UNSET:
        raise MissingAccess
    if change.flags is not UNSET and change.flags & ~application.flags:
        text = "Only the owner of the application can permit privileged intents."
        raise InvalidForm.of("flags", "BASE_TYPE_CHOICES", text)


def _apply_change(application: Application, change: ApplicationChange) -> Application:
    """Return an application as a request changes it. Raises InvalidForm."""
    tags = application.tags if change.tags is UNSET else change.tags or ()
    config = application.install_config
    if change.integration_types_config is not UNSET:
        config = _changed_config(config, change.integration_types_config)
    present = application
    return replace(
        present,
        name=given_or(change.name, present.name),
        description=given_or(change.description, present.description) or "",
        public=given_or(change.bot_public, present.public),
        flags=ApplicationFlags(given_or(change.flags, present.flags)),
        tags=tuple(tags),
        install_params=given_or(change.install_params, present.install_params),
        custom_install_url=given_or(change.custom_install_url, present.custom_install_url),
        interactions_endpoint_url=given_or(
            change.interactions_endpoint_url, present.interactions_endpoint_url
        ),
        install_config=config,
    )


def _changed_config(config: InstallConfig, change: IntegrationTypesConfig) -> InstallConfig:
    """Return the changed kinds of installation. Raises InvalidForm if none is left."""
    changed = dict(config)
    for kind, wanted in change.items():
        if wanted is None:
            changed.pop(kind, None)
        else:
            changed[kind] = wanted.oauth2_install_params
    of_user = changed.get(IntegrationType.USER_INSTALL)
    if not changed or (of_user is not None and Scope.BOT in of_user.scopes):
        text = "One kind is needed, and a bot cannot be added to an account."
        raise InvalidForm.of("integration_types_config", "BASE_TYPE_INVALID", text)
    return changed


async def _installed(cur: Cursor, application: Application) -> Installed:
    application_id = application.bot.id
    return Installed(
        application,
        guilds=len(await integrations.guilds_of_application(cur, application_id)),
        users=await integrations.count_users(cur, application_id, limit=_MAX_COUNTED),
    )


async def _own(
    cur: Cursor, ctx: CoreContext, application_id: UserId, *, or_bot: bool = False
) -> Application:
    """Return an application of the caller; with `or_bot` also the own one of a bot."""
    application = await applications.get(cur, application_id)
    if application is None:
        raise UnknownApplication
    if application.owner.id != ctx.user.id and not (or_bot and application_id == ctx.user.id):
        raise MissingAccess
    return application
