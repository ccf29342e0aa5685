"""The task that sends mails, with SMTP servers that refuse, are slow, lie, or are away."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from chatd.core.ids import MailId, UserId
from chatd.core.mail import MailKind
from chatd.db.pool import Database
from chatd.mail.smtp import MailServerUnavailable, check
from chatd.observability.metrics import Counters
from chatd.queries import mails as queries
from chatd.queries.mails import NewMail
from chatd.services.maintenance import mails as maintenance
from chatd.services.maintenance.mails import MailSender
from chatd.smtp_settings import SmtpSettings
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.helpers.mail import USER, USERS_PASSWORD, MailServer, certificate, mail_server
from tests.helpers.servers import free_port
from tests.world import Person, World

PUBLIC_URL = "http://chatd.test"


@pytest.fixture
async def mails() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


@dataclass
class MailQueue:
    """The mail queue of the shared server, which has no task of its own."""

    server: Server

    @property
    def database(self) -> Database:
        return self.server.runner.app[DEPENDENCIES].database

    def sender(self, settings: SmtpSettings) -> tuple[MailSender, Counters]:
        counters = Counters()
        dependencies = self.server.runner.app[DEPENDENCIES]
        return MailSender(dependencies, settings, PUBLIC_URL, counters), counters

    async def add(self, person: Person, recipient: str = "") -> int:
        """Add a notice of a login."""
        mail_id = self.server.runner.app[DEPENDENCIES].new_id(MailId)
        user_id = UserId(int(person.id))
        mail = NewMail(mail_id, MailKind.LOGIN, user_id, recipient or person.email)
        async with self.database.cursor() as cur:
            await queries.insert(cur, mail)
        return int(mail_id)

    async def rows(self) -> list[tuple[int, float]]:
        """Return the waiting mails, and in how many seconds each is due."""
        async with self.database.cursor() as cur:
            await cur.execute(
                "SELECT id, extract(epoch FROM due_at - now())::float FROM mails ORDER BY id"
            )
            return [(each[0], each[1]) for each in await cur.fetchall()]

    async def clear(self) -> None:
        """Delete all waiting mails."""
        async with self.database.cursor() as cur:
            await cur.execute("DELETE FROM mails")

    async def change(self, assignment: str) -> None:
        """Change all waiting mails."""
        async with self.database.cursor() as cur:
            await cur.execute(f"UPDATE mails SET {assignment}")


@pytest.fixture
async def queue(server: Server) -> AsyncIterator[MailQueue]:
    found = MailQueue(server)
    await found.clear()  # of mails that tests of other modules have left
    yield found
    await found.clear()


@asynccontextmanager
async def lying_server(greeting: bytes, *, closes: bool) -> AsyncIterator[int]:
    """A server that sends this, and then nothing, or closes the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        if not closes:
            with suppress(ConnectionError):
                await reader.read()  # until the client leaves
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield listening.sockets[0].getsockname()[1]
    listening.close()


async def test_mail_is_sent_once_by_many_senders(
    world: World, queue: MailQueue, mails: MailServer
) -> None:
    alice = await world.person("alice")
    ids = [await queue.add(alice) for _ in range(5)]
    senders = [queue.sender(mails.settings)[0] for _ in range(3)]
    await asyncio.gather(*(each.send_due() for each in senders))
    sent = sorted(each["Message-ID"] for each in mails.received)
    assert sent == sorted(f"<{each}@chatd.test>" for each in ids)
    assert await queue.rows() == []


async def test_postponed_mail_is_tried_again_later_and_later(
    world: World, queue: MailQueue, mails: MailServer
) -> None:
    alice, bob = await world.people("alice", "bob")
    await queue.add(alice)
    await queue.add(bob)
    sender, counters = queue.sender(mails.settings)
    waits = []
    for answer in ("450 4.2.1 later", "554 5.7.1 no relaying", "421 busy"):
        mails.refusals[:] = [answer]
        await sender.send_due()
        [(_, wait_s)] = await queue.rows()
        waits.append(round(wait_s, -1))
        await queue.change("due_at = now()")
    assert waits == [30, 60, 120]
    assert len(mails.to(bob.email)) == 1  # which does not wait for it
    await sender.send_due()
    assert len(mails.to(alice.email)) == 1
    assert (counters.mails_sent, counters.mails_failed, counters.mails_dropped) == (2, 3, 0)


