"""The texts and the form of mails."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from chatd.core.mail import LANGUAGES, MailKind, language_of
from chatd.mail.letter import PURPOSES, Letter, UnsendableMail, compose, render
from chatd.wire.schemas.accounts import NewAccountSchema
from tests.conftest import repository

AT = datetime(2026, 11, 30, 8, 15, tzinfo=UTC)
LINK = "https://chat.example.org/verify#token=abc"
SENDER = Address("chatd", addr_spec="chatd@chat.example.org")

texts = st.text(max_size=100)


def letter(kind: MailKind, language: str, name: str = "alice", detail: str = "detail") -> Letter:
    link = LINK if kind in PURPOSES else ""
    return Letter(kind, language, "chat.example.org", name, AT, link=link, detail=detail)


def composed(content: Letter, recipient: str = "alice@example.org") -> EmailMessage:
    return compose(
        render(content),
        mail_id=1,
        sender=SENDER,
        recipient=recipient,
        host="chat.example.org:8080",
        at=AT,
    )


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))


def tags(html: str) -> list[tuple[str, tuple[str, ...]]]:
    parser = _Tags()
    parser.feed(html)
    return parser.tags


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", MailKind)
def test_every_kind_has_texts_in_every_language(kind: MailKind, language: str) -> None:
    rendered = render(letter(kind, language))
    assert "chat.example.org" in rendered.subject
    assert "alice" in rendered.text and "alice" in rendered.html
    assert (LINK in rendered.text) == (f'href="{LINK}"' in rendered.html) == (kind in PURPOSES)
    assert "{" not in rendered.subject + rendered.text
    if language != LANGUAGES[0]:
        assert rendered.subject != render(letter(kind, LANGUAGES[0])).subject


def test_languages_are_those_of_the_web_client() -> None:
    folder = repository() / "chatd" / "webclient" / "lang"
    assert {each.stem for each in folder.glob("*.ftl")} == set(LANGUAGES)
    assert [language_of(each) for each in ("de", "en-GB", "fr", "")] == ["de", "en", "en", "en"]


PLAIN = {kind: composed(letter(kind, "en")).items() for kind in MailKind}
PLAIN_TAGS = {kind: tags(render(letter(kind, "en")).html) for kind in MailKind}


@settings(max_examples=40)
@given(name=texts, detail=texts, kind=st.sampled_from(MailKind))
def test_no_name_adds_a_header_or_an_element(name: str, detail: str, kind: MailKind) -> None:
    content = letter(kind, "en", name, detail or "x")
    assert composed(content).items() == PLAIN[kind]
    assert tags(render(content).html) == PLAIN_TAGS[kind]


LONG_ADDRESS = f"alice@{'a' * 60}.b.example"  # one line has the header's name, the next one has it


@settings(max_examples=40)
@example(LONG_ADDRESS)
@given(st.emails() | texts | st.builds("{}@{}".format, texts, texts))
def test_address_that_is_accepted_is_the_only_recipient_or_refused(address: str) -> None:
    """No address that a client can register adds a header or a second recipient."""
    given = {"username": "alice", "email": address, "password": "Password123!"}
    try:
        accepted = NewAccountSchema().load(given).email
    except ValidationError:
        accepted = address  # a stored one may be older than the rule
    try:
        message = composed(letter(MailKind.VERIFY, "en"), accepted)
    except UnsendableMail:
        return
    assert len(message["To"].addresses) == 1
    sent = message_from_bytes(bytes(message), policy=policy.default)
    assert [name for name in sent if name.lower() in ("to", "cc", "bcc")] == ["To"]
    assert [each.addr_spec for each in sent["To"].addresses] == [
        each.addr_spec for each in message["To"].addresses
    ]


@pytest.mark.parametrize("address", ["a@example.org\nBcc: b@example.org", "a@x, b@y", "", "@", "a"])
def test_malformed_address_is_refused(address: str) -> None:
    with pytest.raises(UnsendableMail):
        composed(letter(MailKind.VERIFY, "en"), address)


@pytest.mark.parametrize("name", ["evil.example", "www.evil.example/win"])
def test_name_is_no_link(name: str) -> None:
    """Anyone can register the address of someone else, with any name."""
    rendered = render(letter(MailKind.VERIFY, "en", name))
    for text in (rendered.text, rendered.html):
        assert "evil." in text and "evil.example" not in text
    assert "alice.2" in render(letter(MailKind.VERIFY, "en", "alice.2")).text


def test_headers() -> None:
    message = composed(letter(MailKind.RESET, "de"), "alice@bücher.example")
    assert message["To"].addresses[0].addr_spec == "alice@xn--bcher-kva.example"
    assert message["From"] == "chatd <chatd@chat.example.org>"
    assert message["Message-ID"] == "<1@chat.example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Subject"] == "Wähle ein neues Passwort für chat.example.org"


@pytest.mark.parametrize(
    ("domain", "in_dns"),
    [
        ("straße.example", "xn--strae-oqa.example"),  # that of 2003 would be strasse.example
        ("FAẞ.example", "xn--fa-hia.example"),
        ("☕.example", "xn--53h.example"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_mail_goes_to_no_other_domain(domain: str, in_dns: str) -> None:
    message = composed(letter(MailKind.RESET, "en"), f"alice@{domain}")
    assert message["To"].addresses[0].domain == in_dns


@pytest.mark.parametrize("domain", ["straße☕.example", "a\u200db.example", "é" * 70 + ".example"])
def test_address_whose_domain_would_change_gets_no_mail(domain: str) -> None:
    with pytest.raises(UnsendableMail):
        composed(letter(MailKind.RESET, "en"), f"alice@{domain}")
