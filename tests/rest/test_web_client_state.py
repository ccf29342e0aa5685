"""The state of the web client: after any events, it equals that of a page just opened."""

from __future__ import annotations

import asyncio
import json
import random
import time
from datetime import datetime
from typing import Any

import pytest
from playwright.async_api import Page, Route

from chatd.core import snowflake
from tests.conftest import Server
from tests.gateway.mirror import differences
from tests.helpers.browser import needs_chromium
from tests.helpers.random_acts import Acts
from tests.helpers.web_client import client_of, message, send, until_in_state
from tests.world import TIMEOUT_S, World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

_STATE = """async () => {
    const base = document.querySelector("script[type=module]").src.replace("main.js", "");
    const {state, flush} = await import(base + "state/store.js");
    flush();
    return JSON.stringify(state.value);
}"""


async def state_of(page: Page) -> dict[str, Any]:
    """Return the state of a page, without what depends on what its user has looked at.

    Overwrites and recipients have no order. READY has no read state of a channel without messages
    since the user joined, which all count as read.
    """
    state: dict[str, Any] = json.loads(await page.evaluate(_STATE))
    me = state["me"]["id"]
    joined: dict[str, int] = {}
    for guild in state["guilds"].values():
        since = snowflake.at(datetime.fromisoformat(guild["members"][me]["joined_at"]))
        joined |= dict.fromkeys(guild["channels"], since)
        guild["members"] = {me: _own(guild["members"].get(me))}
        for channel in guild["channels"].values():
            overwrites = {each["id"]: each for each in channel["permission_overwrites"]}
            channel["permission_overwrites"] = overwrites
            channel.pop("last_message_id", None)  # `newest` has it
    shown = {id_ for guild in state["guilds"].values() for id_ in guild["channels"]}
    shown |= state["privates"].keys()
    for name in ("newest", "reads"):
        state[name] = {id_: each for id_, each in state[name].items() if id_ in shown}
    newest = {id_: int(each) for id_, each in state["newest"].items()}
    state["reads"] = {
        id_: each for id_, each in state["reads"].items() if newest.get(id_, 0) > joined.get(id_, 0)
    }
    here = {"@me", *state["guilds"]}  # a page keeps the settings of guilds that its user has left
    state["notices"] = {id_: each for id_, each in state["notices"].items() if id_ in here}
    for channel in state["privates"].values():
        channel.pop("last_message_id")  # `newest` has it, too
        channel["recipients"] = sorted(each["id"] for each in channel["recipients"])
    state["relationships"] = {id_: each["type"] for id_, each in state["relationships"].items()}
    kept = ("me", "guilds", "privates", "relationships", "reads", "newest", "notices", "presences")
    return {name: state[name] for name in kept}


def _own(member: dict[str, Any] | None) -> dict[str, Any] | None:
    return member and {"nick": member["nick"], "roles": sorted(member["roles"])}


@pytest.mark.parametrize("seed", range(2))
async def test_events_lead_to_the_state_of_a_page_just_opened(
    server: Server, world: World, problems: list[str], seed: int
) -> None:
    rng = random.Random(seed)
    guilds = [await world.guild("alice", ["bob", "carol", "dave"]) for _ in range(2)]
    acts = Acts(rng, [world], guilds)
    bob = await world.person("bob")
    address = f"{server.url}/app"
    async with client_of(bob, address, problems) as page:
        for turn in range(20):
            if turn == 10:
                await page.context.set_offline(True)
            await asyncio.gather(*(acts.one() for _ in range(4)))
            if turn == 13:
                await page.context.set_offline(False)
        async with client_of(bob, address, problems) as fresh:
            await fresh.get_by_role("heading", name="Friends").wait_for()  # READY has come
            until = time.monotonic() + TIMEOUT_S
            while found := differences(await state_of(page), await state_of(fresh)):
                assert time.monotonic() < until, "\n".join(found)
                await asyncio.sleep(0.1)
    problems[:] = [each for each in problems if "ERR_INTERNET_DISCONNECTED" not in each]


_TWO_PRESENCES = """async () => {
    const base = document.querySelector("script[type=module]").src.replace("main.js", "");
    const {state, enqueue, flush} = await import(base + "state/store.js");
    const {reduce} = await import(base + "state/reduce.js");
    flush();
    const before = state.value.presences;
    const show = (id, status) => ({type: "PRESENCE_UPDATE", data: {user: {id}, status}});
    enqueue(show("1", "online"));
    enqueue(show("2", "idle"));
    flush();
    const after = state.value.presences;
    reduce(state.value, show("1", "offline"));
    return [before, after, state.value.presences].map((each) => [each["1"], each["2"]]);
}"""


_LEFT_AND_CLOSED = """async () => {
    const base = document.querySelector("script[type=module]").src.replace("main.js", "");
    const {state} = await import(base + "state/store.js");
    const {reduce} = await import(base + "state/reduce.js");
    let now = state.value;
    for (const [id, type] of [["1", 1], ["3", 3]]) {
        now = reduce(now, {type: "CHANNEL_CREATE", data: {id, type, recipients: []}});
        now = reduce(now, {type: "MESSAGE_ACK", data: {channel_id: id, message_id: "9"}});
        now = reduce(now, {type: "CHANNEL_DELETE", data: {id, type}});
    }
    return [now.reads["1"]?.read, now.reads["3"]?.read];
}"""


async def test_what_was_read_is_forgotten_in_groups_that_the_user_left(
    web: Server, web_world: World, problems: list[str]
) -> None:
    bob = await web_world.person("bob")
    async with client_of(bob, f"{web.url}/app", problems) as page:
        assert await page.evaluate(_LEFT_AND_CLOSED) == ["9", None]


async def test_actions_of_a_frame_share_copies_and_leave_shown_states_alone(
    web: Server, web_world: World, problems: list[str]
) -> None:
    bob = await web_world.person("bob")
    async with client_of(bob, f"{web.url}/app", problems) as page:
        shown = await page.evaluate(_TWO_PRESENCES)
    assert shown == [[None, None], ["online", "idle"], ["online", "idle"]]


async def test_first_message_of_a_channel_comes_while_its_page_is_loaded(
    server: Server, world: World, problems: list[str]
) -> None:
    """The empty page that was asked for before says nothing of it."""
    guild = await world.guild(owner="alice", members=["bob"])
    bob, channel = await world.person("bob"), guild.general.id
    async with client_of(bob, f"{server.url}/app/@me", problems) as page:

        async def answer_late(route: Route) -> None:
            response = await route.fetch()
            sent = await send(world, channel, "the first")
            await until_in_state(page, f"newest.{channel}", sent["id"])
            await route.fulfill(response=response)

        await page.route(f"**/channels/{channel}/messages?*", answer_late, times=1)
        await page.goto(f"{server.url}/app/{guild.id}/{channel}")
        await message(page, "the first").wait_for()
        await send(world, channel, "the second")
        await message(page, "the second").wait_for()
