"""Resume validation: reads from Postgres whether a login is valid, and the positions of streams.

An instance keeps a bounded number of events, and Redis may be unavailable. So an instance cannot
know from memory that no login was revoked, or that a session received all events. Each RESUME reads
the login and the positions of the session's streams from Postgres. Concurrent validations, as after
a restart, share a statement.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Container, Iterable
from dataclasses import dataclass

from chatd.core.errors import Unauthorized
from chatd.core.ids import LoginId, StreamId
from chatd.db.pool import Database
from chatd.services import stream_positions
from chatd.services.accounts.authentication import TokenClaims
from chatd.services.stream_positions import Positions

_SESSIONS_PER_STATEMENT = 200
"""The maximum of sessions in one statement. It takes about 5 ms if each session has 10 streams."""

_MAX_STATEMENTS = 2
"""The maximum of concurrent statements. Each occupies a database connection, which other requests
then lack."""


class LoginEnded(Exception):
    """The login has been revoked, or its account has been disabled or deleted."""


@dataclass(frozen=True, slots=True)
class _Request:
    token: TokenClaims
    streams: Collection[StreamId]
    result: asyncio.Future[Positions]


class ResumeValidator:
    """Validates sessions that are being resumed, in batches."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Request] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._running = 0  # not len(_tasks): a task that has ended stays there for a moment

    async def validate(self, token: TokenClaims, streams: Collection[StreamId]) -> Positions:
        """Return the positions that these streams have in Postgres, for a token of a valid login.

        Raises LoginEnded, Unauthorized if the token alone has expired, ServiceUnavailable,
        DatabaseUnavailable.
        """
        result: asyncio.Future[Positions] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Request(token, streams, result))
        if self._running < _MAX_STATEMENTS:
            self._running += 1
            task = asyncio.create_task(self._run(), name="resume validation")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await result

    async def _run(self) -> None:
        try:
            await self._validate_waiting()
        finally:
            self._running -= 1

    async def _validate_waiting(self) -> None:
        while self._waiting:
            batch = self._waiting[:_SESSIONS_PER_STATEMENT]
            del self._waiting[:_SESSIONS_PER_STATEMENT]
            try:
                valid, positions = await stream_positions.read_with_logins(
                    self._database,
                    {each.token.login_id for each in batch},
                    {stream for each in batch for stream in each.streams},
                )
            except BaseException as error:
                _fail(batch, error)
                if not isinstance(error, Exception):
                    raise
                continue
            for each in batch:
                if each.result.done():
                    continue
                if (refusal := _refusal(each.token, valid.ids, valid.without_client_token)) is None:
                    each.result.set_result(positions)
                else:
                    each.result.set_exception(refusal)


def _fail(batch: Iterable[_Request], error: BaseException) -> None:
    for each in batch:
        if not each.result.done():
            each.result.set_exception(error)


def _refusal(
    token: TokenClaims, valid: Container[LoginId], without_client_token: Container[LoginId]
) -> Exception | None:
    """Return why a token cannot resume a session, or None if it can."""
    if token.login_id not in valid:
        return LoginEnded()
    if token.by_client_token and token.login_id in without_client_token:
        return Unauthorized()
    return None
