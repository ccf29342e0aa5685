"""Ending logins, on every instance at once.

Whoever ends a login locks the user's stream first and the login after it.
"""

from __future__ import annotations

from collections.abc import Iterable

from chatd.context import Work
from chatd.core.ids import LoginId, UserId
from chatd.events.users import login_revoked
from chatd.queries import logins


async def revoke(work: Work, user_id: UserId, login_ids: Iterable[LoginId]) -> None:
    """End these logins of a user: their tokens are worth nothing, their sockets are closed."""
    await work.open(user_id)
    for login_id in await logins.revoke(work.cur, user_id, login_ids):
        work.emit(login_revoked(user_id, login_id))


async def revoke_all(work: Work, user_id: UserId, *, besides: LoginId | None = None) -> None:
    """End every login of a user, or every other one."""
    await work.open(user_id)
    for login_id in await logins.revoke_all(work.cur, user_id, besides=besides):
        work.emit(login_revoked(user_id, login_id))
