"""Sending the mails of the mail queue.

Every instance runs the task. An instance takes a mail for the time of a lease, so a crash delays it
by one lease at most, and then it may be sent twice, with one Message-ID. A mail that fails is tried
again, after longer and longer pauses, for a day. While the SMTP server is away the task pauses, and
nothing else waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from chatd.auth.mail_tokens import new_id
from chatd.context.dependencies import Dependencies
from chatd.core.errors import ServiceUnavailable
from chatd.core.mail import LIFETIMES_S, MailKind, TokenPurpose, email_key
from chatd.db.cursor import Cursor
from chatd.mail import letter
from chatd.mail.letter import PURPOSES, Letter, UnsendableMail, compose, render
from chatd.mail.smtp import (
    Connection,
    MailPostponed,
    MailRefused,
    MailServerUnavailable,
    SmtpClient,
)
from chatd.observability.metrics import Counters
from chatd.queries import mail_tokens, users
from chatd.queries import mails as queries
from chatd.queries.mail_tokens import MailToken
from chatd.queries.mails import WaitingMail
from chatd.services.maintenance.wakeup import wait_for_work
from chatd.smtp_settings import SmtpSettings

log = logging.getLogger(__name__)

MAX_AGE_S = 86_400.0
"""Seconds after which a mail is given up. Its text would be of no use any more."""

_INTERVAL_S = 5.0  # between two polls for the mails that other instances have added
_PER_CONNECTION = 50  # mails; some servers end longer connections
_FIRST_WAIT_S, _LONGEST_WAIT_S = 30.0, 3600.0  # before a mail is tried again
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 300.0  # after the server could not be reached
_LEASE_MARGIN_S = 60.0  # for the database, after the time that sending may take
_DROPPED_BATCH = 100

_PATHS = {
    TokenPurpose.VERIFY: "verify",
    TokenPurpose.RESET: "reset",
    TokenPurpose.UNDO: "undo",
}
"""The pages of the web client that links open. Discord's clients know the first two."""


@dataclass(frozen=True, slots=True)
class _Addressed:
    """What a mail says, and to whom."""

    letter: Letter
    recipient: str = field(repr=False)


