"""What is typed, pasted and dropped in the web client: input methods, code, tables, folders."""

from __future__ import annotations

import asyncio
import base64
import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.conftest import Server
from tests.helpers.attachments import png_bytes
from tests.helpers.browser import devtools, needs_chromium
from tests.helpers.web_client import (
    client_of,
    message,
    refusing,
    send,
    stored_message,
    write,
)
from tests.world import World

pytestmark = [needs_chromium, pytest.mark.usefixtures("browser")]

_COMPOSE = """(target, [key, init]) => target.dispatchEvent(
    new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true, ...init}))"""
"""Presses a key for an input method: its conversion is ended by Enter or Escape."""

_INPUT_METHODS = ({"isComposing": True}, {"keyCode": 229})
"""What browsers say of such a key. Safari sends it after the end of the composition."""

_PASTE = """(field, {texts, picture}) => {
    const data = new DataTransfer();
    for (const [type, text] of Object.entries(texts)) data.setData(type, text);
    const bytes = Uint8Array.from(atob(picture), (each) => each.charCodeAt(0));
    data.items.add(new File([bytes], "image.png", {type: "image/png"}));
    field.dispatchEvent(
        new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}"""
"""Pastes a picture, with the same content in other formats."""

_DRAG_OVER = """(target) => {
    const data = new DataTransfer();
    data.items.add(new File(["x"], "a.txt"));
    return ["dragover", "drop"].map((type) => !target.dispatchEvent(
        new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true})));
}"""
"""Drags a file to a place of the page. Returns whether the page takes what happens there."""

_SELECT_AT_ONCE = """() => new MutationObserver((_, observer) => {
    const field = document.querySelector(".editor textarea");
    if (field === null) return;
    observer.disconnect();
    field.focus();
    field.select();
    requestAnimationFrame(() => setTimeout(() => {
        document.execCommand("insertText", false, "other");
    }, 100));
}).observe(document.body, {childList: true, subtree: true})"""
"""Selects all in the field for edits when it appears, and types after that is shown."""


async def compose(field: Locator, key: str) -> None:
    for init in _INPUT_METHODS:
        await field.evaluate(_COMPOSE, [key, init])


