"""Components and forms of applications in the web client."""

from __future__ import annotations

import pytest
from playwright.async_api import FilePayload, expect

from tests.conftest import Server
from tests.helpers.browser import needs_chromium
from tests.helpers.components import (
    button,
    container,
    label,
    link,
    row,
    section,
    select,
    text,
    text_input,
)
from tests.helpers.web_client import client_of, dialog, message, refusing
from tests.world import World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]


async def test_components_reach_their_application(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    bot = await web_world.bot("bot", "alice", guild)
    [client] = await web_world.online("bot")
    colors = select("colors", "red", "blue", "green", max_values=2)
    card = container(section("beside", accessory=button("in", label="Inside")), text("# Title"))
    path = f"/channels/{guild.general.id}/messages"
    rows = [row(button("go"), link()), row(colors)]
    await bot.rest.post(path, {"content": "use me", "components": rows, "embeds": [EMBED]})
    await bot.rest.post(path, {"flags": 1 << 15, "components": [card]})
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        await page.get_by_role("heading", name="Title").wait_for()
        await expect(page.get_by_role("link", name="Go")).to_have_attribute(
            "href", "https://example.org/"
        )
        await page.locator(".embed dt", has_text="Field").wait_for()
        await page.get_by_role("link", name="Picture on example.org").wait_for()

        await page.get_by_role("button", name="Press").click()
        await answer(web_world, (await client.next("INTERACTION_CREATE")).d, "pressed")
        await message(page, "pressed").wait_for()
        await page.get_by_role("checkbox", name="red").check()
        await page.get_by_role("checkbox", name="green").check()
        await page.get_by_role("group", name="Choose").get_by_role("button", name="Send").click()
        used = (await client.next("INTERACTION_CREATE")).d
        assert used["data"]["values"] == ["red", "green"]
        await answer(web_world, used, "chosen")
        await message(page, "chosen").wait_for()
        async with refusing(page, "POST", 500, problems):
            await page.get_by_role("button", name="Inside").click()
            await expect(page.get_by_role("alert")).to_contain_text("has a problem")


async def test_forms_of_applications_are_checked_and_submitted(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob, alice = await web_world.people("bob", "alice")
    bot = await web_world.bot("bot", "alice", guild)
    [client] = await web_world.online("bot")
    path = f"/channels/{guild.general.id}/messages"
    await bot.rest.post(path, {"content": "use me", "components": [row(button("go"))]})
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        press = page.get_by_role("button", name="Press")
        await press.click()
        opened = (await client.next("INTERACTION_CREATE")).d
        await respond(web_world, opened, 9, custom_id="form", title="Report", components=FORM)
        form = dialog(page, "Report")
        name = form.get_by_label("Name")
        await expect(name).to_be_focused()
        await expect(form.get_by_role("strong")).to_have_text("Read this")

        # What is missing or has a wrong length is said at the field, and nothing is sent.
        submit = form.get_by_role("button", name="Submit")
        await submit.click()
        await expect(form.get_by_text("This is missing.")).to_have_count(3)
        await expect(name).to_be_focused()
        await name.fill("👍👍")
        await submit.click()
        await form.get_by_text("Write 3 to 5 characters.").wait_for()
        await name.fill("👍👍👍👍👍")  # ten units of JavaScript, five characters
        await form.get_by_role("searchbox", name="Search: Who").fill(alice.name[:9])
        await form.get_by_label(f"@{alice.name}").check()
        await form.get_by_role("checkbox", name="two").check()
        notes: FilePayload = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"notes"}
        await form.get_by_label("Proof").set_input_files(notes)

        # Whatever the server says, what is entered stays.
        refused = {"components": {"1": {"component": {"value": {"_errors": [REFUSAL]}}}}}
        for status, body, said in (
            (400, {"code": 50035, "message": "", "errors": {"data": refused}}, "No such name"),
            (404, {"code": 10062, "message": "Unknown interaction"}, "This form has expired"),
            (500, None, "The server has a problem"),
        ):
            async with refusing(page, "POST", status, problems, body):
                await submit.click()
                await form.get_by_text(said).wait_for()
        await submit.click()
        sent = (await client.next("INTERACTION_CREATE")).d
        parts = [each.get("component", each) for each in sent["data"]["components"]]
        [file] = sent["data"]["resolved"]["attachments"].values()
        assert (parts[1]["value"], parts[2]["values"]) == ("👍👍👍👍👍", [alice.id])
        assert (parts[3]["values"], parts[4]["values"]) == (["one", "two"], [file["id"]])
        assert file["filename"] == "a.txt"
        await answer(web_world, sent, "reported")
        await message(page, "reported").wait_for()
        await expect(form).to_have_count(0)

        # What is not required may stay empty.
        await press.click()
        opened = (await client.next("INTERACTION_CREATE")).d
        await respond(web_world, opened, 9, custom_id="more", title="Report", components=MORE)
        await expect(form.get_by_label("Details")).to_have_value("**as it was**")
        await form.get_by_label("Color").select_option("blue")
        await form.get_by_role("radio", name="good").check()
        await form.get_by_label("Agreed").check()
        await submit.click()
        sent = (await client.next("INTERACTION_CREATE")).d
        parts = [each.get("component", each) for each in sent["data"]["components"]]
        assert parts[0]["components"][0]["value"] == "**as it was**"
        assert [parts[1]["values"], parts[2]["value"], parts[3]["value"]] == [
            ["blue"],
            "good",
            True,
        ]
        assert parts[4]["values"] == []
        await answer(web_world, sent, "more reported")
        await message(page, "more reported").wait_for()


FORM = [
    text("**Read this**"),
    label(text_input("name", min_length=3, max_length=5), label="Name"),
    label({"type": 5, "custom_id": "who"}, label="Who"),
    label(
        {
            "type": 22,
            "custom_id": "all",
            "options": [
                {"label": "one", "value": "one", "default": True},
                {"label": "two", "value": "two"},
            ],
        },
        label="Any of",
    ),
    label({"type": 19, "custom_id": "file"}, label="Proof"),
]
MORE = [
    row(text_input("details", style=2, label="Details", value="**as it was**")),
    label(select("color", "red", "blue"), label="Color"),
    label(
        {
            "type": 21,
            "custom_id": "how",
            "options": [{"label": each, "value": each} for each in ("good", "bad")],
        },
        label="How is it",
    ),
    label({"type": 23, "custom_id": "agreed"}, label="Agreed"),
    label({"type": 8, "custom_id": "where", "required": False}, label="Where"),
]
REFUSAL = {"code": "X", "message": "No such name"}


EMBED = {
    "title": "Embed",
    "url": "https://example.org/e",
    "color": 255,
    "author": {"name": "Author"},
    "fields": [{"name": "Field", "value": "**value**", "inline": True}],
    "image": {"url": "https://example.org/picture.png"},
    "footer": {"text": "Footer"},
}


async def answer(world: World, interaction: dict[str, str], content: str) -> None:
    """Respond to an interaction with a message."""
    await respond(world, interaction, 4, content=content)


async def respond(world: World, interaction: dict[str, str], kind: int, **data: object) -> None:
    """Respond to an interaction."""
    path = f"/interactions/{interaction['id']}/{interaction['token']}/callback"
    await world.anonymous.post(path, {"type": kind, "data": data})
