"""Components of messages: sent by bots, stored, shown to everyone, edited and found."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from jsonschema_rs import Draft202012Validator

from chatd.core.intents import Intents
from chatd.core.permissions import EVERYONE, Permissions
from tests.documented.extract import COMPONENTS_FILE
from tests.helpers.attachments import download, message_form, png_bytes, send_form
from tests.helpers.components import (
    button,
    container,
    gallery,
    link,
    row,
    section,
    select,
    text,
    thumbnail,
)
from tests.rest.searching import Index, search
from tests.world import Answer, Guild, Person, World, like

V2 = 1 << 15
PICTURE = "https://example.org/picture.png"
DISCORD = Draft202012Validator(orjson.loads(COMPONENTS_FILE.read_bytes()))
"""Discord's own schema of the components of a message."""

EVERYTHING: list[dict[str, Any]] = [
    container(
        section("beside", accessory=thumbnail("attachment://a.png", description="d")),
        section("before", accessory=button("in section")),
        gallery(PICTURE, "attachment://b.png"),
        {"type": 13, "file": {"url": "attachment://notes.txt"}, "spoiler": True},
        {"type": 14, "spacing": 2, "divider": False},
        row(select("colors", "red", "blue", placeholder="Choose", max_values=2)),
        accent_color=0x3498DB,
    ),
    row(
        {"type": 5, "custom_id": "users", "default_values": [{"id": "5", "type": "user"}]},
    ),
    row({"type": 6, "custom_id": "roles", "disabled": True}),
    row({"type": 7, "custom_id": "both"}),
    row({"type": 8, "custom_id": "channels", "channel_types": [0, 5]}),
    row(button("go", emoji={"name": "👍"}), link("discord://-/settings")),
    text("after all"),
]
FILES = (("a.png", png_bytes()), ("b.png", png_bytes(5, 6)), ("notes.txt", b"notes"))


async def guild_with_bot(world: World) -> tuple[Guild, str, Person]:
    """Return a guild, the path of its channel's messages, and a bot in it."""
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    return guild, f"/channels/{guild.general.id}/messages", bot


def without_ids(component: Any) -> Any:
    """Return components without the ids that the server has assigned."""
    if isinstance(component, list):
        return [without_ids(each) for each in component]
    if not isinstance(component, dict):
        return component
    kept = {key: without_ids(each) for key, each in component.items()}
    return {key: each for key, each in kept.items() if key != "id" or "custom_id" not in component}


def error_of(answer: Answer) -> tuple[str, str]:
    """Return the path and the code of the first field error."""
    assert (answer.status, answer.code) == (400, 50035), answer.raw
    errors, path = answer.json["errors"], []
    while "_errors" not in errors:
        key = next(iter(errors))
        path.append(key)
        errors = errors[key]
    return ".".join(path), errors["_errors"][0]["code"]


async def test_buttons_are_shown_wherever_the_message_is(world: World) -> None:
    guild, path, bot = await guild_with_bot(world)
    [client] = await world.online("alice")
    sent = await bot.rest.post(path, {"content": "x", "components": [row(link(), button())]})
    assert sent["components"] == [
        {
            "type": 1,
            "id": 1,
            "components": [{**link(), "id": 2}, {**button(), "id": 3}],
        }
    ]
    assert (await client.next("MESSAGE_CREATE")).d["components"] == sent["components"]
    alice = guild.owner.rest
    assert (await alice.get(path))[0]["components"] == sent["components"]
    assert (await alice.get(f"{path}/{sent['id']}"))["components"] == sent["components"]
    await alice.put(f"{path}/pins/{sent['id']}")
    [pin] = (await alice.get(f"{path}/pins"))["items"]
    assert pin["message"]["components"] == sent["components"]
    answer = await alice.post(
        path, {"content": "re", "message_reference": {"message_id": sent["id"]}}
    )
    assert answer["referenced_message"]["components"] == sent["components"]
    found = await alice.get(f"/guilds/{guild.id}/messages/search?content=x")
    assert found["messages"][0][0]["components"] == sent["components"]


