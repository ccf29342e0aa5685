"""Messages of webhooks in the formats of Slack and GitHub."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from tests.helpers.webhooks import create_webhook, path_of
from tests.world import Answer, Guild, World, like

SENDER = {
    "id": 1,
    "login": "ada",
    "html_url": "https://github.com/ada",
    "avatar_url": "https://avatars.example.org/1.png",
}
REPOSITORY = {
    "id": 2,
    "name": "engine",
    "full_name": "ada/engine",
    "html_url": "https://github.com/ada/engine",
    "private": False,
}


async def path_of_webhook(guild: Guild) -> str:
    return path_of(await create_webhook(guild))


async def last_message(guild: Guild) -> dict[str, Any]:
    page = await guild.owner.rest.get(f"/channels/{guild.general.id}/messages?limit=1")
    found: dict[str, Any] = page[0] if page else {}
    return found


async def send_event(world: World, path: str, event: str, **payload: Any) -> Answer:
    body = {"sender": SENDER, "repository": REPOSITORY, **payload}
    headers = {"X-GitHub-Event": event}
    return await world.anonymous.call("POST", f"{path}/github", body, headers=headers)


async def test_message_in_the_format_of_slack(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = await path_of_webhook(guild)
    [client] = await world.online("alice")
    body = {
        "text": "Build <https://ci.example.org/4|#4> &amp; <!channel> <@U1|ada>",
        "username": "Jenkins",
        "icon_url": "https://ci.example.org/icon.png",
        "icon_emoji": ":rocket:",
        "channel": "#builds",
        "attachments": [
            {
                "fallback": "passed",
                "color": "good",
                "pretext": "See below",
                "author_name": "ada",
                "author_link": "https://example.org/ada",
                "title": "Passed",
                "title_link": "https://ci.example.org/4",
                "text": "in <https://example.org>",
                "fields": [
                    {"title": "Branch", "value": "main", "short": True},
                    {"name": "Tests", "value": "12", "inline": False},
                    {"title": "Empty"},
                    {},
                ],
                "image_url": "https://example.org/a.png",
                "thumb_url": "https://example.org/b.png",
                "footer": "CI",
                "ts": "1767225600.5",
            },
            {"fallback": "only this"},
            {"pretext": "and this"},
        ],
    }
    answer = await world.anonymous.call("POST", f"{path}/slack", body)
    assert (answer.status, answer.raw) == (200, b"ok")
    sent = (await client.next("MESSAGE_CREATE")).d
    assert sent["content"] == (
        "Build [#4](https://ci.example.org/4) & @everyone ada\nSee below\nand this"
    )
    assert sent == like(mention_everyone=True, author=like(username="Jenkins", bot=True))
    embed, fallback = sent["embeds"]
    assert fallback == {"type": "rich", "description": "only this"}
    assert embed == {
        "type": "rich",
        "title": "Passed",
        "url": "https://ci.example.org/4",
        "description": "in https://example.org",
        "color": 0x2EB886,
        "author": {"name": "ada", "url": "https://example.org/ada"},
        "fields": [
            {"name": "Branch", "value": "main", "inline": True},
            {"name": "Tests", "value": "12", "inline": False},
            {"name": "Empty", "value": "\u200b", "inline": False},
        ],
        "image": {"url": "https://example.org/a.png"},
        "thumbnail": {"url": "https://example.org/b.png"},
        "footer": {"text": "CI"},
        "timestamp": "2026-01-01T00:00:00.000000+00:00",
    }


async def test_slack_message_as_a_form(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = f"{await path_of_webhook(guild)}/slack"
    form = urlencode({"payload": orjson.dumps({"text": "hi & bye"}).decode()})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await world.anonymous.call("POST", path, data=form, headers=headers)
    assert (answer.status, answer.raw) == (200, b"ok")
    assert (await last_message(guild))["content"] == "hi & bye"
    for data, code in (
        ("payload=", 50109),
        ("a=b", 50109),
        ("&" * 70, 50035),
        ("a=b&" * 70, 50035),
    ):
        answer = await world.anonymous.call("POST", path, data=data, headers=headers)
        assert (answer.status, answer.code) == (400, code), data


async def test_long_slack_texts_are_cut(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = await path_of_webhook(guild)
    one = {"title": "t" * 300, "text": "x" * 5000, "color": "#abc", "fields": [{"title": "f"}] * 30}
    body = {"text": "y" * 3000, "attachments": [one, one]}
    answer = await world.anonymous.call("POST", f"{path}/slack", body)
    assert answer.status == 200
    sent = await last_message(guild)
    assert len(sent["content"]) == 2000
    first, second = sent["embeds"]
    assert first == like(title="t" * 255 + "…", color=0xAABBCC)
    assert len(first["description"]) == 4096
    assert len(first["fields"]) == 25
    total = sum(len(each["title"]) + len(each["description"]) for each in (first, second))
    assert total + 2 * 25 * 2 == 6000


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 50006),
        ({"text": "  "}, 50006),
        ({"attachments": [{}]}, 50006),
        ({"text": 5}, 50035),
        ({"text": "x", "username": "clyde"}, 50035),
        ({"text": "x", "username": "n" * 81}, 50035),
        ({"text": "x", "icon_url": "javascript:alert(1)"}, 50035),
        ({"text": "x", "attachments": [{"text": "y", "title_link": "file:///etc"}]}, 50035),
        ({"text": "x", "attachments": [{"text": "y"}] * 11}, 50035),
        ({"text": "x", "attachments": [{"text": "y", "ts": 10**15}]}, 50035),
        ({"text": "x", "attachments": [{"text": "y", "ts": "-1"}]}, 50035),
        ({"text": "x", "attachments": [{"text": "y", "ts": -0.5}]}, 50035),
        ({"text": "x", "attachments": {"text": "y"}}, 50035),
    ],
)
async def test_bad_slack_message_is_refused(world: World, body: object, code: int) -> None:
    guild = await world.guild(owner="alice")
    path = await path_of_webhook(guild)
    answer = await world.anonymous.call("POST", f"{path}/slack", body)
    assert (answer.status, answer.code) == (400, code)
    assert await last_message(guild) == {}


async def test_push_to_github_is_shown(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = await path_of_webhook(guild)
    commits = [
        {
            "id": f"{number}" * 40,
            "url": f"https://github.com/ada/engine/commit/{number}",
            "message": f"Change {number}\n\nbecause",
            "author": {"name": "Ada L", "username": "ada"},
        }
        for number in (1, 2)
    ]
    compare = "https://github.com/ada/engine/compare/1...2"
    answer = await send_event(
        world, path, "push", ref="refs/heads/main", commits=commits, compare=compare
    )
    assert (answer.status, answer.raw) == (204, b"")
    sent = await last_message(guild)
    assert sent["author"] == like(username="Builds", bot=True)
    assert sent["embeds"] == [
        {
            "type": "rich",
            "author": {
                "name": "ada",
                "url": "https://github.com/ada",
                "icon_url": "https://avatars.example.org/1.png",
            },
            "title": "[engine:main] 2 new commits",
            "url": compare,
            "description": "[`1111111`](https://github.com/ada/engine/commit/1) Change 1 - ada\n"
            "[`2222222`](https://github.com/ada/engine/commit/2) Change 2 - ada",
            "color": 0x7289DA,
        }
    ]


@pytest.mark.parametrize("event", ["ping", "star", "deployment", "", "nonsense"])
async def test_other_events_of_github_send_nothing(world: World, event: str) -> None:
    guild = await world.guild(owner="alice")
    path = await path_of_webhook(guild)
    answer = await send_event(world, path, event, action="created", zen="Keep it logically awesome")
    assert answer.status == 204
    assert await last_message(guild) == {}


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"sender": 5},
        {"commits": {}},
        {"commits": [5, 5, 5]},
        {"sender": SENDER, "repository": {**REPOSITORY, "html_url": "javascript:alert(1)"}},
    ],
)
async def test_bad_event_of_github_is_refused(world: World, body: object) -> None:
    guild = await world.guild(owner="alice")
    path = await path_of_webhook(guild)
    headers = {"X-GitHub-Event": "push"}
    answer = await world.anonymous.call("POST", f"{path}/github", body, headers=headers)
    assert (answer.status, answer.code) == (400, 50035)


@pytest.mark.parametrize("service", ["slack", "github"])
async def test_services_need_the_token(world: World, service: str) -> None:
    guild = await world.guild(owner="alice")
    path = await path_of_webhook(guild)
    answer = await world.anonymous.call("POST", f"{path[:-1]}~/{service}", {"text": "x"})
    assert (answer.status, answer.code) == (401, 50027)
    await world.anonymous.delete(path)
    answer = await world.anonymous.call("POST", f"{path}/{service}", {"text": "x"})
    assert (answer.status, answer.code) == (404, 10015)


async def test_picture_of_a_slack_message_is_redirected(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = await path_of_webhook(guild)
    body = {"text": "hi", "icon_url": "https://ci.example.org/icon.png?a=b"}
    await world.anonymous.call("POST", f"{path}/slack", body)
    author = (await last_message(guild))["author"]
    assert len(author["avatar"]) == 32
    picture = f"/avatars/{author['id']}/{author['avatar']}.png?size=128"
    answer = await world.anonymous.call("GET", picture, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (302, body["icon_url"])
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    # A person that follows a link stays here.
    headers = {"Sec-Fetch-Mode": "navigate"}
    answer = await world.anonymous.call("GET", picture, headers=headers, allow_redirects=False)
    assert answer.status == 404
    other = f"/avatars/{author['id']}/{'0' * 32}.png"
    assert (await world.anonymous.call("GET", other, allow_redirects=False)).status == 404
