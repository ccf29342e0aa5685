"""chatd registration: approval, and blocks of mail domains and networks."""

from __future__ import annotations

from chatd.web.keys import DEPENDENCIES
from tests.cli.conftest import Chatd
from tests.conftest import ServeMore
from tests.helpers.mail import SENDER, mail_server
from tests.world import PASSWORD, world_on


async def test_operator_approves_and_refuses(serve_more: ServeMore, chatd: Chatd) -> None:
    async with (
        serve_more(worker_id=1, registration="approval") as server,
        world_on(server.url, server.gateway_url) as there,
    ):
        for name in ("wait.er", "wait.ress"):
            body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
            await there.anonymous.call("POST", "/auth/register", body)
        rows = (await chatd.well("registration", "waiting")).rows
        assert {"wait.er", "wait.ress"} <= {row[1] for row in rows}
        said = await chatd.well("registration", "approve", "wait.er")
        assert said.output == "Approved wait.er.\n"
        await chatd.well("registration", "refuse", "wait.ress", "--yes")
        rows = (await chatd.well("registration", "waiting")).rows
        assert not {"wait.er", "wait.ress"} & {row[1] for row in rows}
        line = await chatd.refused("registration", "approve", "wait.er")
        assert line == "chatd: This account does not wait for approval"


async def test_operator_sends_a_mail_by_approving(serve_more: ServeMore, chatd: Chatd) -> None:
    async with (
        mail_server() as mails,
        serve_more(worker_id=1, registration="approval", smtp=mails.settings) as server,
        world_on(server.url, server.gateway_url) as there,
    ):
        address = "mail.ed@example.org"
        body = {"username": "mail.ed", "email": address, "password": PASSWORD}
        await there.anonymous.call("POST", "/auth/register", body)
        settings = {"SMTP_HOST": "127.0.0.1", "SMTP_FROM": SENDER, "PUBLIC_URL": server.url}
        sending = Chatd(chatd.folder, {**chatd.environment, **settings})
        await sending.well("registration", "approve", "mail.ed")
        server.runner.app[DEPENDENCIES].mails_due.set()  # instead of its next poll
        notice = await mails.next(address, 2)
        assert notice["Subject"] == "Your account on chatd.test was approved"


async def test_blocks_are_listed_and_removed(chatd: Chatd) -> None:
    (chatd.folder / "list.txt").write_text("# a list\nb.example\n\n198.51.100.0/24 # lab\n")
    words = ("registration", "block", "A.example", "a.example", "--file", "list.txt")
    assert await chatd.json(*words, "--note", "spam") == {"added": 3, "known": 0}
    assert await chatd.json(*words) == {"added": 0, "known": 3}
    rows = (await chatd.well("registration", "blocked")).rows
    assert [row[:2] for row in rows] == [
        ["a.example", "spam"],
        ["b.example", "spam"],
        ["198.51.100.0/24", "spam"],
    ]
    for value in ("a.example", "b.example", "198.51.100.0/24"):
        await chatd.well("registration", "unblock", value)
    assert await chatd.refused("registration", "unblock", "a.example") == (
        "chatd: 'a.example' is not blocked"
    )
    line = await chatd.refused("registration", "block", "192.0.2.1/24", code=2)
    assert line.startswith("chatd: '192.0.2.1/24' is not a network like 192.0.2.0/24")
