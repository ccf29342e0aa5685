"""Revoking logins, on every instance.

Lock order: the stream of the user first, then the login.
"""

from __future__ import annotations

from collections.abc import Iterable

from chatd.context.unit_of_work import UnitOfWork
from chatd.core.ids import LoginId, UserId
from chatd.events.users import login_revoked
from chatd.queries import logins


async def revoke(work: UnitOfWork, user_id: UserId, login_ids: Iterable[LoginId]) -> None:
    """Revoke logins of a user: invalidate their tokens, and close their sessions."""
    await work.ensure_and_lock(user_id)
    for login_id in await logins.revoke(work.cur, user_id, login_ids):
        work.emit(login_revoked(user_id, login_id))


async def revoke_all(work: UnitOfWork, user_id: UserId, *, keep: LoginId | None = None) -> None:
    """Revoke every login of a user, except `keep`."""
    await work.ensure_and_lock(user_id)
    for login_id in await logins.revoke_all(work.cur, user_id, except_id=keep):
        work.emit(login_revoked(user_id, login_id))
