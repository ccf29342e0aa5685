"""Notices to the owner of an account: of a new login, a new password, a new address, a link with
an account at a provider, and an approval.

All but the last go to verified addresses only: another address may belong to a stranger, who could
undo the change. A link that undoes a change stays valid when there are further changes. Otherwise a
thief could make two.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from chatd.context.dependencies import CoreDependencies, Dependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import snowflake
from chatd.core.ids import LoginId, UserId
from chatd.core.mail import MailKind, TokenPurpose
from chatd.core.models import Account
from chatd.queries import logins, users
from chatd.services.accounts.mail import mail_queue

_MAX_LOGINS: Final = 10
"""Notices of new logins a day. A program that logs in all the time must not fill a mailbox."""

_MAX_PROGRAM = 100  # characters of the User-Agent in a notice
_LINKS: Final = re.compile(r"(?<=\w)\.(?=[^\W\d])|:|//|@")
"""What mail programs make a link of: a thief chooses the User-Agent."""


async def new_login(
    dependencies: Dependencies, work: UnitOfWork, account: Account, user_agent: str | None
) -> None:
    """Add the notice of a new login, which is the newest one of the account."""
    if not _gets_notices(dependencies, account):
        return
    day_ago = LoginId(snowflake.at(datetime.now(UTC) - timedelta(days=1)))
    recent = await logins.count_since(work.cur, account.user.id, day_ago, limit=_MAX_LOGINS + 1)
    if recent <= _MAX_LOGINS:
        program = _LINKS.sub(" ", (user_agent or "")[:_MAX_PROGRAM]).strip()
        await _add(dependencies, work, MailKind.LOGIN, account, detail=program)


async def password_changed(dependencies: Dependencies, work: UnitOfWork, account: Account) -> None:
    """Add the notice of a new password."""
    if _gets_notices(dependencies, account):
        await _add_undoable(dependencies, work, MailKind.PASSWORD_CHANGED, account)


async def address_changed(
    dependencies: Dependencies, work: UnitOfWork, before: Account, email: str
) -> None:
    """Add the notice of a new address, to the former one."""
    if _gets_notices(dependencies, before):
        await _add_undoable(dependencies, work, MailKind.ADDRESS_CHANGED, before, detail=email)


async def provider_linked(
    dependencies: Dependencies, work: UnitOfWork, user_id: UserId, label: str
) -> None:
    """Add the notice that an account at a provider, by its label, was linked and can log in."""
    account = await users.account(work.cur, user_id)
    if account is not None and _gets_notices(dependencies, account):
        await _add_undoable(dependencies, work, MailKind.PROVIDER_LINKED, account, detail=label)


async def approved(dependencies: CoreDependencies, work: UnitOfWork, user_id: UserId) -> None:
    """Add the notice that an account which waited can log in.

    It goes to an address that is not verified, too: the owner waits for it, and an administrator
    sends it once.
    """
    account = await users.account(work.cur, user_id)
    if dependencies.sends_mail and account is not None and account.email is not None:
        await _add(dependencies, work, MailKind.APPROVED, account)


async def undone(
    dependencies: Dependencies, work: UnitOfWork, before: Account, restored: Account
) -> None:
    """Add the notices that a change was undone, to the restored address and the one before."""
    await _add(dependencies, work, MailKind.UNDONE, restored)
    if before.email != restored.email and _gets_notices(dependencies, before):
        await _add(dependencies, work, MailKind.UNDONE, before)


def _gets_notices(dependencies: Dependencies, account: Account) -> bool:
    return dependencies.sends_mail and account.email_verified and account.email is not None


async def _add_undoable(
    dependencies: Dependencies,
    work: UnitOfWork,
    kind: MailKind,
    account: Account,
    *,
    detail: str = "",
) -> None:
    assert account.email is not None
    token = await mail_queue.new_token(work.cur, TokenPurpose.UNDO, account.user.id, account.email)
    await _add(dependencies, work, kind, account, token_id=token.id, detail=detail)


async def _add(
    dependencies: CoreDependencies,
    work: UnitOfWork,
    kind: MailKind,
    account: Account,
    *,
    token_id: bytes | None = None,
    detail: str = "",
) -> None:
    assert account.email is not None
    await mail_queue.add(
        dependencies,
        work,
        kind,
        account.user.id,
        account.email,
        token_id=token_id,
        detail=detail,
    )