async def test_every_component_has_the_form_that_discord_documents(world: World) -> None:
    guild, path, bot = await guild_with_bot(world)
    [client] = await world.online("alice")
    body = {"flags": V2, "components": EVERYTHING}
    answer = await send_form(bot.rest, path, message_form(body, *FILES))
    assert answer.status == 200, answer.raw
    sent = answer.json
    assert sent == like(flags=V2, content="", embeds=[])
    assert next(DISCORD.iter_errors(sent["components"]), None) is None
    assert (await client.next("MESSAGE_CREATE")).d["components"] == sent["components"]
    [stored] = await guild.owner.rest.get(path)
    assert stored["components"] == sent["components"]

    box = sent["components"][0]
    picture, other, notes = sent["attachments"]
    shown = box["components"][0]["accessory"]["media"]
    assert shown == {
        "id": picture["id"],
        "url": picture["url"],
        "proxy_url": picture["url"],
        "width": 3,
        "height": 2,
        "content_type": "image/png",
        "attachment_id": picture["id"],
    }
    assert (await download(world, shown["url"])).raw == png_bytes()
    media = [each["media"] for each in box["components"][2]["items"]]
    assert media[0] == like(url=PICTURE, proxy_url=PICTURE, width=None, content_type=None)
    assert media[1] == like(attachment_id=other["id"], width=5)
    assert box["components"][3] == like(
        file=like(attachment_id=notes["id"], url=notes["url"]),
        name="notes.txt",
        size=5,
        spoiler=True,
    )


async def test_components_may_be_sent_back_as_received(world: World) -> None:
    _, path, bot = await guild_with_bot(world)
    body = {"flags": V2, "components": EVERYTHING}
    sent = (await send_form(bot.rest, path, message_form(body, *FILES))).json
    change = {"flags": V2, "components": sent["components"]}
    edited = await bot.rest.patch(f"{path}/{sent['id']}", change)
    assert edited["components"] == sent["components"]


async def test_components_alone_are_a_message(world: World) -> None:
    _, path, bot = await guild_with_bot(world)
    assert (await bot.rest.post(path, {"components": [row(link())]})) == like(content="")
    assert await bot.rest.post(path, {"flags": V2, "components": [text()]}) == like(flags=V2)
    empties: list[dict[str, Any]] = [{}, {"components": []}, {"flags": V2}]
    for empty in (*empties, {"flags": V2, "components": None}):
        refused = await bot.rest.call("POST", path, empty)
        assert (refused.status, refused.code) == (400, 50006)


async def test_components_with_only_a_file_are_no_message_of_version_2(world: World) -> None:
    _, path, bot = await guild_with_bot(world)
    refused = await send_form(bot.rest, path, message_form({"flags": V2}, ("a.png", b"x")))
    assert (refused.status, refused.code) == (400, 50006)


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({"components": [text()]}, "components.0", "UNION_TYPE_CHOICES"),
        ({"components": [row(button(str(n))) for n in range(6)]}, "components", "MAX_LENGTH"),
        ({"flags": V2, "content": "x", "components": [text()]}, "content", "LEGACY"),
        ({"flags": V2, "embeds": [{"title": "x"}], "components": [text()]}, "embeds", "LEGACY"),
        ({"flags": V2, "components": [text("x" * 4000), text("y")]}, "components", "TEXT"),
        (
            {"flags": V2, "components": [container(gallery("attachment://no.png"))]},
            "components.0.components.0.items.0.media.url",
            "FILE",
        ),
        (
            {"flags": V2, "components": [{"type": 13, "file": {"url": PICTURE}}]},
            "components.0.file.url",
            "FILE",
        ),
    ],
)
async def test_message_with_wrong_components_is_refused(
    world: World, body: dict[str, Any], path: str, code: str
) -> None:
    codes = {
        "MAX_LENGTH": "BASE_TYPE_MAX_LENGTH",
        "LEGACY": "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
        "TEXT": "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
        "FILE": "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
    }
    _, messages, bot = await guild_with_bot(world)
    refused = await bot.rest.call("POST", messages, body)
    assert error_of(refused) == (path, codes.get(code, code))
    assert await bot.rest.get(messages) == []


async def test_people_cannot_send_components(world: World) -> None:
    guild, path, bot = await guild_with_bot(world)
    alice = guild.owner.rest
    for body in (
        {"content": "x", "components": [row(link())]},
        {"flags": V2, "components": [text()]},
    ):
        assert error_of(await alice.call("POST", path, body)) == ("components", "NOT_SUPPORTED")
    sent = await alice.post(path, {"content": "x", "components": []})
    edit = {"components": [row(link())]}
    assert error_of(await alice.call("PATCH", f"{path}/{sent['id']}", edit))[0] == "components"
    of_bot = await bot.rest.post(path, {"content": "x", "components": [row(link())]})
    changes: list[dict[str, Any]] = [edit, {"components": []}, {"flags": V2}]
    for change in changes:
        refused = await alice.call("PATCH", f"{path}/{of_bot['id']}", change)
        assert (refused.status, refused.code) == (403, 50005)
    dm = await bot.rest.post("/users/@me/channels", {"recipient_id": guild.owner.id})
    private = await bot.rest.post(f"/channels/{dm['id']}/messages", {"components": [row(button())]})
    assert private["components"][0]["components"] == [{**button(), "id": 2}]


