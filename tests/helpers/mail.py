"""A real SMTP server, with the faults that tests ask for."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chatd.smtp_settings import SmtpSettings
from tests.world import TIMEOUT_S

SENDER = "chatd <chatd@chatd.test>"
USER, USERS_PASSWORD = "chatd", "a password of the tests"


@dataclass
class MailServer:
    """Receives mails. `refusals` are the answers to the next recipients, such as `450 later`."""

    port: int = 0
    received: list[EmailMessage] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    """All recipients that clients named, refused ones included."""
    encryption: ssl.SSLContext | None = None
    """The certificate of a server that requires encryption and a login."""
    starts_encrypted: bool = False
    """Whether the connection is encrypted from its begin; then there is no login."""
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    def protocol(self) -> SMTP:
        """Return what serves one connection."""
        if self.encryption is None or self.starts_encrypted:
            return SMTP(self, enable_SMTPUTF8=True)
        return SMTP(
            self,
            tls_context=self.encryption,
            require_starttls=True,
            auth_required=True,
            authenticator=_authenticate,
        )

    @property
    def settings(self) -> SmtpSettings:
        """The settings with which chatd sends to this server."""
        return SmtpSettings("127.0.0.1", self.port, "off", sender=SENDER, timeout_s=TIMEOUT_S)

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        self.recipients.append(address)
        if self.refusals:
            return self.refusals.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        message["X-Envelope-To"] = ",".join(envelope.rcpt_tos)
        async with self._arrived:
            self.received.append(message)
            self._arrived.notify_all()
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """Return the mails to an address so far."""
        return [each for each in self.received if each["X-Envelope-To"] == address]

    async def next(self, address: str, count: int = 1) -> EmailMessage:
        """Wait until an address has this number of mails; return the last of them."""
        async with asyncio.timeout(TIMEOUT_S), self._arrived:
            await self._arrived.wait_for(lambda: len(self.to(address)) >= count)
        return self.to(address)[count - 1]


def _authenticate(_server: Any, _session: Any, _envelope: Any, _how: str, data: Any) -> AuthResult:
    is_right = (data.login, data.password) == (USER.encode(), USERS_PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


@asynccontextmanager
async def mail_server(server: MailServer | None = None) -> AsyncIterator[MailServer]:
    """An SMTP server on this machine, for as long as the context is open."""
    server = server or MailServer()
    listening = await asyncio.get_running_loop().create_server(
        server.protocol, "127.0.0.1", 0, ssl=server.encryption if server.starts_encrypted else None
    )
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for 127.0.0.1. Return it for a server, and the file that clients trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    trusted, private = folder / "certificate.pem", folder / "key.pem"
    trusted.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(trusted, private)
    return context, trusted


def body(message: EmailMessage, subtype: str = "plain") -> str:
    """Return a text of a mail."""
    part = message.get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def link(message: EmailMessage) -> tuple[str, str]:
    """Return the page and the token of the link in a mail."""
    found = re.search(r"^http://chatd\.test/(\w+)#token=([\w-]+)$", body(message), re.MULTILINE)
    assert found, body(message)
    return found[1], found[2]
