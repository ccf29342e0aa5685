"""Choosing a new password by the link of a mail: after a request, or to undo a change.

A request for an address does the same work whether the address has an account or not: it adds one
row to the mail queue. The task that sends mails looks up the account, and no client waits for it.
Rules: OWASP Forgot Password Cheat Sheet; OWASP Authentication Cheat Sheet.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from chatd.context.dependencies import Dependencies
from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import MailId, UserId
from chatd.core.mail import TokenPurpose
from chatd.db.cursor import Cursor, UniqueViolation
from chatd.events import users as events
from chatd.queries import mail_tokens, mails, oidc_identities, second_factors, users
from chatd.services.accounts import accounts
from chatd.services.accounts.accounts import NewLogin
from chatd.services.accounts.credentials import hash_new
from chatd.services.accounts.mail import mail_queue, notices, verification
from chatd.services.accounts.mfa import tickets
from chatd.services.accounts.mfa.tickets import Challenge
from chatd.services.accounts.revocation import revoke_all

MAX_WAITING: Final = 10_000
"""Waiting mails above which requests for a password are refused. The task deletes at once those for
addresses without an account, also while the mail server is away."""


async def request(dependencies: Dependencies, address: str, language: str) -> None:
    """Ask for a link with which the account of an address, if there is one, gets a new password.

    Raises MailDisabled, RateLimited, ServiceUnavailable.
    """
    mail_queue.require_enabled(dependencies)
    await mail_queue.count(dependencies, TokenPurpose.RESET, address)
    mail_id = dependencies.new_id(MailId)
    async with dependencies.database.cursor() as cur:
        is_added = await mails.insert_reset(
            cur, mail_id, address, language, max_waiting=MAX_WAITING
        )
    if not is_added:
        raise ServiceUnavailable
    dependencies.mails_due.set()


async def reset(
    dependencies: Dependencies, token: str, password: str, user_agent: str | None
) -> NewLogin | Challenge:
    """Set a new password by a link, end all logins, and log in.

    An account with a second factor is asked for it. The address is verified: its owner has the
    link. Raises InvalidForm, MailDisabled, ServiceUnavailable.
    """
    found = await mail_queue.find(dependencies, TokenPurpose.RESET, token)
    hashed = await hash_new(dependencies, password, field="password")
    async with dependencies.begin() as work:
        await work.ensure_and_lock(found.user_id)
        account = await users.account(work.cur, found.user_id)
        is_usable = await mail_tokens.use_up(work.cur, found)
        if account is None or not is_usable or account.email != found.email:
            raise mail_queue.invalid_token()
        changed = replace(account, email_verified=True)
        await verification.write_address(work.cur, found.user_id, found.email, password_hash=hashed)
        await mail_tokens.revoke(work.cur, found.user_id, verification.REVOKED_BY_CHANGES)
        await revoke_all(work, found.user_id)
        await notices.password_changed(dependencies, work, account)
        if not account.email_verified:  # another person may have registered the address
            await _unlink_providers(work.cur, found.user_id)
        if changed != account:
            work.emit(events.user_updated(changed))
        factors = await second_factors.state(work.cur, found.user_id)
        if factors is None or not factors.mfa_enabled:
            return await accounts.open_login(
                dependencies, work, changed, user_agent, with_notice=False
            )
    return await tickets.issue_for_new_login(dependencies, found.user_id, user_agent, factors)


async def undo(dependencies: Dependencies, token: str, password: str) -> None:
    """Undo a change: the account has its former address, a new password, and no login.

    Also revokes the links of later changes, and unlinks accounts at OpenID Connect providers: a
    thief of the account may have made these. Raises InvalidForm, MailDisabled, ServiceUnavailable.
    """
    found = await mail_queue.find(dependencies, TokenPurpose.UNDO, token)
    hashed = await hash_new(dependencies, password, field="password")
    try:
        async with dependencies.begin() as work:
            await work.ensure_and_lock(found.user_id)
            account = await users.account(work.cur, found.user_id)
            await mail_tokens.revoke(work.cur, found.user_id, [TokenPurpose.UNDO], after=found.id)
            if account is None or not await mail_tokens.use_up(work.cur, found):
                raise mail_queue.invalid_token()
            restored = replace(account, email=found.email, email_verified=True)
            await verification.write_address(
                work.cur, found.user_id, found.email, password_hash=hashed
            )
            await mail_tokens.revoke(work.cur, found.user_id, verification.REVOKED_BY_CHANGES)
            await revoke_all(work, found.user_id)
            await _unlink_providers(work.cur, found.user_id)
            await notices.undone(dependencies, work, account, restored)
            if restored != account:
                work.emit(events.user_updated(restored))
    except UniqueViolation:
        raise mail_queue.address_taken() from None


async def _unlink_providers(cur: Cursor, user_id: UserId) -> None:
    for identity in await oidc_identities.list_identities(cur, user_id):
        await oidc_identities.unlink(cur, user_id, identity.issuer)
