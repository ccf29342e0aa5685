"""Verifying the address of an account, and changing it to one that was verified.

With mail, a new address is stored in the token of a link that is sent to it. The account keeps its
address until the link is used. So the answer to a change does not show whether another account has
the address.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.errors import Unauthorized
from chatd.core.ids import LoginId, UserId
from chatd.core.mail import LIFETIMES_S, MailKind, TokenPurpose, email_key
from chatd.core.models import Account
from chatd.db.cursor import Cursor, UniqueViolation
from chatd.events import users as events
from chatd.queries import mail_tokens, users
from chatd.queries.mail_tokens import MailToken
from chatd.services.accounts.mail import mail_queue, notices
from chatd.services.accounts.revocation import revoke_all

_VERIFY: Final = TokenPurpose.VERIFY

REVOKED_BY_CHANGES: Final = (TokenPurpose.VERIFY, TokenPurpose.RESET)
"""The links that a new address or password revokes. Those that undo a change stay valid."""


async def count_new(dependencies: Dependencies, address: str) -> None:
    """Count the mail that verifies the address of a new account. Raises RateLimited."""
    if dependencies.sends_mail:
        await mail_queue.count(dependencies, _VERIFY, address)


async def begin(dependencies: Dependencies, work: UnitOfWork, account: Account) -> None:
    """Add the mail that verifies the present address of an account."""
    assert account.email is not None
    await _replace(dependencies, work, MailKind.VERIFY, account, account.email)


async def begin_change(
    dependencies: Dependencies, work: UnitOfWork, account: Account, email: str, login_id: LoginId
) -> None:
    """Add the mail that verifies a new address, which the account gets when its link is used."""
    await _replace(dependencies, work, MailKind.NEW_ADDRESS, account, email, login_id=login_id)


async def _replace(
    dependencies: Dependencies,
    work: UnitOfWork,
    kind: MailKind,
    account: Account,
    email: str,
    *,
    login_id: LoginId | None = None,
) -> None:
    await mail_tokens.revoke(work.cur, account.user.id, [_VERIFY])
    token = await mail_queue.new_token(work.cur, _VERIFY, account.user.id, email, login_id=login_id)
    await mail_queue.add(dependencies, work, kind, account.user.id, email, token_id=token.id)


async def resend(ctx: Context, language: str) -> None:
    """Send the mail again that verifies the caller's address, or the one that it changes to.

    Sends nothing if the address is verified. Raises MailDisabled, RateLimited, Unauthorized.
    """
    mail_queue.require_enabled(ctx.dependencies)
    async with ctx.database.cursor() as cur:
        account = await users.account(cur, ctx.user.id)
        token = await mail_tokens.newest(cur, _VERIFY, ctx.user.id)
    if account is None or account.email is None:
        raise Unauthorized
    is_change = token is not None and token.email != account.email
    if account.email_verified and not is_change:
        return
    address = token.email if token else account.email
    await mail_queue.count(ctx.dependencies, _VERIFY, address)
    async with ctx.begin() as work:
        await work.ensure_and_lock(ctx.user.id)
        await users.set_language(work.cur, ctx.user.id, language)
        account = await users.account(work.cur, ctx.user.id)
        if account is None:
            raise Unauthorized
        if token is None:
            await begin(ctx.dependencies, work, account)
        elif await mail_tokens.prolong(work.cur, token.id, lifetime_s=LIFETIMES_S[_VERIFY]):
            kind = MailKind.NEW_ADDRESS if is_change else MailKind.VERIFY
            await mail_queue.add(
                ctx.dependencies, work, kind, ctx.user.id, token.email, token_id=token.id
            )


async def verify(dependencies: Dependencies, token: str) -> UserId:
    """Verify the address of a link. Return its account, which has the address from now on.

    A new address ends all other logins than the one that asked for it. Raises InvalidForm, also
    when another account has the address; MailDisabled.
    """
    found = await mail_queue.find(dependencies, _VERIFY, token)
    try:
        async with dependencies.begin() as work:
            await _use(dependencies, work, found)
    except UniqueViolation:
        raise mail_queue.address_taken() from None
    return found.user_id


async def _use(dependencies: Dependencies, work: UnitOfWork, token: MailToken) -> None:
    await work.ensure_and_lock(token.user_id)
    account = await users.account(work.cur, token.user_id)
    if account is None or not await mail_tokens.use_up(work.cur, token):
        raise mail_queue.invalid_token()
    changed = replace(account, email=token.email, email_verified=True)
    if token.email != account.email:
        await _change_address(dependencies, work, account, token)
    else:
        await write_address(work.cur, account.user.id, token.email)
    await mail_tokens.revoke(work.cur, token.user_id, [_VERIFY])
    if changed != account:
        work.emit(events.user_updated(changed))


async def _change_address(
    dependencies: Dependencies, work: UnitOfWork, before: Account, token: MailToken
) -> None:
    if await mail_tokens.is_reserved(work.cur, email_key(token.email), except_id=token.user_id):
        raise mail_queue.address_taken()
    await write_address(work.cur, token.user_id, token.email)
    await mail_tokens.revoke(work.cur, token.user_id, REVOKED_BY_CHANGES)
    await revoke_all(work, token.user_id, keep=token.login_id)
    await notices.address_changed(dependencies, work, before, token.email)


async def write_address(
    cur: Cursor, user_id: UserId, email: str, *, password_hash: str | None = None
) -> None:
    """Write a verified address, and maybe a password. Raises UniqueViolation when it is taken."""
    hashed = password_hash or await users.password_hash(cur, user_id)
    assert hashed is not None
    await users.update_credentials(
        cur,
        user_id,
        email=email,
        email_key=email_key(email),
        password_hash=hashed,
        email_verified=True,
    )
