"""Check of the SMTP server through which mails are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urlsplit

from chatd.cli.finding import Finding, ok
from chatd.config import Config

_REMEDIES: Final = {
    "off": "Correct SMTP_HOST and SMTP_PORT, or start the server.",
    "starttls": "Correct SMTP_HOST and SMTP_PORT; SMTP_TLS=tls is for servers on port 465. The"
    " server needs STARTTLS and a valid certificate.",
    "tls": "Correct SMTP_HOST and SMTP_PORT; SMTP_TLS=starttls is for servers on port 587. The"
    " server needs a valid certificate.",
}


async def smtp(config: Config) -> AsyncIterator[Finding]:
    """Check whether the SMTP server answers and accepts the login. Sends no mail."""
    settings = config.smtp
    if not settings.host:
        return
    from chatd.mail.smtp import MailServerUnavailable, check

    if settings.user and not settings.password:
        remedy = "Set SMTP_PASSWORD, or remove SMTP_USER."
        yield Finding("mail", "warning", "SMTP_USER has no effect without SMTP_PASSWORD", remedy)
    address = f"{settings.host}:{settings.port}"
    try:
        await check(settings, host_name=urlsplit(config.public_url).hostname or "localhost")
    except MailServerUnavailable as error:
        remedy = _REMEDIES[settings.tls]
        if "login" in str(error):
            remedy = "Correct SMTP_USER and SMTP_PASSWORD."
        text = f"{address}: {error}; mails wait for a day"
        yield Finding("mail", "warning", text, remedy)
    else:
        how = "unencrypted" if settings.tls == "off" else "encrypted"
        yield ok("mail", f"{address} answers, {how}")