async def test_keys_of_an_input_method_do_nothing_else(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob, alice = await web_world.people("bob", "alice")
    await send(web_world, guild.general.id, "to answer")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        field = page.get_by_role("textbox", name="Write a message")
        await write(page, "mine")
        await page.locator(".message[data-id]", has_text="mine").wait_for()

        await page.locator(".message", has_text="to answer").focus()
        await page.keyboard.press("r")
        await field.press_sequentially(f"@{alice.name[:9]}")
        await page.get_by_role("option").first.wait_for()
        for key in ("Enter", "Tab", "ArrowDown", "Escape"):
            await compose(field, key)
        await expect(page.get_by_role("option").first).to_have_attribute("aria-selected", "true")
        await field.fill("にほん")
        await compose(field, "Enter")
        await compose(field, "Escape")
        await expect(field).to_have_value("にほん")
        await page.get_by_text("Reply to alice").wait_for()

        await field.fill("")
        await field.press("ArrowUp")
        editor = page.get_by_role("textbox", name="Edit the message")
        await editor.fill("にほんご")
        await compose(editor, "Escape")
        await compose(editor, "Enter")
        await expect(editor).to_have_value("にほんご")
        await editor.press("Escape")

        await page.get_by_role("button", name="Emoji", exact=True).click()
        search = page.get_by_role("searchbox", name="Search emoji")
        await search.fill("cat")
        await compose(search, "Enter")
        await compose(search, "Escape")
        await expect(search).to_have_value("cat")
        await search.press("Escape")
        await page.get_by_role("button", name="Search", exact=True).click()
        words = page.get_by_role("searchbox", name="Words")
        await compose(words, "Escape")
        await words.wait_for()
        await words.press("Escape")

        await page.get_by_role("button", name="Settings").click()
        name = page.get_by_label("Display name")
        await compose(name, "Escape")
        await name.wait_for()
        assert len(await bob.rest.get(f"/channels/{guild.general.id}/messages")) == 2


async def test_code_is_sent_as_it_is_typed_and_changes_can_be_undone(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob, alice = await web_world.people("bob", "alice")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        field = page.get_by_role("textbox", name="Write a message")
        options = page.get_by_role("option")
        await field.press_sequentially(":tada")
        await expect(options.first).to_contain_text("🎉")
        await field.press_sequentially(":")
        await expect(field).to_have_value("🎉")
        await page.keyboard.press("Control+z")
        await expect(field).to_have_value(re.compile("^:tada"))

        # Names are completed outside of code only; in inline code no emoji are.
        await field.fill("")
        await field.press_sequentially(f"a @{alice.name[:9]}")
        await options.first.wait_for()
        await page.keyboard.press("Enter")
        await expect(field).to_have_value(f"a @{alice.name} ")
        await page.keyboard.press("Control+z")
        await expect(field).to_have_value(f"a @{alice.name[:9]}")
        await field.fill("")
        await field.press_sequentially("`dict[1:tada:]` :tad")
        await options.first.wait_for()
        await expect(field).to_have_value("`dict[1:tada:]` :tad")
        await field.fill("")
        await field.press_sequentially("```\n(@al\n[:tada:]\n(:tad")
        await expect(options).to_have_count(0)
        await page.keyboard.press("Enter")
        await field.press_sequentially("```\nend")
        await page.keyboard.press("Enter")
        await expect(page.locator(".message[data-id] code")).to_have_text("(@al\n[:tada:]\n(:tad")


async def test_edit_is_neither_cut_nor_lost_while_it_is_saved(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        field = page.get_by_role("textbox", name="Write a message")
        await write(page, "mine")
        await page.locator(".message[data-id]", has_text="mine").wait_for()
        await field.press("ArrowUp")
        editor = page.get_by_role("textbox", name="Edit the message")
        await editor.fill("")
        await page.keyboard.insert_text("x" * 2003)
        await page.get_by_text("3 characters too long.").wait_for()
        await expect(page.get_by_role("button", name="Save")).to_be_disabled()
        await page.keyboard.press("Enter")
        await expect(editor).to_have_value("x" * 2003)
        # As many emoji as characters are permitted.
        await editor.fill("🎉" * 2000)
        await expect(page.get_by_role("button", name="Save")).to_be_enabled()

        # The key is pressed twice, and the first request fails.
        await editor.fill("changed")
        answered = asyncio.Event()

        async def slow(route: Route) -> None:
            await answered.wait()
            await route.fallback()

        async with refusing(page, "PATCH", 500, problems):
            await page.route("**/messages/*", slow)
            await editor.press("Enter")
            await editor.press("Enter")
            answered.set()
            await expect(page.get_by_role("alert")).to_contain_text("The server has a problem")
            await expect(editor).to_have_value("changed")
        await editor.press("Enter")
        await message(page, "changed").wait_for()


async def test_what_is_typed_while_an_edit_is_saved_stays(
    web: Server, web_world: World, problems: list[str]
) -> None:
    """In the same field, or in that of another message."""
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        field = page.get_by_role("textbox", name="Write a message")
        editor = page.get_by_role("textbox", name="Edit the message")
        asked, answered = asyncio.Event(), asyncio.Event()

        async def slow(route: Route) -> None:
            if route.request.method == "PATCH":
                asked.set()
                await answered.wait()
            await route.fallback()

        await page.route("**/messages/*", slow)
        await write(page, "first")
        await stored_message(page, "first").wait_for()
        await field.press("ArrowUp")
        await editor.fill("changed")
        await editor.press("Enter")
        await asked.wait()
        await editor.press_sequentially(" and more")
        answered.set()
        await expect(page.get_by_role("button", name="Save")).to_be_enabled()
        await expect(editor).to_have_value("changed and more")

        asked.clear()
        answered.clear()
        await editor.press("Enter")
        await asked.wait()
        await write(page, "second")
        await message(page, "second").wait_for()
        await field.press("ArrowUp")
        await expect(editor).to_have_value("second")
        await editor.fill("typed")
        answered.set()
        await message(page, "changed and more").wait_for()
        await expect(editor).to_have_value("typed")
        await editor.press("Enter")
        await message(page, "typed").wait_for()
        await expect(editor).to_be_hidden()


async def test_text_that_is_selected_at_once_is_replaced(
    web: Server, web_world: World, problems: list[str]
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        await write(page, "mine")
        await page.locator(".message[data-id]", has_text="mine").wait_for()
        await page.evaluate(_SELECT_AT_ONCE)
        await page.get_by_role("textbox", name="Write a message").press("ArrowUp")
        editor = page.get_by_role("textbox", name="Edit the message")
        await expect(editor).to_have_value(re.compile("other"))
        assert await editor.input_value() == "other"


async def test_pasted_tables_are_text_and_folders_are_refused(
    web: Server, web_world: World, problems: list[str], tmp_path: Path
) -> None:
    guild = await web_world.guild(owner="alice", members=["bob"])
    bob = await web_world.person("bob")
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a file.txt").write_text("x")
    picture = base64.b64encode(png_bytes(4, 4)).decode()
    table = {"text/plain": "1\t2", "text/html": "<table><td>1<td>2</table>"}
    async with client_of(bob, f"{web.url}/app/{guild.id}/{guild.general.id}", problems) as page:
        field = page.get_by_role("textbox", name="Write a message")
        files = page.get_by_role("list", name="Files")
        # Spreadsheets copy a picture of the cells, too. Browsers copy a picture with its HTML.
        await field.evaluate(_PASTE, {"texts": table, "picture": picture})
        await field.evaluate(_PASTE, {"texts": {"text/html": "<img>"}, "picture": picture})
        await field.evaluate(_PASTE, {"texts": {"text/plain": "image.png"}, "picture": picture})
        await expect(files.locator("li")).to_have_count(2)

        # Pictures of the page that are dragged are not files of the user.
        await page.evaluate(
            "document.body.dispatchEvent(new DragEvent('dragstart', {bubbles: true}))"
        )
        await field.evaluate(_DRAG_OVER)
        await page.evaluate(
            "document.body.dispatchEvent(new DragEvent('dragend', {bubbles: true}))"
        )
        await drop(page, field, tmp_path / "a folder", tmp_path / "a file.txt")
        await page.get_by_text("a folder cannot be read.").wait_for()
        await expect(files.locator("li")).to_have_count(3)
        await files.get_by_text("a file.txt").wait_for()

        # A file that is gone when it is sent.
        gone = tmp_path / "gone.txt"
        gone.write_text("x")
        await page.locator("input[type=file]").set_input_files(gone)
        await expect(files.locator("li")).to_have_count(4)
        gone.unlink()
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.locator(".pending").get_by_role("alert")).to_contain_text(
            "gone.txt cannot be read."
        )
        problems[:] = [each for each in problems if "ERR_" not in each]

        # Where no message is written, a dropped file does not replace the page.
        for path in (f"/app/{guild.id}/{guild.general.id}", "/app/@me", "/app/settings"):
            await page.goto(web.url + path)
            await page.locator("main").wait_for()
            # Not `main`: an event does not leave an element that is replaced meanwhile.
            assert await page.locator("body").evaluate(_DRAG_OVER) == [True, True]


async def drop(page: Page, target: Locator, *paths: Path) -> None:
    """Drop files of the computer."""
    box = await target.bounding_box()
    assert box is not None
    data = {"items": [], "files": [str(each) for each in paths], "dragOperationsMask": 1}
    session = await devtools(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        where = {"x": box["x"] + 9, "y": box["y"] + 9}
        await session.send("Input.dispatchDragEvent", {"type": kind, "data": data, **where})
