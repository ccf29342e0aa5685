"""The use of commands, selects and modals: what applications receive, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import orjson
import pytest

from chatd.core.permissions import Permissions
from chatd.db.pool import Database
from tests.helpers.attachments import Counted
from tests.helpers.commands import Commands
from tests.helpers.interactions import Received, Stage, interaction_stage
from tests.world import Answer, Guild, Person, World, like

TEXT = {"type": 3, "name": "text", "description": "A text", "required": True}
WHO = {"type": 6, "name": "who", "description": "A user"}
WHERE = {"type": 7, "name": "where", "description": "A channel", "channel_types": [0]}


class Say:
    """A guild with a command `say` of a bot, and a member bob."""

    def __init__(self, stage: Stage, bob: Person, command_id: str) -> None:
        self.stage = stage
        self.bob = bob
        self.command_id = command_id

    def body(self, *options: Any, kind: int = 2, **changes: Any) -> dict[str, Any]:
        data = {"id": self.command_id, "name": "say", "type": 1, "options": list(options)}
        return {**self.stage.body(), "type": kind, "data": {**data, **changes}}

    async def use(self, *options: Any, **changes: Any) -> Received:
        await self.bob.rest.post("/interactions", self.body(*options, **changes))
        return await self.stage.received()

    async def refused(self, body: Any) -> Answer:
        answer = await self.bob.rest.call("POST", "/interactions", body)
        assert 400 <= answer.status < 500, answer.raw
        return answer


@pytest.fixture
async def say(world: World, database: Database) -> Say:
    stage = await interaction_stage(world, database, "bob")
    command_id = await Commands(stage.bot).add("say", options=[TEXT, WHO, WHERE])
    return Say(stage, await world.person("bob"), command_id)


def text(value: Any = "hi", **more: Any) -> dict[str, Any]:
    return {"type": 3, "name": "text", "value": value, **more}


def who(user_id: str) -> dict[str, Any]:
    return {"type": 6, "name": "who", "value": user_id}


def where(channel_id: str) -> dict[str, Any]:
    return {"type": 7, "name": "where", "value": channel_id}


async def test_command_reaches_its_application_with_the_objects_it_names(
    say: Say, world: World
) -> None:
    guild = say.stage.guild
    carol = await world.person("carol")  # who is not in the guild
    options = [text(), who(carol.id), where(guild.general.id)]
    payload = (await say.use(*options)).payload
    assert payload["type"] == 2
    data = payload["data"]
    assert (data["id"], data["name"], data["type"]) == (say.command_id, "say", 1)
    assert data["options"] == options
    assert data["resolved"]["users"] == {carol.id: like(username=carol.name)}
    assert "members" not in data["resolved"]
    assert data["resolved"]["channels"] == {guild.general.id: like(name="general", type=0)}
    member = (await say.use(text(), who(say.bob.id))).payload["data"]["resolved"]
    assert member["members"][say.bob.id].keys() >= {"roles", "permissions"}
    assert "user" not in member["members"][say.bob.id]


async def test_options_that_do_not_fit_are_refused(say: Say, world: World) -> None:
    guild = say.stage.guild
    hidden = await guild.channel("hidden")
    deny = {"type": 0, "deny": str(int(Permissions.VIEW_CHANNEL))}
    await guild.owner.rest.put(f"/channels/{hidden.id}/permissions/{guild.id}", deny)
    category = await guild.channel("category", type=4)
    misfits: list[Any] = [
        [],  # the required one is missing
        [text(5)],
        [text("x" * 6001)],
        [text(), text()],
        [text(), who("1")],
        [text(), who("x")],
        [text(), where(hidden.id)],
        [text(), where(category.id)],  # of a type that the option excludes
        [text(), {"type": 3, "name": "other", "value": "x"}],
        [{"type": 1, "name": "sub", "options": []}],
        "x",
        [[]] * 3,
        [None],
    ]
    for options in misfits:
        body = say.body()
        body["data"]["options"] = options
        assert (await say.refused(body)).code == 50035, options
    await say.use(text())  # nothing of these has reached the application


async def test_commands_that_are_not_there_are_refused(
    say: Say, world: World, database: Database
) -> None:
    other = await world.bot("other", "alice", say.stage.guild)
    elsewhere = await world.guild(owner="alice")
    await world.person("alice")
    foreign = await Commands(other).add("foreign")
    for command_id in (foreign, "1", say.stage.bot.id):
        assert (await say.refused(say.body(text(), id=command_id))).code == 10063, command_id
    of_other = {**say.body(text()), "application_id": other.id}
    assert (await say.refused(of_other)).code == 10063
    ids: list[Any] = [None, "x", "9" * 30, [], {}]
    for malformed in ids:
        assert (await say.refused(say.body(text(), id=malformed))).code == 50035, malformed
    assert (await say.refused(say.body(text(), version="x"))).code == 50035
    outdated = await say.refused(say.body(text(), version="1"))
    [error] = outdated.json["errors"]["data"]["version"]["_errors"]
    assert error["code"] == "INTERACTION_APPLICATION_COMMAND_INVALID_VERSION"
    in_other = {**say.body(text()), "channel_id": elsewhere.general.id, "guild_id": elsewhere.id}
    assert (await say.refused(in_other)).status in (403, 404)
    in_wrong = {**say.body(text()), "guild_id": elsewhere.id}
    assert (await say.refused(in_wrong)).code == 10003
    unknown = {**say.body(text()), "application_id": "1"}
    assert (await say.refused(unknown)).code == 10002


async def test_categories_have_no_interactions(say: Say) -> None:
    """Their applications could not respond."""
    category = await say.stage.guild.channel("category", type=4)
    answer = await say.refused({**say.body(text()), "channel_id": category.id})
    assert (answer.status, answer.code) == (400, 50008)


async def test_channel_of_a_form_is_the_one_that_was_authorized(
    say: Say, pending_uploads: Counted
) -> None:
    """A part after a file could name another channel."""
    other = await say.stage.guild.channel("other")
    second = {**say.body(text()), "channel_id": other.id}
    for name, value in (
        ("payload_json", orjson.dumps(second).decode()),
        ("channel_id", other.id),
    ):
        form = aiohttp.FormData()
        form.add_field("payload_json", orjson.dumps(say.body(text())).decode())
        form.add_field("files[0]", b"data", filename="a.txt")
        form.add_field(name, value)
        answer = await say.bob.rest.call("POST", "/interactions", data=form)
        assert (answer.status, answer.code) == (400, 50035)
    assert pending_uploads() == 0


async def _without_commands(guild: Guild, bob: Person) -> None:
    allowed = Permissions.VIEW_CHANNEL | Permissions.SEND_MESSAGES
    path = f"/guilds/{guild.id}/roles/{guild.id}"
    await guild.owner.rest.patch(path, {"permissions": str(int(allowed))})


async def _timed_out(guild: Guild, bob: Person) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    path = f"/guilds/{guild.id}/members/{bob.id}"
    await guild.owner.rest.patch(path, {"communication_disabled_until": until})


async def _without_channel(guild: Guild, bob: Person) -> None:
    deny = {"type": 1, "deny": str(int(Permissions.VIEW_CHANNEL))}
    await guild.owner.rest.put(f"/channels/{guild.general.id}/permissions/{bob.id}", deny)


@pytest.mark.parametrize("forbid", [_without_commands, _timed_out, _without_channel])
async def test_who_may_not_use_commands_is_refused(say: Say, forbid: Any) -> None:
    await forbid(say.stage.guild, say.bob)
    answer = await say.refused(say.body(text()))
    assert (answer.status, answer.code) in ((403, 50001), (403, 50013))


async def test_completion_has_the_options_so_far(say: Say) -> None:
    completing = {**TEXT, "autocomplete": True}
    path = f"/applications/{say.stage.bot.id}/commands/{say.command_id}"
    await say.stage.bot.rest.patch(path, {"options": [completing]})
    typed = text("h", focused=True)
    received = await say.use(typed, kind=4)
    assert received.payload["type"] == 4
    assert received.payload["data"]["options"] == [typed]
    message = await received.try_to_respond({"type": 4, "data": {"content": "x"}})
    assert (message.status, message.code) == (400, 50035)
    many = [{"name": "x", "value": "x"}] * 26
    answer = await received.try_to_respond({"type": 8, "data": {"choices": many}})
    assert (answer.status, answer.code) == (400, 50035)
    await received.respond(8, choices=many[:25])


MODAL = {
    "custom_id": "form",
    "title": "Form",
    "components": [
        {
            "type": 1,
            "components": [
                {"type": 4, "custom_id": "name", "label": "Name", "style": 1, "max_length": 5}
            ],
        }
    ],
}


def submission(opened: Received, **changes: Any) -> dict[str, Any]:
    row = {"type": 1, "components": [{"type": 4, "custom_id": "name", "value": "Bob"}]}
    return {"id": opened.id, "custom_id": "form", "components": [row], **changes}


async def test_submission_belongs_to_the_modal_that_was_shown(say: Say, world: World) -> None:
    opened = await say.use(text())
    await opened.respond(9, **MODAL)
    base = {**say.body(), "type": 5}
    long = {"type": 1, "components": [{"type": 4, "custom_id": "name", "value": "too long"}]}
    foreign = {"type": 1, "components": [{"type": 4, "custom_id": "other", "value": "x"}]}
    misfits: list[Any] = [[long], [foreign], "x", [[]], [None]]
    for components in misfits:
        body = {**base, "data": submission(opened, components=components)}
        assert (await say.refused(body)).code == 50035, components
    for name, value in (("id", "1"), ("id", None), ("custom_id", "other"), ("custom_id", 5)):
        body = {**base, "data": submission(opened, **{name: value})}
        assert (await say.refused(body)).code == 10062, (name, value)
    alice = await world.person("alice")
    stolen = {**base, "data": submission(opened)}
    assert (await alice.rest.call("POST", "/interactions", stolen)).code == 10062
    await say.bob.rest.post("/interactions", {**base, "data": submission(opened)})
    submitted = await say.stage.received()
    assert submitted.payload["type"] == 5
    again = await submitted.try_to_respond({"type": 9, "data": MODAL})
    assert (again.status, again.code) == (400, 50035)  # a modal does not follow a modal
    sent = await submitted.respond(4, content="thanks")
    message = sent["resource"]["message"]
    metadata = message["interaction_metadata"]
    assert metadata["triggering_interaction_metadata"]["id"] == opened.id


async def test_modal_was_shown_only_if_it_was_the_response(say: Say) -> None:
    received = await say.use(text())
    await received.respond(4, content="no modal")
    body = {**say.body(), "type": 5, "data": submission(received)}
    assert (await say.refused(body)).code == 10062


SELECT = {
    "type": 1,
    "id": 1,
    "components": [
        {
            "type": 3,
            "id": 2,
            "custom_id": "color",
            "min_values": 1,
            "max_values": 2,
            "options": [{"label": each, "value": each} for each in ("red", "green", "blue")],
        }
    ],
}


async def test_selects_offer_what_can_be_chosen(world: World, database: Database) -> None:
    stage = await interaction_stage(world, database, "bob", components=[SELECT])
    bob = await world.person("bob")
    for values in ([], ["red", "red"], ["red", "green", "blue"], ["black"], [1], "red", None):
        body = stage.body(data={"component_type": 3, "custom_id": "color", "values": values})
        answer = await bob.rest.call("POST", "/interactions", body)
        assert (answer.status, answer.code) == (400, 50035), values
    data = {"component_type": 3, "custom_id": "color", "values": ["blue", "red"]}
    received = await stage.click(bob, data=data)
    assert received.payload["data"]["values"] == ["blue", "red"]


async def test_application_of_a_user_works_in_guilds_without_its_bot(
    world: World, database: Database
) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bot = await world.bot("bot", "dave")
    bob = await world.person("bob")
    command_id = await Commands(bot).add("anywhere", integration_types=[1], contexts=[0, 1, 2])
    await bob.rest.post(
        f"/oauth2/authorize?client_id={bot.id}&scope=applications.commands&integration_type=1",
        {"authorize": True},
    )
    [client, bobs] = await world.online("bot", "bob")
    body = {
        "type": 2,
        "application_id": bot.id,
        "guild_id": guild.id,
        "channel_id": guild.general.id,
        "data": {"id": command_id, "name": "anywhere", "type": 1},
    }
    carol = await world.person("carol")  # who has not added it
    assert (await carol.rest.call("POST", "/interactions", body)).code == 10002
    await bob.rest.post("/interactions", body)
    received = Received((await client.next("INTERACTION_CREATE")).d, world.anonymous)
    assert received.payload["authorizing_integration_owners"] == {"1": bob.id}
    await received.respond(4, content="here")
    sent = (await bobs.next("MESSAGE_CREATE")).d
    owners = sent["interaction_metadata"]["authorizing_integration_owners"]
    assert (sent["content"], owners) == ("here", {"1": bob.id})

    deny = {"type": 0, "deny": str(int(Permissions.USE_EXTERNAL_APPS))}
    path = f"/channels/{guild.general.id}/permissions/{guild.id}"
    await guild.owner.rest.put(path, deny)
    assert (await bob.rest.call("POST", "/interactions", body)).code == 50013


async def _ban(guild: Guild, bob: Person) -> None:
    await guild.owner.rest.put(f"/guilds/{guild.id}/bans/{bob.id}", {})


async def _without_external_apps(guild: Guild, bob: Person) -> None:
    deny = {"type": 1, "deny": str(int(Permissions.USE_EXTERNAL_APPS))}
    await guild.owner.rest.put(f"/channels/{guild.general.id}/permissions/{bob.id}", deny)


@pytest.mark.parametrize("forbid", [_ban, _timed_out, _without_channel, _without_external_apps])
async def test_application_of_a_user_may_send_what_the_user_may(world: World, forbid: Any) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot, bob = await world.bot("bot", "bob"), await world.person("bob")
    command_id = await Commands(bot).add("anywhere", integration_types=[1], contexts=[0, 1, 2])
    path = f"/oauth2/authorize?client_id={bot.id}&scope=applications.commands&integration_type=1"
    await bob.rest.post(path, {"authorize": True})
    [client] = await world.online("bot")
    body = {
        "type": 2,
        "application_id": bot.id,
        "guild_id": guild.id,
        "channel_id": guild.general.id,
        "data": {"id": command_id, "name": "anywhere", "type": 1},
    }
    await bob.rest.post("/interactions", body)
    received = Received((await client.next("INTERACTION_CREATE")).d, world.anonymous)
    await received.respond(4, content="here")
    await forbid(guild, bob)
    answer = await world.anonymous.call("POST", received.webhook, {"content": "still here"})
    assert answer.status == 403
    assert answer.code in (50001, 50013)
    page = await guild.owner.rest.get(f"/channels/{guild.general.id}/messages")
    assert [each["content"] for each in page] == ["here"]
