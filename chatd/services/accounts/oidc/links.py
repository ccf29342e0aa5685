"""The accounts at providers that the caller has linked with its own, by which it can log in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chatd.auth.oidc.provider import Provider
from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.core.errors import AlreadyLinked, InvalidAttempt, UnknownLink, last_way_to_log_in
from chatd.core.ids import LoginId, UserId
from chatd.db.cursor import UniqueViolation
from chatd.queries import logins, oidc_identities
from chatd.queries import oidc_logins as queries
from chatd.services.accounts import credentials
from chatd.services.accounts.mail import mail_queue, notices
from chatd.services.accounts.oidc import attempts, first_password
from chatd.services.accounts.oidc.attempts import Begun
from chatd.services.accounts.oidc.person import Person
from chatd.services.accounts.revocation import revoke


@dataclass(frozen=True, slots=True)
class Link:
    """A linked account at a provider."""

    name: str
    label: str
    linked_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Links:
    """How the caller can log in."""

    links: list[Link]
    has_password: bool


async def list_for_caller(ctx: Context) -> Links:
    """Return the linked accounts of the caller at providers of the settings."""
    async with ctx.database.cursor() as cur:
        found = {
            each.issuer: each for each in await oidc_identities.list_identities(cur, ctx.user.id)
        }
        has_password = await oidc_identities.has_password(cur, ctx.user.id)
    return Links(
        [
            Link(
                provider.settings.name,
                provider.settings.label,
                found[provider.settings.issuer].linked_at,
                found[provider.settings.issuer].last_used_at,
            )
            for provider in ctx.dependencies.providers
            if provider.settings.issuer in found
        ],
        has_password,
    )


async def begin(
    ctx: Context, provider: Provider, browser: str | None, password: str | None, code: str | None
) -> Begun:
    """Send the browser of the caller to a provider, to link an account there.

    It adds a way to log in, so it needs the second factor of the caller, or its password. Raises
    as `first_password.require_owner`, and RateLimited, ProviderUnavailableNow.
    """
    await first_password.require_owner(ctx, password, code)
    await mail_queue.count_change(ctx.dependencies, ctx.user.id)
    return await attempts.begin(
        ctx.dependencies, provider, browser, user_id=ctx.user.id, login_id=ctx.caller.login_id
    )


async def finish(
    dependencies: Dependencies,
    provider: Provider,
    user_id: UserId,
    login_id: LoginId,
    person: Person,
) -> None:
    """Link an account at a provider with that of a login, which must not have ended.

    Its owner gets a mail about it: a thief of the account could stay by such a link.
    Raises InvalidAttempt, AlreadyLinked, ServiceUnavailable.
    """
    try:
        async with dependencies.begin() as work:
            await work.ensure_and_lock(user_id)
            if await logins.find_caller(work.cur, login_id, user_id) is None:
                raise InvalidAttempt
            linked = await oidc_identities.linked_account(work.cur, person.issuer, person.subject)
            if linked is not None and linked.user_id == user_id:
                return
            await oidc_identities.link(work.cur, user_id, person.issuer, person.subject)
            await notices.provider_linked(dependencies, work, user_id, provider.settings.label)
    except UniqueViolation:
        raise AlreadyLinked from None


async def unlink(ctx: Context, provider: Provider, password: str | None, code: str | None) -> None:
    """Unlink an account at a provider, and end the other logins that it opened.

    Needs the second factor of the caller, or its password. Raises as
    `first_password.require_owner`, and UnknownLink, InvalidForm.
    """
    issuer = provider.settings.issuer
    await first_password.require_owner(ctx, password, code)
    async with ctx.begin() as work:
        await credentials.lock_login(ctx, work)
        if not await oidc_identities.unlink(work.cur, ctx.user.id, issuer):
            raise UnknownLink
        left = await oidc_identities.list_identities(work.cur, ctx.user.id)
        usable = {each.settings.issuer for each in ctx.dependencies.providers}
        if not any(each.issuer in usable for each in left) and not (
            await oidc_identities.has_password(work.cur, ctx.user.id)
        ):
            raise last_way_to_log_in()
        opened = await queries.logins_of_issuer(work.cur, ctx.user.id, issuer)
        await revoke(work, ctx.user.id, [each for each in opened if each != ctx.caller.login_id])
