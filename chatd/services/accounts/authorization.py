"""Authorizing applications: people add them to guilds, or to their own accounts.

A person opens the link of an application, sees what it asks for, and consents. OAuth2 tokens do not
exist here, so an authorization never ends with a redirect. Rule: Discord docs, OAuth2, "Bot
Authorization Flow".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatd.context.context import Context
from chatd.core.errors import (
    InvalidForm,
    TooManyUserIntegrations,
    UnknownApplication,
    UnknownAuthorization,
)
from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.installation import IntegrationType, Scope, granted_scopes
from chatd.core.models import Application
from chatd.events import integrations as events
from chatd.queries import applications, guilds, integrations
from chatd.queries.guilds import Membership
from chatd.services.access import access
from chatd.services.guilds.guilds import MAX_GUILDS
from chatd.services.guilds.installation import install, lock_application, require_addable
from chatd.wire.schemas.oauth2 import AuthorizationRequest, Consent
from chatd.wire.schemas.query_strings import NEWEST

MAX_USER_INTEGRATIONS = 100
"""The applications that one person can add for itself."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a person sees before it consents."""

    application: Application
    kind: IntegrationType
    scopes: Sequence[Scope]
    guild_count: int
    """The guilds that the application is in already."""
    guilds: Sequence[Membership]
    """The guilds of the person. Empty for an installation for a user."""
    is_authorized: bool
    """Whether the person has already added the application for itself."""


@dataclass(frozen=True, slots=True)
class _Terms:
    """What an authorization asks for, with the defaults of its application."""

    kind: IntegrationType
    scopes: Sequence[Scope]
    permissions: int | None


async def preview(ctx: Context, wanted: AuthorizationRequest) -> Preview:
    """Return what an authorization would do.

    Raises UnknownApplication, MissingAccess, InvalidForm.
    """
    async with ctx.database.cursor() as cur:
        application = await applications.get(cur, wanted.client_id)
        if application is None:
            raise UnknownApplication
        require_addable(ctx, application)
        terms = _terms(application, wanted, Consent())
        in_guilds = await integrations.guilds_of_application(cur, application.bot.id)
        own: list[Membership] = []
        is_authorized = False
        if terms.kind is IntegrationType.GUILD_INSTALL:
            own = await guilds.list_for_user(
                cur, ctx.user.id, before=NEWEST, after=0, limit=MAX_GUILDS
            )
        else:
            added = await integrations.applications_of_user(cur, ctx.user.id)
            is_authorized = application.bot.id in added
    return Preview(application, terms.kind, terms.scopes, len(in_guilds), own, is_authorized)


async def authorize(ctx: Context, wanted: AuthorizationRequest, consent: Consent) -> None:
    """Add an application to a guild, or to the account of the caller.

    The bot of an application gets a managed role with the permissions that were asked for, if any.
    In a guild this needs MANAGE_GUILD, and each of these permissions. Raises UnknownApplication,
    MissingAccess, MissingPermissions, InvalidForm, UnknownGuild, UserBanned, TooManyGuilds,
    TooManyIntegrations, TooManyUserIntegrations, TooManyRoles, Unauthorized.
    """
    async with ctx.database.cursor() as cur:
        application = await applications.get(cur, wanted.client_id)
    if application is None:
        raise UnknownApplication
    terms = _terms(application, wanted, consent)
    if terms.kind is IntegrationType.USER_INSTALL:
        await _install_for_user(ctx, application.bot.id)
        return
    guild_id = consent.guild_id or wanted.guild_id
    if guild_id is None:
        raise InvalidForm.of("guild_id", "BASE_TYPE_REQUIRED", "This field is required")
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, GuildId(guild_id))
        await install(
            ctx,
            work,
            granted,
            application.bot.id,
            bot=Scope.BOT in terms.scopes,
            permissions=terms.permissions,
        )


async def list_for_caller(ctx: Context) -> list[Application]:
    """Return the applications that the caller has added to its account."""
    async with ctx.database.cursor() as cur:
        return await integrations.list_for_user(cur, ctx.user.id)


async def revoke(ctx: Context, application_id: UserId) -> None:
    """Remove an application from the account of the caller. Raises UnknownAuthorization."""
    async with ctx.begin() as work:
        await work.ensure_and_lock(ctx.user.id)
        if not await integrations.delete_for_user(work.cur, ctx.user.id, application_id):
            raise UnknownAuthorization
        work.emit(events.user_application_removed(ctx.user.id, application_id))


async def _install_for_user(ctx: Context, application_id: UserId) -> None:
    async with ctx.begin() as work:
        await work.lock_all([StreamId(ctx.user.id), StreamId(application_id)])
        await access.require_account(work.cur, ctx.user.id)
        await lock_application(ctx, work, application_id)
        added = await integrations.applications_of_user(work.cur, ctx.user.id)
        if application_id in added:
            return
        if len(added) >= MAX_USER_INTEGRATIONS:
            raise TooManyUserIntegrations
        await integrations.insert_for_user(work.cur, ctx.user.id, application_id)
        work.emit(events.user_application_updated(ctx.user.id, application_id))


def _terms(application: Application, wanted: AuthorizationRequest, consent: Consent) -> _Terms:
    """Return what an authorization asks for. Raises InvalidForm if it cannot be granted."""
    kind = _kind(wanted.integration_type, consent.integration_type)
    defaults = application.install_defaults(kind)
    if kind not in application.install_config and defaults is None:
        text = "The application does not support this kind of installation."
        raise InvalidForm.of("integration_type", "BASE_TYPE_CHOICES", text)
    scopes, permissions = wanted.scope, wanted.permissions
    if scopes is None:
        if defaults is None:
            raise InvalidForm.of("scope", "BASE_TYPE_REQUIRED", "This field is required")
        scopes = frozenset(defaults.scopes)
        permissions = permissions or defaults.permissions or None
    if kind is IntegrationType.USER_INSTALL and Scope.BOT in scopes:
        text = "A bot cannot be added to an account, only to a guild."
        raise InvalidForm.of("scope", "SCOPE_INVALID", text)
    if consent.permissions is not None:
        permissions = consent.permissions
    return _Terms(kind, granted_scopes(scopes), permissions)


def _kind(wanted: int | None, chosen: int | None) -> IntegrationType:
    """Return where an application is to be installed: as the person chose, or the link says."""
    number = wanted if chosen is None else chosen
    return IntegrationType.GUILD_INSTALL if number is None else IntegrationType(number)
