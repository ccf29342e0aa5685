"""Placeholders of imported authors, and claiming them."""

from __future__ import annotations

import asyncio

import pytest

from chatd.core.errors import UnknownUser
from chatd.core.ids import UserId
from chatd.services.accounts import claims
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.transfer.conftest import Importer
from tests.world import PASSWORD, Answer, Rest, World, like


async def imported(world: World, importer: Importer, *, bot: bool = False) -> tuple[str, str, str]:
    """Import a message; return its channel, its author and the author's name."""
    general = importer.channel(1)
    general.add(importer.user(1, "grace", isBot=bot), "first")
    general.write(importer.folder)
    await importer.run(await world.person("owner"))
    path = f"/channels/{general.channel_id}/messages"
    [message] = await world.rest("owner").get(path)
    return path, message["author"]["id"], message["author"]["username"]


async def code_for(server: Server, user_id: str) -> str:
    deps = server.runner.app[DEPENDENCIES]
    made = await claims.create_code(deps, UserId(int(user_id)), lifetime_s=60)
    return made.code


async def claim(world: World, code: str, name: str, email: str) -> Answer:
    body = {"username": name, "email": email, "password": PASSWORD, "invitation": code}
    return await world.anonymous.call("POST", "/auth/register", body)


async def test_claimed_account_has_its_messages_and_guilds(
    world: World, server: Server, importer: Importer
) -> None:
    path, author_id, name = await imported(world, importer)
    [client] = await world.online("owner")
    code = await code_for(server, author_id)
    answer = await claim(world, code, name, f"{author_id}@example.org")
    assert answer.status == 201
    assert answer.json["user"] == like(id=author_id, username=name)
    changed = await client.next("GUILD_MEMBER_UPDATE")
    assert changed.d["user"] == like(id=author_id)
    grace = Rest(world.http, world.url, answer.json["access_token"])
    assert [each["content"] for each in await grace.get(path)] == ["first"]
    again = await claim(world, code, "somebody else", "else@example.org")
    assert (again.status, again.code) == (400, 50035)


async def test_code_claims_once_however_often_it_is_sent_at_once(
    world: World, server: Server, importer: Importer
) -> None:
    _, author_id, _ = await imported(world, importer)
    code = await code_for(server, author_id)
    answers = await asyncio.gather(
        *(claim(world, code, f"claimer {n}", f"{author_id}-{n}@example.org") for n in range(4))
    )
    assert sorted(each.status for each in answers) == [201, 400, 400, 400]
    assert [each.json["user"]["id"] for each in answers if each.status == 201] == [author_id]


async def test_refused_claim_leaves_the_code_valid(
    world: World, server: Server, importer: Importer
) -> None:
    _, author_id, name = await imported(world, importer)
    owner = await world.person("owner")
    code = await code_for(server, author_id)
    taken = await claim(world, code, owner.name, f"{author_id}@example.org")
    assert (taken.status, taken.code) == (400, 50035)
    assert (await claim(world, code, name, f"{author_id}@example.org")).status == 201


async def test_only_placeholders_of_persons_can_be_claimed(
    world: World, server: Server, importer: Importer
) -> None:
    _, bot_id, _ = await imported(world, importer, bot=True)
    owner = await world.person("owner")
    for user_id in (bot_id, owner.id):
        with pytest.raises(UnknownUser):
            await code_for(server, user_id)
    profile = await owner.rest.call("GET", f"/users/{bot_id}/profile")
    assert profile.status == 200


async def test_nobody_logs_in_as_a_placeholder(world: World, importer: Importer) -> None:
    _, author_id, _ = await imported(world, importer)
    for email in ("", "None", author_id):
        answer = await world.anonymous.call("POST", "/auth/login", {"login": email, "password": ""})
        assert answer.status == 400