async def test_editing_replaces_and_removes_components(world: World) -> None:
    _, path, bot = await guild_with_bot(world)
    [client] = await world.online("alice")
    sent = await bot.rest.post(path, {"content": "x", "components": [row(button("a"))]})
    message = f"{path}/{sent['id']}"
    kept = await bot.rest.patch(message, {"content": "y"})
    assert kept["components"] == sent["components"]
    disabled = await bot.rest.patch(message, {"components": [row(button("a", disabled=True))]})
    assert disabled["components"][0]["components"][0] == like(custom_id="a", disabled=True)
    assert disabled["edited_timestamp"] is not None
    assert (await client.next("MESSAGE_UPDATE")).d == like(
        content="y", components=sent["components"]
    )
    assert (await client.next("MESSAGE_UPDATE")).d["components"] == disabled["components"]
    removals: list[list[Any] | None] = [[], None]
    for removal in removals:
        await bot.rest.patch(message, {"components": [row(button("a"))]})
        assert (await bot.rest.patch(message, {"components": removal}))["components"] == []
    only = await bot.rest.post(path, {"components": [row(button())]})
    refused = await bot.rest.call("PATCH", f"{path}/{only['id']}", {"components": []})
    assert (refused.status, refused.code) == (400, 50006)


async def test_version_2_can_be_set_by_an_edit_and_not_removed(world: World) -> None:
    _, path, bot = await guild_with_bot(world)
    sent = await bot.rest.post(path, {"content": "x", "embeds": [{"title": "t"}]})
    message = f"{path}/{sent['id']}"
    change: dict[str, Any] = {"flags": V2, "components": [text("now")]}
    assert error_of(await bot.rest.call("PATCH", message, change))[0] == "content"
    change["content"] = None
    assert error_of(await bot.rest.call("PATCH", message, change))[0] == "embeds"
    edited = await bot.rest.patch(message, {**change, "embeds": []})
    assert edited == like(flags=V2, content="", embeds=[], components=[{**text("now"), "id": 1}])

    for flags in (0, 4):
        refused = await bot.rest.call("PATCH", message, {"flags": flags})
        assert error_of(refused) == ("flags", "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG")
    assert (await bot.rest.patch(message, {"flags": V2 | 4}))["flags"] == V2 | 4
    assert (await bot.rest.patch(message, {"flags": None}))["flags"] == V2
    refused = await bot.rest.call("PATCH", message, {"content": "y"})
    assert error_of(refused)[1] == "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
    again = await bot.rest.patch(message, {"content": None, "components": [text("again")]})
    assert again["components"] == [{**text("again"), "id": 1}]


async def test_moderator_suppresses_embeds_of_a_message_with_components(world: World) -> None:
    guild, path, bot = await guild_with_bot(world)
    sent = await bot.rest.post(path, {"flags": V2, "components": [text()]})
    hidden = await guild.owner.rest.patch(f"{path}/{sent['id']}", {"flags": V2 | 4})
    assert hidden == like(flags=V2 | 4, components=sent["components"], edited_timestamp=None)


async def test_file_that_a_component_shows_cannot_be_removed_alone(world: World) -> None:
    _, path, bot = await guild_with_bot(world)
    body = {"flags": V2, "components": [text("x"), gallery("attachment://a.png")]}
    sent = (await send_form(bot.rest, path, message_form(body, *FILES[:2]))).json
    message, (shown, other) = f"{path}/{sent['id']}", sent["attachments"]
    refused = await bot.rest.call("PATCH", message, {"attachments": [other]})
    assert error_of(refused)[0] == "components.1.items.0.media.url"
    assert await bot.rest.get(message) == sent
    kept = await bot.rest.patch(message, {"attachments": [shown]})
    assert kept["components"] == sent["components"]
    both = await bot.rest.patch(message, {"attachments": [], "components": [text("x")]})
    assert both == like(attachments=[], components=[{**text("x"), "id": 1}])


async def test_edit_may_show_a_new_file(world: World) -> None:
    _, path, bot = await guild_with_bot(world)
    sent = await bot.rest.post(path, {"flags": V2, "components": [text()]})
    change = {"components": [gallery("attachment://a.png")]}
    form = message_form(change, ("a.png", png_bytes()))
    edited = (await send_form(bot.rest, f"{path}/{sent['id']}", form, "PATCH")).json
    [item] = edited["components"][0]["items"]
    assert item["media"]["attachment_id"] == edited["attachments"][0]["id"]


