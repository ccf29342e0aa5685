"""Importing an export of DiscordChatExporter: everything of it is there, once, however often."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tests.helpers.attachments import png_bytes
from tests.rest.searching import texts
from tests.transfer.conftest import Importer
from tests.transfer.exports import Json, attachment, reaction, role
from tests.world import Guild, World, like


async def messages_of(world: World, channel_id: int) -> list[Any]:
    found = await world.rest("owner").get(f"/channels/{channel_id}/messages?limit=100")
    return list(reversed(found))


async def test_import_has_everything_of_an_export(world: World, importer: Importer) -> None:
    engineers = role(importer.guild_id + 55, "Engineers")
    ada, bob = importer.user(1, "ada.lovelace", roles=[engineers]), importer.user(2, "bob")
    general = importer.channel(1, parent=(importer.guild_id + 77, "Talk"))
    first = general.add(ada, "The engine weaves algebra", isPinned=True)
    general.add(
        bob,
        "Yes, @Ada.Lovelace",
        type="Reply",
        mentions=[ada],
        reference={
            "type": "Default",
            "messageId": first["id"],
            "channelId": str(general.channel_id),
            "guildId": str(general.guild_id),
        },
    )
    picture = attachment(1, "general.json_Files/a.png", "a.png", len(png_bytes()))
    general.add(bob, "", attachments=[picture], timestampEdited="2021-03-04T09:00:00+00:00")
    embed: Json = {
        "title": "T",
        "url": "",
        "timestamp": None,
        "description": "D",
        "color": "#3498DB",
        "footer": {"text": "F"},
        "images": [],
        "fields": [],
        "inlineEmojis": [],
    }
    general.add(ada, "x", embeds=[embed], reactions=[reaction("👍", [ada, bob])])
    path = general.write(importer.folder)
    thread = importer.channel(
        2, "details", type="GuildPublicThread", parent=(general.channel_id, "general")
    )
    thread.add(bob, "in the thread")
    thread.write(importer.folder)
    (path.parent / "general.json_Files").mkdir()
    (path.parent / "general.json_Files" / "a.png").write_bytes(png_bytes())

    owner = await world.person("owner")
    [client] = await world.online("owner")
    done = await importer.run(owner)

    assert importer.lines == []
    assert (done.totals.messages, done.authors, done.totals.files) == (5, 2, 1)
    assert int(done.guild_id) == importer.guild_id
    created = await client.next("GUILD_CREATE")
    assert created.d["name"] == "Engines"
    by_name = {each["name"]: each for each in created.d["channels"]}
    assert (
        by_name["general"]["parent_id"] == by_name["Talk"]["id"] == by_name["details"]["parent_id"]
    )
    joined = [(await client.next("GUILD_MEMBER_ADD")).d["user"]["username"] for _ in range(2)]
    assert sorted(joined) == ["ada.lovelace", "bob"]

    found = await messages_of(world, general.channel_id)
    assert [each["id"] for each in found] == [each["id"] for each in general.messages]
    assert found[0] == like(
        content="The engine weaves algebra",
        pinned=True,
        timestamp="2021-03-04T05:06:07.000000+00:00",
        author=like(username="ada.lovelace", global_name="Ada.Lovelace"),
    )
    assert found[1] == like(type=19, content=f"Yes, <@{found[0]['author']['id']}>")
    assert found[1]["referenced_message"]["id"] == first["id"]
    assert found[1]["mentions"] == [like(username="ada.lovelace")]
    assert found[2]["edited_timestamp"] == "2021-03-04T09:00:00.000000+00:00"
    [file] = found[2]["attachments"]
    assert file == like(filename="a.png", content_type="image/png")
    assert (
        await world.anonymous.call(
            "GET", urlsplit(file["url"]).path + "?" + urlsplit(file["url"]).query
        )
    ).status == 200
    assert found[3]["embeds"] == [like(title="T", description="D", color=0x3498DB)]
    assert found[3]["reactions"] == [like(count=2, emoji=like(name="👍"))]
    [said] = await messages_of(world, thread.channel_id)
    assert said["content"] == "in the thread"
    roles = await owner.rest.get(f"/guilds/{done.guild_id}/roles")
    assert [each["name"] for each in roles if each["name"] != "@everyone"] == ["Engineers"]
    guild = Guild(str(done.guild_id), owner)
    assert await texts(owner.rest, guild, content="weaves") == ["The engine weaves algebra"]


async def test_new_session_receives_the_id_of_the_last_imported_message(
    world: World, importer: Importer
) -> None:
    ada, general = importer.user(1, "ada"), importer.channel(1)
    general.add(ada, "first")
    general.write(importer.folder)
    await importer.run(await world.person("owner"))
    await world.online("owner")
    last = general.add(ada, "second")
    general.write(importer.folder)
    await importer.run()
    client = await world.socket()
    token = (await world.person("owner")).token
    await client.send(2, {"token": token, "properties": {}, "intents": 1})
    created = await client.next("GUILD_CREATE")
    [shown] = [each for each in created.d["channels"] if each["name"] == "general"]
    assert shown["last_message_id"] == last["id"]


async def test_second_run_changes_nothing(world: World, importer: Importer) -> None:
    ada, bob = importer.user(1, "ada"), importer.user(2, "bob")
    general = importer.channel(1)
    for number in range(3):
        general.add(ada, f"message {number}", reactions=[reaction("👍", [bob])])
    path = general.write(importer.folder)
    owner = await world.person("owner")
    await importer.run(owner)
    before = await messages_of(world, general.channel_id)
    [client] = await world.online("owner")

    again = await importer.run()
    assert (again.unchanged_files, again.totals.messages, again.channels) == (1, 0, 0)
    path.touch()  # so that it is read again
    third = await importer.run()
    assert (third.unchanged_files, third.totals.existing) == (0, 3)
    assert (third.totals.messages, third.authors) == (0, 0)
    assert await messages_of(world, general.channel_id) == before
    assert await client.received_before_fence() == []
