"""discord.py builds, sends, reads and edits components as it does with Discord."""

from __future__ import annotations

import io
from typing import Any

import discord
import pytest
from discord import ui

from tests.helpers.attachments import png_bytes
from tests.helpers.discord_py import running
from tests.world import World


def parts_of(view: Any) -> Any:
    """Return the components of a view without their ids."""
    return without_ids(view.to_components())


def without_ids(components: Any) -> Any:
    """Return components without their ids, which discord.py sends back as it received them."""
    if isinstance(components, list):
        return [without_ids(each) for each in components]
    if not isinstance(components, dict):
        return components
    if isinstance(components.get("type"), str):  # a default value, whose id is a number at first
        return {**components, "id": str(components["id"])}
    is_component = "type" in components
    return {
        key: without_ids(each)
        for key, each in components.items()
        if not (is_component and key == "id")
    }


def buttons() -> ui.View:
    """A view with buttons of all styles, and the five selects."""
    view = ui.View(timeout=None)
    emoji = discord.PartialEmoji(name="wave", id=41771983423143936, animated=True)
    view.add_item(ui.Button(label="Go", url="https://example.org/?a=b", row=0))
    for number, style in enumerate(("primary", "secondary", "success", "danger")):
        view.add_item(
            ui.Button(
                label=style,
                style=discord.ButtonStyle[style],
                custom_id=style,
                disabled=number == 1,
                emoji=emoji if number == 2 else "👍" if number == 3 else None,
                row=0,
            )
        )
    options = [
        discord.SelectOption(label="Red", value="r", description="warm", emoji="🔴", default=True),
        discord.SelectOption(label="Blue", value="b", emoji=emoji),
    ]
    view.add_item(
        ui.Select(
            custom_id="colors", options=options, placeholder="Choose", min_values=0, max_values=2
        )
    )
    return view


def selects() -> ui.View:
    """A view with the selects whose options Discord fills in."""
    view = ui.View(timeout=None)
    object_type = discord.SelectDefaultValueType
    user = discord.SelectDefaultValue(id=5, type=object_type.user)
    role = discord.SelectDefaultValue(id=6, type=object_type.role)
    channel = discord.SelectDefaultValue(id=7, type=object_type.channel)
    view.add_item(ui.UserSelect(custom_id="users", default_values=[user]))
    view.add_item(ui.RoleSelect(custom_id="roles", disabled=True, default_values=[role]))
    view.add_item(ui.MentionableSelect(custom_id="both", max_values=2, default_values=[user, role]))
    kinds = [discord.ChannelType.text, discord.ChannelType.category]
    view.add_item(
        ui.ChannelSelect(custom_id="channels", channel_types=kinds, default_values=[channel])
    )
    return view


def layout() -> tuple[ui.LayoutView, list[discord.File]]:
    """A layout with every component of version 2, and the files that it shows."""
    picture = discord.File(io.BytesIO(png_bytes()), "picture.png")
    notes = discord.File(io.BytesIO(b"notes"), "notes.txt")
    view = ui.LayoutView(timeout=None)
    box: ui.Container[Any] = ui.Container(accent_colour=0x3498DB, spoiler=True)
    box.add_item(ui.TextDisplay("# Title"))
    box.add_item(
        ui.Section("one", "two", accessory=ui.Thumbnail(picture, description="black", spoiler=True))
    )
    press: ui.Button[Any] = ui.Button(label="Press", custom_id="press")
    box.add_item(ui.Section(ui.TextDisplay("beside"), accessory=press))
    box.add_item(ui.Separator(visible=False, spacing=discord.SeparatorSpacing.large))
    gallery: ui.MediaGallery[Any] = ui.MediaGallery()
    gallery.add_item(media="https://example.org/a.png", description="far away")
    gallery.add_item(media="attachment://picture.png", spoiler=True)
    box.add_item(gallery)
    box.add_item(ui.File(notes, spoiler=True))
    row: ui.ActionRow[Any] = ui.ActionRow()
    row.add_item(ui.UserSelect(custom_id="who"))
    box.add_item(row)
    view.add_item(box)
    view.add_item(ui.TextDisplay("below"))
    view.add_item(ui.ActionRow(ui.Button(label="Docs", url="https://example.org")))
    return view, [picture, notes]


async def channel_of(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    return running(bot.token, monkeypatch, world), int(guild.general.id)


async def test_views_are_read_back_as_they_were_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, channel_id = await channel_of(world, monkeypatch)
    async with started as client:
        channel = client.get_channel(channel_id)
        for view in (buttons(), selects()):
            sent = await channel.send("choose", view=view)
            read = await channel.fetch_message(sent.id)
            for message in (sent, read):
                shown: Any = ui.View.from_message(message, timeout=None)
                assert parts_of(shown) == parts_of(view)
            item: Any = shown.children[0]
            item.disabled = True
            edited = await read.edit(view=shown)
            again: Any = ui.View.from_message(edited, timeout=None)
            assert again.to_components() == shown.to_components()
            assert (await edited.edit(view=None)).components == []


async def test_layouts_are_read_back_as_they_were_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, channel_id = await channel_of(world, monkeypatch)
    async with started as client:
        channel = client.get_channel(channel_id)
        view, files = layout()
        sent = await channel.send(view=view, files=files)
        assert sent.flags.components_v2
        shown = ui.LayoutView.from_message(await channel.fetch_message(sent.id), timeout=None)
        urls = {file.filename: file.url for file in sent.attachments}
        wanted = parts_of(view)
        expected = replaced(wanted, {f"attachment://{name}": url for name, url in urls.items()})
        assert parts_of(shown) == expected

        [box, *_] = sent.components
        thumbnail = box.children[1].accessory
        assert (thumbnail.media.width, thumbnail.media.height) == (3, 2)
        assert thumbnail.media.attachment_id == sent.attachments[0].id
        assert thumbnail.media.content_type == "image/png"

        edited = await sent.edit(view=shown)  # with the links that it was sent
        assert [each.to_dict() for each in edited.components] == [
            each.to_dict() for each in sent.components
        ]
        text = ui.LayoutView(timeout=None)
        text.add_item(ui.TextDisplay("only this"))
        edited = await sent.edit(view=text, attachments=[])
        assert (edited.components[0].content, edited.attachments) == ("only this", [])

        upgraded = await (await channel.send("plain")).edit(content=None, view=text)
        assert upgraded.flags.components_v2
        twice = buttons().add_item(ui.Button(label="again", custom_id="primary", row=2))
        with pytest.raises(
            discord.HTTPException, match="custom id cannot be duplicated"
        ) as refused:
            await channel.send("text", view=twice)
        assert (refused.value.status, refused.value.code) == (400, 50035)


def replaced(value: Any, texts: dict[str, str]) -> Any:
    """Return a value in which each of these texts has its replacement."""
    if isinstance(value, list):
        return [replaced(each, texts) for each in value]
    if isinstance(value, dict):
        return {key: replaced(each, texts) for key, each in value.items()}
    return texts.get(value, value) if isinstance(value, str) else value
