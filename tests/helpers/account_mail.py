"""Accounts with mail: the links in mails, and requests that use them."""

from __future__ import annotations

import secrets

from tests.helpers.mail import MailServer, link
from tests.world import Answer, Person, Rest, World

NEW = "Password456!"
OTHER = "Password789!"


def fresh_email() -> str:
    """Return an address that no account has."""
    return f"new.{secrets.token_hex(6)}@example.org"


async def token_in_mail(mails: MailServer, address: str, page: str, count: int = 1) -> str:
    """Wait for a mail; return the token of its link, which opens this page."""
    found, token = link(await mails.next(address, count))
    assert found == page
    return token


async def verified(world: World, mails: MailServer, name: str) -> Person:
    """Return a person with a verified address, which has received one mail."""
    person = await world.person(name)
    token = await token_in_mail(mails, person.email, "verify")
    await world.anonymous.post("/auth/verify", {"token": token})
    return person


async def try_login(world: World, email: str, password: str) -> Answer:
    """Return the answer to a login."""
    return await world.anonymous.call("POST", "/auth/login", {"email": email, "password": password})


async def use(rest: Rest, page: str, token: str, password: str = NEW) -> Answer:
    """Use the link of a mail as its page does, with a new password if it needs one."""
    given = {"token": token} if page == "verify" else {"token": token, "password": password}
    return await rest.call("POST", f"/auth/{page}", given)


def is_invalid(answer: Answer) -> bool:
    """Return whether a link was refused."""
    return answer.status == 400 and "TOKEN_INVALID" in answer.raw.decode()
