"""Sending mails to an SMTP server.

The server may be slow, away, or lie. Each mail has a total time, and the client library bounds the
length of an answer. Certificates are verified, and with SMTP_TLS=starttls a server that offers no
encryption gets no mail.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from email.message import EmailMessage
from ipaddress import ip_address

import aiosmtplib
from aiosmtplib import errors

from chatd.core.text import first_line
from chatd.smtp_settings import SmtpSettings

_STEPS = 4
"""Timeouts of one answer that a connection, or a mail on it, may take altogether."""

_MAX_REASON = 120  # characters of an error in a log line


class MailError(Exception):
    """A mail was not sent. The message is one line for the operator, without an address."""


class MailServerUnavailable(MailError):
    """The server sends nothing now: it is away, refuses the login, or lacks encryption."""


class MailPostponed(MailError):
    """The server asks to try this mail later."""


class MailRefused(MailError):
    """The server refuses this mail for good."""


class Connection:
    """An open connection to the SMTP server."""

    def __init__(self, client: aiosmtplib.SMTP, limit_s: float) -> None:
        self._client = client
        self._limit_s = limit_s

    async def send(self, message: EmailMessage, *, sender: str) -> None:
        """Send a mail to the one address in its header To.

        Raises MailRefused, MailPostponed, MailServerUnavailable.
        """
        [recipient] = message["To"].addresses
        with _translated_errors():
            async with asyncio.timeout(self._limit_s):
                await self._client.send_message(
                    message, sender=sender, recipients=[recipient.addr_spec]
                )
        _raise_if_cancelled()


class SmtpClient:
    """Opens connections to the server of the settings."""

    def __init__(self, settings: SmtpSettings, *, host_name: str) -> None:
        """`host_name` is the name of this machine for the server."""
        self._settings = settings
        self._host_name = _client_name(host_name)
        self._tls: ssl.SSLContext | None = None
        self.limit_s = _STEPS * settings.timeout_s
        """Seconds after which connecting, or sending one mail, fails."""

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """Connect and log in. Raises MailServerUnavailable."""
        settings = self._settings
        if settings.tls != "off" and self._tls is None:  # reading all authorities takes 50 ms
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.user if settings.password else None,
            password=settings.password or None,
            local_hostname=self._host_name,
            use_tls=settings.tls == "tls",
            start_tls=settings.tls == "starttls",
            tls_context=self._tls,
            timeout=settings.timeout_s,
        )
        with _translated_errors(is_connecting=True):
            async with asyncio.timeout(self.limit_s):
                await client.connect()
        try:
            _raise_if_cancelled()
            yield Connection(client, self.limit_s)
            await _quit(client, settings.timeout_s)
        finally:
            client.close()


def _client_name(host_name: str) -> str:
    """Return a name or an address of a machine in the form of EHLO. Rule: RFC 5321, 4.1.3."""
    try:
        address = ip_address(host_name)
    except ValueError:
        return host_name
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"


def _raise_if_cancelled() -> None:
    """Raise CancelledError if the library has lost a cancellation, as wait_for of Python 3.11 may.

    It does when the server answers in the same turn of the event loop. The server could not stop.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _quit(client: aiosmtplib.SMTP, timeout_s: float) -> None:
    """End the connection. The mails are sent, whatever the server answers."""
    try:
        async with asyncio.timeout(timeout_s):
            await client.quit()
    except (errors.SMTPException, OSError):
        pass
    _raise_if_cancelled()


async def check(settings: SmtpSettings, *, host_name: str) -> None:
    """Connect, encrypt and log in, and send nothing. Raises MailServerUnavailable."""
    async with SmtpClient(settings, host_name=host_name).connected():
        pass


@contextmanager
def _translated_errors(*, is_connecting: bool = False) -> Iterator[None]:
    """Raise what a failure means for the mail. Texts of the server may contain the address."""
    try:
        yield
    except errors.SMTPRecipientsRefused as refused:
        raise _for_mail(refused.recipients[0]) from None
    except errors.SMTPDataError as refused:
        raise _for_mail(refused) from None
    except errors.SMTPNotSupported as missing:
        if is_connecting:
            raise MailServerUnavailable(_reason(missing)) from None
        raise MailRefused("the server does not support such addresses") from None
    except errors.SMTPResponseException as refused:
        raise MailServerUnavailable(_refusal(refused)) from None
    except TimeoutError:
        raise MailServerUnavailable("the server does not answer in time") from None
    except (errors.SMTPException, OSError) as error:
        raise MailServerUnavailable(_reason(error)) from None
    except ValueError:  # an address that the library does not put into a command
        raise MailRefused("its address is not valid") from None


def _for_mail(refused: errors.SMTPResponseException) -> MailError:
    """Return what an answer to one mail means.

    Rules: RFC 5321 section 4.2.1; RFC 3463 section 3.8. A policy (5.7) may be one against this
    server, like a missing login, which its operator mends.
    """
    code = refused.code
    is_policy = refused.message.startswith("5.7.")
    if 500 <= code <= 599 and not is_policy:
        return MailRefused(f"the server refuses it with {code}")
    return MailPostponed(f"the server {'forbids' if is_policy else 'postpones'} it with {code}")


def _refusal(refused: errors.SMTPResponseException) -> str:
    if isinstance(refused, errors.SMTPAuthenticationError):
        return f"the server refuses the login with {refused.code}"
    if isinstance(refused, errors.SMTPSenderRefused):
        return f"the server refuses the sender with {refused.code}"
    return f"the server answers {refused.code}"


def _reason(error: BaseException) -> str:
    """Return the text of an error; that of its cause if the library wraps one."""
    return first_line(error.__cause__ or error)[:_MAX_REASON]