class MailSender:
    """Sends the mails of the mail queue through one SMTP server."""

    def __init__(
        self,
        dependencies: Dependencies,
        settings: SmtpSettings,
        public_url: str,
        counters: Counters,
    ) -> None:
        self._dependencies = dependencies
        self._public_url = public_url
        self._host = urlsplit(public_url).netloc
        self._sender = settings.sender_address
        host_name = urlsplit(public_url).hostname or "localhost"
        self._client = SmtpClient(settings, host_name=host_name)
        self._counters = counters
        self._lease_s = 2 * self._client.limit_s + _LEASE_MARGIN_S

    async def run(self) -> None:
        """Send mails until cancelled."""
        await asyncio.to_thread(letter.load)
        failures = 0
        while True:
            try:
                await self._drop_old()
                await self.send_due()
                failures = 0
            except MailServerUnavailable as error:
                pause_s = _doubled(_FIRST_PAUSE_S, failures, _LONGEST_PAUSE_S)
                failures += 1
                log.warning("mails wait: %s; trying again in %.0f s", error, pause_s)
                await asyncio.sleep(pause_s)
                continue
            except ServiceUnavailable as error:
                log.info("mails postponed: %s", error)
            await wait_for_work(self._dependencies.mails_due, at_most_s=_INTERVAL_S)

    async def send_due(self) -> None:
        """Send all mails that are due. Raises MailServerUnavailable, ServiceUnavailable."""
        while (found := await self._next()) is not None:
            mail, addressed = found
            try:
                async with self._client.connected() as connection:
                    for _ in range(_PER_CONNECTION):
                        await self._send(connection, mail, addressed)
                        following = await self._next()
                        if following is None:
                            return
                        mail, addressed = following
                    await self._postpone(mail, wait_s=0)  # the next connection takes it
            except MailServerUnavailable:
                self._counters.mails_failed += 1
                await self._postpone(mail, wait_s=_wait_s(mail))
                raise

    async def _next(self) -> tuple[WaitingMail, _Addressed] | None:
        """Lease the next mail that can be sent. Those that are of no use any more are deleted."""
        while True:
            async with self._dependencies.database.cursor() as cur:
                mail = await queries.take(
                    cur, list(MailKind), lease_s=self._lease_s, max_age_s=MAX_AGE_S
                )
            if mail is None:
                return None
            async with self._dependencies.begin() as work:
                addressed = await self._address(work.cur, mail)
                if addressed is not None:
                    return mail, addressed
                await queries.delete(work.cur, mail.id)

    async def _address(self, cur: Cursor, mail: WaitingMail) -> _Addressed | None:
        """Return the content of a mail; None if it is of no use any more.

        That is a request for an address without an account, or a link that was revoked.
        """
        kind = MailKind(mail.kind)
        if mail.user_id is None:
            return await self._address_reset(cur, mail)
        account = await users.account(cur, mail.user_id)
        if account is None or not await _is_current(cur, kind, mail.token_id):
            return None
        return self._addressed(kind, mail, account.user.username, mail.recipient, mail.token_id)

    async def _address_reset(self, cur: Cursor, mail: WaitingMail) -> _Addressed | None:
        """Look up the account of a password reset, and make its link.

        It is sent to the address of the account, not to the one that was typed: two different
        addresses may have one canonical form.
        """
        found = await users.credentials(cur, email_key(mail.recipient))
        account = None if found is None else await users.account(cur, found.user_id)
        if found is None or account is None or account.email is None or found.is_disabled:
            return None
        purpose = TokenPurpose.RESET
        token = MailToken(new_id(), found.user_id, account.email, None)
        await mail_tokens.insert(cur, purpose, token, lifetime_s=LIFETIMES_S[purpose])
        await queries.assign(cur, mail.id, found.user_id, account.email, token.id)
        name = account.user.username
        return self._addressed(MailKind.RESET, mail, name, account.email, token.id)

    def _addressed(
        self,
        kind: MailKind,
        mail: WaitingMail,
        name: str,
        recipient: str,
        token_id: bytes | None,
    ) -> _Addressed:
        link = ""
        if (purpose := PURPOSES.get(kind)) is not None and token_id is not None:
            token = self._dependencies.mail_tokens.token(purpose, token_id)
            # After the #, so that no log of a server or proxy contains it.
            link = f"{self._public_url}/{_PATHS[purpose]}#token={token}"
        content = Letter(
            kind, mail.language, self._host, name, mail.created_at, link=link, detail=mail.detail
        )
        return _Addressed(content, recipient)

    async def _send(self, connection: Connection, mail: WaitingMail, content: _Addressed) -> None:
        """Send a mail, and delete or postpone it. Raises MailServerUnavailable."""
        try:
            message = compose(
                render(content.letter),
                mail_id=mail.id,
                sender=self._sender,
                recipient=content.recipient,
                host=self._host,
                at=datetime.now(UTC),
            )
            await connection.send(message, sender=self._sender.addr_spec)
        except MailPostponed as error:
            self._counters.mails_failed += 1
            log.info("mail %d (%s) waits: %s", mail.id, mail.kind, error)
            await self._postpone(mail, wait_s=_wait_s(mail))
            return
        except (MailRefused, UnsendableMail) as error:
            self._counters.mails_dropped += 1
            log.warning("mail %d (%s) is given up: %s", mail.id, mail.kind, error)
        else:
            self._counters.mails_sent += 1
        async with self._dependencies.database.cursor() as cur:
            await queries.delete(cur, mail.id)

    async def _postpone(self, mail: WaitingMail, *, wait_s: float) -> None:
        async with self._dependencies.database.cursor() as cur:
            await queries.postpone(cur, mail.id, wait_s=wait_s)

    async def _drop_old(self) -> None:
        """Give up the mails that could not be sent for a day."""
        while True:
            async with self._dependencies.database.cursor() as cur:
                dropped = await queries.delete_old(cur, max_age_s=MAX_AGE_S, limit=_DROPPED_BATCH)
            for mail in dropped:
                log.warning(
                    "mail %d (%s) is given up after a day and %d attempts",
                    mail.id,
                    mail.kind,
                    mail.tries,
                )
            self._counters.mails_dropped += len(dropped)
            if len(dropped) < _DROPPED_BATCH:
                return


async def _is_current(cur: Cursor, kind: MailKind, token_id: bytes | None) -> bool:
    """Return whether the link of a mail can be used. Its time begins when the mail is sent."""
    purpose = PURPOSES.get(kind)
    if purpose is None:
        return True
    if token_id is None or await mail_tokens.get(cur, purpose, token_id) is None:
        return False
    if purpose is TokenPurpose.UNDO:
        return True
    return await mail_tokens.prolong(cur, token_id, lifetime_s=LIFETIMES_S[purpose])


def _wait_s(mail: WaitingMail) -> float:
    return _doubled(_FIRST_WAIT_S, mail.tries - 1, _LONGEST_WAIT_S)


def _doubled(first: float, times: int, longest: float) -> float:
    """Return a time that doubles with each failure."""
    return min(first * 2.0 ** min(times, 30), longest)
