"""The text of a mail, in plain text and HTML, and its form for an SMTP server.

Names and programs come from users. Jinja escapes them in HTML, and no header contains them. A
header with a line break is refused by the standard library, so no value can add a header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from chatd.core import domains
from chatd.core.mail import LANGUAGES, LIFETIMES_S, MailKind, TokenPurpose

PURPOSES = {
    MailKind.VERIFY: TokenPurpose.VERIFY,
    MailKind.NEW_ADDRESS: TokenPurpose.VERIFY,
    MailKind.RESET: TokenPurpose.RESET,
    MailKind.PASSWORD_CHANGED: TokenPurpose.UNDO,
    MailKind.ADDRESS_CHANGED: TokenPurpose.UNDO,
    MailKind.PROVIDER_LINKED: TokenPurpose.UNDO,
}
"""What the link of a kind is for. The other kinds have no link."""

_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
"""Keep a name that is written from right to left from turning the sentence around it."""

_WORD_JOINER = "\u2060"
_DOT_OF_DOMAIN = re.compile(r"(?<=\w)\.(?=[^\W\d])")
"""A dot for which mail programs make a link of a name. An invisible character after it prevents
that: anyone can register the address of someone else, and a name that is a domain."""

_PARSER_ERRORS = (ValueError, LookupError, AttributeError, MessageError)
"""What the parser of addresses in the standard library raises for those that it does not know."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says."""

    kind: MailKind
    language: str
    host: str
    """The name of this server."""
    name: str
    """The name of the account."""
    at: datetime
    """When it happened."""
    link: str = field(default="", repr=False)
    detail: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The texts of a mail."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)


class UnsendableMail(Exception):
    """An address is none that a mail can be sent to."""


def render(letter: Letter) -> Rendered:
    """Render the texts of a mail."""
    language = letter.language if letter.language in LANGUAGES else LANGUAGES[0]
    kind, values = letter.kind.value, _values(letter)
    plain, escaped = _texts(language, autoescape=False), _texts(language, autoescape=True)
    subject = _block(plain, f"{kind}_subject", values)
    body = _block(plain, f"{kind}_body", values)
    button = _block(plain, f"{kind}_button", values) if letter.link else ""
    paragraphs = _block(escaped, f"{kind}_body", values).split("\n\n")
    html = _environment(autoescape=True).get_template("layout.html")
    return Rendered(
        subject,
        f"{body}\n\n{letter.link}\n" if letter.link else f"{body}\n",
        html.render(
            subject=subject,
            language=language,
            paragraphs=[Markup(each) for each in paragraphs],  # noqa: S704 - escaped above
            link=letter.link,
            button=button,
        ),
    )


def compose(
    rendered: Rendered, *, mail_id: int, sender: Address, recipient: str, host: str, at: datetime
) -> EmailMessage:
    """Return a mail with its headers. Raises UnsendableMail.

    Its id is that of the row in the mail queue: mail servers recognize one that was sent twice.
    """
    message = EmailMessage(policy=policy.SMTP)
    try:
        message["From"] = sender
        message["To"] = _address(recipient)
        message["Subject"] = rendered.subject
        message["Date"] = format_datetime(at)
        message["Message-ID"] = f"<{mail_id}@{_host_name(host)}>"
    except _PARSER_ERRORS as error:
        raise UnsendableMail("its address is not valid") from error
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answers
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    return message


def _address(text: str) -> Address:
    """Return an address with its domain as DNS has it. Raises ValueError."""
    if not text.isprintable():
        raise ValueError("an address has no control characters")
    local, _, domain = text.rpartition("@")
    return Address(addr_spec=f"{local}@{domains.to_ascii(domain)}")


def _host_name(host: str) -> str:
    """Return a host without its port and the brackets of IPv6."""
    return re.sub(r":[0-9]+$", "", host).strip("[]") or "localhost"


def _values(letter: Letter) -> dict[str, Any]:
    values = {
        "host": letter.host,
        "name": _DOT_OF_DOMAIN.sub(f".{_WORD_JOINER}", _isolated(letter.name)),
        "detail": _isolated(letter.detail) if letter.detail else "",
        "time": letter.at.strftime("%Y-%m-%d %H:%M"),
    }
    if (purpose := PURPOSES.get(letter.kind)) is not None:
        hours = LIFETIMES_S[purpose] // 3600
        values |= {"hours": str(hours), "days": str(hours // 24)}
    return values


def _isolated(text: str) -> str:
    printable = "".join(each if each.isprintable() else " " for each in text)
    return f"{_FIRST_STRONG_ISOLATE}{printable}{_POP_ISOLATE}"


def _block(texts: Template, name: str, values: dict[str, Any]) -> str:
    return "".join(texts.blocks[name](texts.new_context(values))).strip()


@cache
def _environment(*, autoescape: bool) -> Environment:
    return Environment(
        loader=PackageLoader("chatd.mail", "texts"),
        autoescape=autoescape,  # noqa: S701 - False is for plain text
        undefined=StrictUndefined,
        trim_blocks=True,
    )


@cache
def _texts(language: str, *, autoescape: bool) -> Template:
    return _environment(autoescape=autoescape).get_template(f"{language}.jinja")


def load() -> None:
    """Load all texts. Compiling them takes 50 ms, so the caller does it in a thread."""
    _environment(autoescape=True).get_template("layout.html")
    for language in LANGUAGES:
        _texts(language, autoescape=False)
        _texts(language, autoescape=True)