async def test_pictures_of_other_sites_need_embed_links(world: World) -> None:
    guild, path, bot = await guild_with_bot(world)
    everyone = f"/guilds/{guild.id}/roles/{guild.id}"
    without = int(EVERYONE & ~Permissions.EMBED_LINKS)
    sent = await bot.rest.post(path, {"flags": V2, "components": [text()]})
    await guild.owner.rest.patch(everyone, {"permissions": str(without)})
    body = {"flags": V2, "components": [container(gallery(PICTURE))]}
    for method, where in (("POST", path), ("PATCH", f"{path}/{sent['id']}")):
        refused = await bot.rest.call(method, where, body)
        assert (refused.status, refused.code) == (403, 50013)
    own = {"flags": V2, "components": [gallery("attachment://a.png")]}
    shown = await send_form(bot.rest, path, message_form(own, ("a.png", png_bytes())))
    assert shown.status == 200


async def test_texts_of_components_mention_as_content_does(world: World) -> None:
    guild, path, bot = await guild_with_bot(world)
    [client] = await world.online("alice")
    alice = guild.owner.id
    mentioning = [container(text("hi"), section(f"<@{alice}>", accessory=button()))]
    sent = await bot.rest.post(path, {"flags": V2, "components": mentioning})
    assert [each["id"] for each in sent["mentions"]] == [alice]
    assert (await client.next("MESSAGE_CREATE")).d["mentions"] == [like(id=alice)]
    [state] = [
        each
        for each in await guild.owner.rest.get("/users/@me/read-states")
        if each["id"] == guild.general.id
    ]
    assert state["mention_count"] == 1
    message = f"{path}/{sent['id']}"
    silent = {"components": mentioning, "allowed_mentions": {"parse": []}}
    assert (await bot.rest.patch(message, silent))["mentions"] == []
    assert (await bot.rest.patch(message, {"components": mentioning}))["mentions"] != []
    assert (await bot.rest.patch(message, {"components": [text()]}))["mentions"] == []
    quiet = {"flags": V2, "components": mentioning, "allowed_mentions": {"parse": []}}
    assert (await bot.rest.post(path, quiet))["mentions"] == []


async def test_adding_buttons_does_not_mention_again(world: World) -> None:
    guild, path, bot = await guild_with_bot(world)
    body = {"content": f"<@{guild.owner.id}>", "allowed_mentions": {"parse": []}}
    sent = await bot.rest.post(path, body)
    edited = await bot.rest.patch(f"{path}/{sent['id']}", {"components": [row(button())]})
    assert edited["mentions"] == []


async def test_components_are_content_to_bots_without_the_intent(world: World) -> None:
    guild, path, bot = await guild_with_bot(world)
    other = await world.bot("other", "alice", guild)
    await guild.owner.rest.patch(f"/applications/{other.id}", {"flags": 0})
    intents = int(Intents.GUILDS | Intents.GUILD_MESSAGES)
    reader, author = (
        (await world.online("other", intents=intents))[0],
        (await world.online("bot", intents=intents))[0],
    )
    sent = await bot.rest.post(path, {"flags": V2, "components": [text("secret")]})
    assert (await reader.next("MESSAGE_CREATE")).d == like(components=[], flags=V2)
    assert (await author.next("MESSAGE_CREATE")).d["components"] == sent["components"]
    for rest, shown in ((other.rest, []), (bot.rest, sent["components"])):
        assert (await rest.get(path))[0]["components"] == shown
        assert (await rest.get(f"{path}/{sent['id']}"))["components"] == shown


async def test_components_can_be_a_part_of_a_form(world: World) -> None:
    _, path, bot = await guild_with_bot(world)
    form = message_form(None, ("a.png", png_bytes()))
    form.add_field("flags", str(V2))
    form.add_field("components", orjson.dumps([gallery("attachment://a.png")]).decode())
    sent = (await send_form(bot.rest, path, form)).json
    assert sent["components"][0]["items"][0]["media"] == like(width=3)


async def test_search_finds_the_texts_of_components(world: World, index: Index) -> None:
    guild, path, bot = await guild_with_bot(world)
    alice = guild.owner.rest
    shown = [container(text("Crème brûlée"), section("https://a.example", accessory=button()))]
    sent = await bot.rest.post(path, {"flags": V2, "components": shown})
    for number in range(3):
        await alice.post(path, {"content": f"other {number}"})

    async def found(**query: str) -> list[str]:
        answer = await search(alice, guild, **query)
        return [message["id"] for [message] in answer["messages"]]

    async def right() -> None:
        for query in ({"content": "brûlée"}, {"has": "link"}, {"link_hostname": "a.example"}):
            assert await found(**query) == [sent["id"]]
        assert await found(content="brûléehttps") == []

    await right()
    await index(guild.id)
    await right()
    await bot.rest.patch(f"{path}/{sent['id']}", {"components": [text("Tiramisu")]})
    assert await found(content="brûlée") == []
    assert await found(content="tiramisu") == [sent["id"]]