async def test_refused_mail_is_given_up_without_its_address_in_the_log(
    world: World, queue: MailQueue, mails: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    alice = await world.person("alice")
    await queue.add(alice)
    mails.refusals[:] = [f"550 5.1.1 <{alice.email}> is unknown"]
    sender, counters = queue.sender(mails.settings)
    with caplog.at_level(logging.DEBUG):
        await sender.send_due()
    assert await queue.rows() == []
    assert counters.mails_dropped == 1
    own = [each for each in caplog.records if each.name.startswith(("chatd", "aiosmtplib"))]
    text = "\n".join(each.getMessage() for each in own)
    assert "the server refuses it with 550" in text
    assert alice.email not in text


@pytest.mark.parametrize(
    "recipient",
    [
        "a@example.org\r\nBcc: victim@example.org",
        "a@example.org>\r\nRCPT TO:<victim@example.org",
        "victim@example.org,a@example.org",
        '"a\x00b"@example.org',
        "nothing",
        "a@" + "ü" * 200 + ".example",
    ],
)
async def test_malformed_address_is_given_up(
    world: World, queue: MailQueue, mails: MailServer, recipient: str
) -> None:
    alice = await world.person("alice")
    if "\x00" in recipient:
        recipient = recipient.replace("\x00", "\x01")  # Postgres stores no NUL
    await queue.add(alice, recipient)
    await queue.add(alice)
    sender, counters = queue.sender(mails.settings)
    await sender.send_due()
    assert mails.recipients == [alice.email]
    assert (counters.mails_sent, counters.mails_dropped) == (1, 1)
    assert await queue.rows() == []


async def test_mail_is_given_up_after_a_day(
    world: World,
    queue: MailQueue,
    mails: MailServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    alice = await world.person("alice")
    old = await queue.add(alice)
    await queue.change("created_at = now() - interval '25 hours'")
    await queue.add(alice)
    sender, counters = queue.sender(mails.settings)
    running = asyncio.create_task(sender.run())
    await mails.next(alice.email)
    running.cancel()  # the server answers at the same time
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(mails.received) == 1
    assert counters.mails_dropped == 1
    assert f"mail {old} (login) is given up after a day" in caplog.text


@pytest.mark.parametrize(
    ("greeting", "closes"),
    [
        (b"", True),
        (b"", False),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
        (b"220-" + b"x" * 100_000, False),
        (b"220-more\r\n" * 20_000, False),
        (b"554 go away\r\n", False),
        (b"\xff\xfe\x00", False),
    ],
)
async def test_server_that_lies_delays_mails_only(
    world: World, queue: MailQueue, mails: MailServer, greeting: bytes, closes: bool
) -> None:
    alice = await world.person("alice")
    await queue.add(alice)
    async with lying_server(greeting, closes=closes) as port:
        settings = replace(mails.settings, port=port, timeout_s=0.2)
        sender, counters = queue.sender(settings)
        with pytest.raises(MailServerUnavailable):
            await sender.send_due()
    [(_, wait_s)] = await queue.rows()
    assert 20 < wait_s <= 30
    assert counters.mails_failed == 1
    await queue.change("due_at = now()")
    await queue.sender(mails.settings)[0].send_due()
    assert len(mails.to(alice.email)) == 1


async def test_server_without_encryption_gets_no_mail(
    world: World, queue: MailQueue, mails: MailServer
) -> None:
    alice = await world.person("alice")
    await queue.add(alice)
    for tls in ("starttls", "tls"):
        sender, _ = queue.sender(replace(mails.settings, tls=tls))
        await queue.change("due_at = now()")
        with pytest.raises(MailServerUnavailable):
            await sender.send_due()
    assert mails.recipients == []


async def test_mail_goes_encrypted_and_with_a_login(
    world: World, queue: MailQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await world.person("alice")
    await queue.add(alice)
    context, trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with mail_server(MailServer(encryption=context)) as server:
        right = replace(server.settings, tls="starttls", user=USER, password=USERS_PASSWORD)
        with pytest.raises(MailServerUnavailable, match="refuses the login with 535"):
            await queue.sender(replace(right, password="wrong"))[0].send_due()
        await queue.change("due_at = now()")
        assert server.recipients == []
        await queue.sender(right)[0].send_due()
        assert len(server.to(alice.email)) == 1


async def test_mail_goes_encrypted_from_the_begin(
    world: World, queue: MailQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await world.person("alice")
    await queue.add(alice)
    context, trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with mail_server(MailServer(encryption=context, starts_encrypted=True)) as server:
        await queue.sender(replace(server.settings, tls="tls"))[0].send_due()
        assert len(server.to(alice.email)) == 1


@pytest.mark.expects_error_log  # of aiosmtpd
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_unknown_certificate_is_refused(
    world: World, queue: MailQueue, tmp_path: Path
) -> None:
    await queue.add(await world.person("alice"))
    context, _ = certificate(tmp_path)
    async with mail_server(MailServer(encryption=context)) as server:
        settings = replace(server.settings, tls="starttls", user=USER, password=USERS_PASSWORD)
        with pytest.raises(MailServerUnavailable, match="certificate verify failed"):
            await queue.sender(settings)[0].send_due()
        assert server.recipients == []
    del server
    gc.collect()  # aiosmtpd does not close the socket of a failed handshake


async def test_task_goes_on_when_the_server_is_back(
    world: World,
    serve_more: ServeMore,
    mails: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Requests are answered while the mail server is away, and nothing is lost."""
    monkeypatch.setattr(maintenance, "_FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(maintenance, "_FIRST_WAIT_S", 0.0)
    port = free_port()
    away = replace(mails.settings, port=port)
    async with serve_more(worker_id=1, smtp=away) as server:
        given: dict[str, Any] = {"login": (await world.person("alice")).email}
        async with world.http.post(f"{server.url}/auth/forgot", json=given) as answer:
            assert answer.status == 204
        listening = await asyncio.get_running_loop().create_server(
            mails.protocol, "127.0.0.1", port
        )
        await mails.next(given["login"])
        listening.close()


@pytest.mark.parametrize(
    ("host_name", "named"),
    [
        ("chat.example.org", "chat.example.org"),
        ("192.0.2.7", "[192.0.2.7]"),
        ("2001:db8::7", "[IPv6:2001:db8::7]"),
    ],
)
async def test_name_of_this_server_has_the_form_that_strict_servers_want(
    mails: MailServer, host_name: str, named: str
) -> None:
    greetings: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        greetings.append(await reader.readline())
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        settings = replace(mails.settings, port=port, user=USER, password=USERS_PASSWORD)
        with pytest.raises(MailServerUnavailable):
            await check(settings, host_name=host_name)
    assert greetings == [f"EHLO {named}\r\n".encode()]
