"""Pictures of webhook messages, which are URLs of other sites."""

from __future__ import annotations

import pytest

from chatd.db.pool import Database
from tests.helpers.webhooks import create_webhook, path_of, send
from tests.world import World


async def test_picture_of_a_message_is_that_of_its_url(world: World) -> None:
    guild = await world.guild(owner="alice")
    made = await create_webhook(guild)
    url = "http://10.0.0.1/picture.png"  # the server does not request it
    sent = await send(world, made, content="x", avatar_url=url)
    path = f"/avatars/{made['id']}/{sent['author']['avatar']}.png"
    answer = await world.anonymous.call("GET", path, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (302, url)


@pytest.mark.parametrize(
    "url",
    [
        "https://a.b/\r\nX-Other: y",
        "https://a.b/\ny",
        "https://a.b/\x01",
        "https://a.b/\x85",
    ],
)
async def test_url_with_control_characters_is_refused(world: World, url: str) -> None:
    """A redirect to it would have other headers of the sender."""
    webhook = await create_webhook(await world.guild(owner="alice"))
    button = {"type": 2, "style": 5, "label": "x", "url": url}
    for body in (
        {"content": "x", "avatar_url": url},
        {"embeds": [{"title": "x", "url": url}]},
        {"embeds": [{"image": {"url": url}}]},
        {"components": [{"type": 1, "components": [button]}]},
    ):
        path = f"{path_of(webhook)}?with_components=true"
        answer = await world.anonymous.call("POST", path, body)
        assert (answer.status, answer.code) == (400, 50035), body
    slack = {"text": "x", "icon_url": url}
    answer = await world.anonymous.call("POST", f"{path_of(webhook)}/slack", slack)
    assert (answer.status, answer.code) == (400, 50035)


async def test_redirect_to_a_picture_has_only_characters_of_urls(world: World) -> None:
    webhook = await create_webhook(await world.guild(owner="alice"))
    url = "https://example.org/ü b/%41?a=b&c[]=d#\u202e"
    sent = await send(world, webhook, content="x", avatar_url=url)
    path = f"{world.url}/avatars/{webhook['id']}/{sent['author']['avatar']}.png"
    async with world.http.get(path, allow_redirects=False) as answer:
        assert answer.status == 302
        assert answer.headers["Location"] == (
            "https://example.org/%C3%BC%20b/%41?a=b&c[]=d#%E2%80%AE"
        )


async def test_refused_message_stores_no_picture(world: World, database: Database) -> None:
    webhook = await create_webhook(await world.guild(owner="alice"))
    url = "https://example.org/a.png"
    answer = await world.anonymous.call("POST", path_of(webhook), {"avatar_url": url})
    assert (answer.status, answer.code) == (400, 50006)
    async with database.cursor() as cur:
        await cur.execute(
            "SELECT FROM webhook_avatars WHERE webhook_id = %(id)s", {"id": int(webhook["id"])}
        )
        assert cur.rowcount == 0
