"""Reducing the memory of replay buffers to the replay budget of an instance."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from chatd.core.ids import UserId
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.session.session import Session

log = logging.getLogger(__name__)

_MANY_SESSIONS = 10
_SHARE = 4
"""An account loses its replays before others if it has more than `_MANY_SESSIONS` sessions, which
hold more than 1 / `_SHARE` of the budget. Its 100 sessions can hold 4 MiB each, which is more than
the default budget. Without this rule, one account could prevent all others from resuming."""


def shedding(
    budget: ReplayBudget,
    sessions: Mapping[UserId, Sequence[Session]],
    detached: Mapping[Session, None],
    remove: Callable[[Session], None],
) -> Iterator[None]:
    """Clear replay buffers until the budget is kept; yield after each session.

    `sessions` are all sessions by user. `detached` are those without a connection, in the order in
    which they lost it. First come the sessions of accounts that hold too much, then the detached
    sessions, which are removed. If that is not enough, the largest buffers of connected sessions
    are cleared. These sessions continue, but their clients cannot resume from an earlier dispatch.
    """
    for session in _of_large_accounts(budget, sessions):
        if not budget.is_exceeded:
            return
        if session in detached:
            remove(session)
        else:
            session.clear_replay()
        yield
    while detached:
        if not budget.is_exceeded:
            return
        remove(next(iter(detached)))
        yield
    log.warning("replay buffers exceed REPLAY_MAX_BYTES; dropping the largest")
    connected = chain.from_iterable(sessions.values())
    for session in sorted(connected, key=_replay_bytes, reverse=True):
        if not budget.is_exceeded:
            return
        session.clear_replay()
        yield


def _of_large_accounts(
    budget: ReplayBudget, sessions: Mapping[UserId, Sequence[Session]]
) -> list[Session]:
    """Return the sessions of the accounts that hold too much, the largest buffers first."""
    found: list[Session] = []
    for of_user in sessions.values():
        if len(of_user) > _MANY_SESSIONS:
            held = sum(map(_replay_bytes, of_user))
            found += of_user if held > budget.max_bytes / _SHARE else ()
    return sorted(found, key=_replay_bytes, reverse=True)


def _replay_bytes(session: Session) -> int:
    return session.replay_bytes
