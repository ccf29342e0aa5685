"""Fields of messages with special handling: flags, replies, form fields, embedded files."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.helpers.attachments import (
    download,
    guild_with_member,
    message_form,
    png_bytes,
    send_form,
)
from tests.world import World, like


async def test_editing_only_flags_does_not_mark_a_message_as_edited(world: World) -> None:
    guild, path, bob = await guild_with_member(world)
    sent = await bob.rest.post(path, {"content": "x", "embeds": [{"title": "t"}], "flags": 4096})
    message = f"{path}/{sent['id']}"
    for rest in (bob.rest, guild.owner.rest):
        for flags, shown in ((4, 4100), (0, 4096)):
            flagged = await rest.patch(message, {"flags": flags})
            assert flagged == like(flags=shown, edited_timestamp=None)
    assert (await bob.rest.patch(message, {}))["edited_timestamp"] is None
    allowed: dict[str, Any] = {"allowed_mentions": {"parse": []}}
    assert (await bob.rest.patch(message, allowed))["edited_timestamp"] is None
    edited = await bob.rest.patch(message, {"content": "y", "flags": 4})
    assert edited["edited_timestamp"] is not None
    again = await bob.rest.patch(message, {"flags": 0})
    assert again["edited_timestamp"] == edited["edited_timestamp"]


@pytest.mark.parametrize("bit", [0, 1, 3, 4, 5, 6, 7, 8, 13, 14, 16, 20])
async def test_unsupported_flags_are_refused(world: World, bit: int) -> None:
    _, path, bob = await guild_with_member(world)
    sent = await bob.rest.post(path, {"content": "x"})
    for method, where in (("POST", path), ("PATCH", f"{path}/{sent['id']}")):
        refused = await bob.rest.call(method, where, {"content": "y", "flags": 1 << bit | 4})
        assert (refused.status, refused.code) == (400, 50035)
        assert refused.json["errors"].keys() == {"flags"}
    assert (await bob.rest.get(path))[0] == like(content="x", flags=0)


async def test_edit_may_repeat_the_flags_of_the_message(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    sent = await bob.rest.post(path, {"content": "x", "flags": 4096})
    edited = await bob.rest.patch(f"{path}/{sent['id']}", {"flags": 4096 | 4})
    assert edited["flags"] == 4096 | 4


async def test_system_messages_cannot_be_pinned_or_replied_to(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"], quiet=False)
    path = f"/channels/{guild.general.id}/messages"
    sent = await guild.owner.rest.post(path, {"content": "x"})
    await guild.owner.rest.put(f"{path}/pins/{sent['id']}")
    system = [each for each in await guild.owner.rest.get(path) if each["type"] in (6, 7)]
    assert {each["type"] for each in system} == {6, 7}
    for each in system:
        for old in (f"/channels/{guild.general.id}/pins", f"{path}/pins"):
            refused = await guild.owner.rest.call("PUT", f"{old}/{each['id']}")
            assert (refused.status, refused.code) == (403, 50021)
        body = {"content": "re", "message_reference": {"message_id": each["id"]}}
        for exists in ({}, {"fail_if_not_exists": False}):
            body["message_reference"] = {"message_id": each["id"], **exists}
            refused = await guild.owner.rest.call("POST", path, body)
            assert (refused.status, refused.code) == (400, 50035)
            [error] = refused.json["errors"]["message_reference"]["_errors"]
            assert error["code"] == "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE"


async def test_reference_to_another_guild_is_refused(world: World) -> None:
    guild, path, bob = await guild_with_member(world)
    sent = await bob.rest.post(path, {"content": "x"})
    right = {"message_id": sent["id"], "channel_id": guild.general.id, "guild_id": guild.id}
    answer = await bob.rest.post(path, {"content": "re", "message_reference": right})
    assert answer["message_reference"] == {"type": 0, **right}
    wrong = {**right, "guild_id": "1"}
    refused = await bob.rest.call("POST", path, {"content": "re", "message_reference": wrong})
    assert (refused.status, refused.code) == (400, 50035)


def fields(*pairs: tuple[str, str], files: int = 1) -> aiohttp.FormData:
    """Return a form with these fields next to its files."""
    data = aiohttp.FormData(default_to_multipart=True)
    for number in range(files):
        data.add_field(f"files[{number}]", b"x", filename=f"{number}.txt")
    for name, value in pairs:
        data.add_field(name, value)
    return data


async def test_form_fields_are_read_with_files(world: World) -> None:
    guild, path, _ = await guild_with_member(world)
    bob = guild.owner
    data = fields(
        ("content", '["as it is"]'),
        ("tts", "true"),
        ("nonce", "123"),
        ("flags", "4096"),
        ("embeds", '[{"title": "t"}]'),
        ("attachments", '[{"id": 0, "description": "d"}]'),
        ("unknown", "ignored"),
    )
    sent = (await send_form(bob.rest, path, data)).json
    assert sent == like(content='["as it is"]', tts=True, nonce="123", flags=4096)
    assert [each["title"] for each in sent["embeds"]] == ["t"]
    assert sent["attachments"][0] == like(filename="0.txt", description="d")
    edited = await send_form(bob.rest, f"{path}/{sent['id']}", fields(("content", "y")), "PATCH")
    assert (edited.json["content"], len(edited.json["attachments"])) == ("y", 2)


async def test_form_fields_without_files_create_a_message(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    sent = await send_form(bob.rest, path, fields(("content", "x"), files=0))
    assert sent.json == like(content="x", attachments=[])


async def test_payload_json_takes_precedence_over_form_fields(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    for last in (None, True):
        data = message_form({"content": "json"}, ("a", b"1"), payload_last=last)
        data.add_field("content", "field")
        data.add_field("nonce", "1")
        assert (await send_form(bob.rest, path, data)).json == like(content="json", nonce="1")


@pytest.mark.parametrize(
    ("name", "value"),
    [("tts", "perhaps"), ("embeds", "[{]"), ("flags", "1e"), ("content", "x" * 2001)],
)
async def test_form_fields_are_validated(world: World, name: str, value: str) -> None:
    _, path, bob = await guild_with_member(world)
    refused = await send_form(bob.rest, path, fields((name, value)))
    assert (refused.status, refused.code) == (400, 50035)
    assert name in refused.json["errors"]
    assert await bob.rest.get(path) == []


async def test_embeds_show_files_of_the_message(world: World) -> None:
    guild, path, bob = await guild_with_member(world)
    [client] = await world.online("alice")
    embed = {
        "title": "t",
        "image": {"url": "attachment://a b.png"},
        "thumbnail": {"url": "attachment://a b.png"},
        "author": {"name": "n", "icon_url": "attachment://c.png"},
        "footer": {"text": "f", "icon_url": "https://example.org/x.png"},
    }
    files = (("a b.png", png_bytes()), ("c.png", png_bytes(5, 6)))
    sent = (await send_form(bob.rest, path, message_form({"embeds": [embed]}, *files))).json
    first, second = (each["url"] for each in sent["attachments"])
    [shown] = sent["embeds"]
    assert shown["image"] == {"url": first, "proxy_url": first, "width": 3, "height": 2}
    assert shown["thumbnail"] == shown["image"]
    assert shown["author"] == {"name": "n", "icon_url": second, "proxy_icon_url": second}
    assert shown["footer"] == {"text": "f", "icon_url": "https://example.org/x.png"}
    assert (await download(world, shown["image"]["url"])).raw == png_bytes()
    assert (await client.next("MESSAGE_CREATE")).d["embeds"] == sent["embeds"]
    assert (await guild.owner.rest.get(path))[0]["embeds"] == sent["embeds"]
    assert (await guild.owner.rest.get(f"{path}/{sent['id']}"))["embeds"] == sent["embeds"]


async def test_edit_may_embed_an_existing_file(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    sent = (await send_form(bob.rest, path, message_form(None, ("a.png", png_bytes())))).json
    url = sent["attachments"][0]["url"]
    change = {"embeds": [{"image": {"url": "attachment://a.png"}}]}
    edited = await bob.rest.patch(f"{path}/{sent['id']}", change)
    assert edited["embeds"][0]["image"]["url"] == url
    kept = await bob.rest.patch(f"{path}/{sent['id']}", {"content": "x"})
    assert kept["embeds"][0]["image"]["url"] == url
    again = await bob.rest.patch(f"{path}/{sent['id']}", {"embeds": kept["embeds"]})
    assert again["embeds"][0]["image"]["url"] == url


@pytest.mark.parametrize(
    "part",
    [
        {"image": {"url": "attachment://other.png"}},
        {"thumbnail": {"url": "attachment://other.png"}},
        {"author": {"name": "n", "icon_url": "attachment://other.png"}},
        {"footer": {"text": "t", "icon_url": "ATTACHMENT://other.png"}},
    ],
)
async def test_embedded_file_must_exist(world: World, part: dict[str, Any]) -> None:
    _, path, bob = await guild_with_member(world)
    kind, key = next((kind, key) for kind in part for key in part[kind] if "url" in key)
    body = {"content": "x", "embeds": [{"title": "fine"}, {"title": "t", **part}]}
    refused = await send_form(bob.rest, path, message_form(body, ("a.png", png_bytes())))
    assert (refused.status, refused.code) == (400, 50035)
    [error] = refused.json["errors"]["embeds"]["1"][kind][key]["_errors"]
    assert error["code"] == "ATTACHMENT_NOT_FOUND"
    sent = await bob.rest.post(path, {"content": "x"})
    assert (await bob.rest.call("PATCH", f"{path}/{sent['id']}", body)).code == 50035
    assert await bob.rest.get(path) == [sent]


async def test_attachment_urls_are_allowed_for_media_only(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    for part in (
        {"url": "attachment://a.png"},
        {"author": {"name": "n", "url": "attachment://a.png"}},
    ):
        refused = await send_form(
            bob.rest,
            path,
            message_form({"embeds": [{"title": "t", **part}]}, ("a.png", png_bytes())),
        )
        assert (refused.status, refused.code) == (400, 50035)


async def test_existing_file_keeps_its_name(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    sent = (await send_form(bob.rest, path, message_form(None, ("a.png", png_bytes())))).json
    [file] = sent["attachments"]
    message = f"{path}/{sent['id']}"
    kept = await bob.rest.patch(message, {"attachments": [file]})
    assert [each["filename"] for each in kept["attachments"]] == ["a.png"]
    renamed = {"attachments": [{"id": file["id"], "filename": "b.png"}]}
    refused = await bob.rest.call("PATCH", message, renamed)
    assert (refused.status, refused.code) == (400, 50035)
    assert "attachments" in refused.json["errors"]
    assert await bob.rest.get(path) == [kept]


async def test_embed_remains_after_its_file_is_deleted(world: World) -> None:
    _, path, bob = await guild_with_member(world)
    embed = {
        "title": "t",
        "image": {"url": "attachment://a.png"},
        "author": {"name": "n", "icon_url": "attachment://b.png"},
    }
    files = (("a.png", png_bytes()), ("b.png", png_bytes()))
    sent = (await send_form(bob.rest, path, message_form({"embeds": [embed]}, *files))).json
    leftovers: list[list[Any]] = [sent["attachments"][1:], []]
    for kept in leftovers:
        message = await bob.rest.patch(f"{path}/{sent['id']}", {"attachments": kept})
        [shown] = message["embeds"]
        assert "image" not in shown
        assert ("icon_url" in shown["author"]) == bool(kept)
    assert shown == {"type": "rich", "title": "t", "author": {"name": "n"}}
