"""Logins of an account, and administrators."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chatd.core.ids import UserId
from chatd.services.accounts import administration
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.world import PASSWORD, Person, Rest, World


async def log_in(world: World, person: Person, user_agent: str = "A client") -> Person:
    """Log in again; return the same person with the tokens of the new login."""
    answer = await world.anonymous.call(
        "POST",
        "/auth/login",
        {"email": person.email, "password": PASSWORD},
        headers={"User-Agent": user_agent},
    )
    token = answer.json["access_token"]
    rest = Rest(world.http, world.url, token)
    return replace(person, token=token, refresh_token=answer.json["refresh_token"], rest=rest)


async def list_logins(person: Person) -> list[dict[str, Any]]:
    """Return the logins of a person's account, the current one first."""
    found: list[dict[str, Any]] = (await person.rest.get("/auth/sessions"))["user_sessions"]
    return found


async def own_hash(person: Person) -> str:
    """Return the hash that identifies the current login."""
    [own] = [each["id_hash"] for each in await list_logins(person) if each["current"]]
    return str(own)


async def administrator(server: Server, world: World, name: str) -> Person:
    """Return a person that is an administrator of the server."""
    person = await world.person(name)
    dependencies = server.runner.app[DEPENDENCIES]
    await administration.set_administrator(dependencies, UserId(int(person.id)), True)
    return person
