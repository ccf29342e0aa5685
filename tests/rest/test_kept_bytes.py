"""Content stays the same, byte for byte, in the response, in the event, and in the history."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.world import World

TEXTS = (
    "\\",
    "\\\\u0041 \\n \\' \\\" \\x00 \\u0000",
    "'; DROP TABLE messages; --",
    "E'\\x41' $$ $1 %s %(rows)s %% {0} {rows}",
    '"}]\', null, {"content": "',
    "\u2028\u2029\x7f\x1b\x01\x1f\u0085",
    "\u00e9 e\u0301 \u212b \ufb01 \ufeff\u200b\u200d\u202e",  # not normalized
    "\U0001f600\U0010ffff\ufffe\uffff\ud7ff\ue000" * 100,
    "a\r\nb\tc\x0b\x0c\b",
    "\U0001f600" * 2000,
    "<script>&amp;</script>",
    "9" * 2000,
    "1e999 NaN Infinity -0",
)
EMBED = {
    "title": "\\u0000 '\" \\",
    "description": "\U0010ffff\u2028%s",
    "url": "https://example.org/\\?a='&b=%27%00",
    "color": 0xFFFFFF,
    "timestamp": "2026-01-01T00:00:00.123456+00:00",
    "fields": [{"name": "\\", "value": "{}", "inline": True}],
}
NONCES: tuple[str | int, ...] = (
    "\\", "'", "\U0001f600" * 25, " x ", "\x01", 0, -1, 2**63 - 1, 1 - 2**63
)  # fmt: skip


async def test_content_is_kept_byte_for_byte(world: World) -> None:
    guild = await world.guild(owner="alice")
    _, private = await world.friends("alice", "bob")
    rest = world.rest("alice")
    direct = await rest.post("/users/@me/channels", {"recipient_id": private.id})
    [client] = await world.online("alice")
    for channel in (guild.general.id, direct["id"]):
        path = f"/channels/{channel}/messages"
        bodies: list[dict[str, Any]] = [{"content": text} for text in TEXTS]
        bodies += [{"content": "x", "nonce": each, "enforce_nonce": True} for each in NONCES]
        bodies += [{"embeds": [EMBED]}]
        sent = await asyncio.gather(
            *(rest.post(path, body) for body in bodies)
        )  # concurrently: in few batches
        published = {}
        for _ in bodies:
            received = (await client.next("MESSAGE_CREATE")).d
            published[received["id"]] = received
        read = {each["id"]: each for each in await rest.get(f"{path}?limit=100")}
        for body, answer in zip(bodies, sent, strict=True):
            for found in (answer, published[answer["id"]], read[answer["id"]]):
                assert found["content"] == body.get("content", "").strip()
                assert found["embeds"] == [
                    {"type": "rich", **each} for each in body.get("embeds", ())
                ]
            assert published[answer["id"]].get("nonce") == body.get("nonce")
            if "nonce" in body:
                assert (await rest.post(path, body))["id"] == answer["id"]
