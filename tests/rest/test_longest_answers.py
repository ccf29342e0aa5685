"""The longest answers of all lists are made in time slices: each turn of the loop does a part."""

from __future__ import annotations

import time

import pytest
from aiohttp import ClientSession

from chatd.core import time_slices
from chatd.db.pool import Database
from tests.conftest import Server
from tests.helpers import loop_time
from tests.helpers.large_guilds import fill
from tests.world import Guild, World

_LARGEST_SHARE = 0.25
"""The largest part of the CPU time of a request that one turn of the loop may take."""

_TRIES = 20
"""Measurements of an answer, at most. The shortest answers take only 15 ms: on a busy machine, with
its cold caches, a third of the measurements are above the bound."""

_FILL = """
    INSERT INTO messages (channel_id, id, author_id, content, attachment_count, pinned_at)
    SELECT %(files)s, %(files)s + n, %(me)s, 'plum', 10, now() FROM generate_series(1, 100) AS n;
    INSERT INTO attachments
           (channel_id, message_id, id, filename, content_type, size, description)
    SELECT %(files)s, %(files)s + 1 + n %% 100, %(files)s + n, repeat(chr(128512), 260),
           'text/plain', 1, repeat(chr(128512), 1024)
      FROM generate_series(0, 999) AS n;

    INSERT INTO messages
           (channel_id, id, author_id, content, attachment_count, mentions, embeds, pinned_at)
    SELECT %(embeds)s, %(now)s + n, %(first)s, 'plum', 0, ARRAY[%(me)s::bigint],
           (SELECT jsonb_agg(jsonb_build_object('type', 'rich', 'title', 'plum', 'fields', fields))
              FROM generate_series(1, 10),
                   (SELECT jsonb_agg(jsonb_build_object(
                               'name', repeat(chr(128512), 10), 'value', 'x', 'inline', false))
                           AS fields
                      FROM generate_series(1, 25)) AS made),
           now()
      FROM generate_series(1, 100) AS n;
    UPDATE streams SET last_message_id = %(now)s + 100 WHERE id = %(guild)s;

    INSERT INTO users (id, username, username_key, global_name, email, email_key, password_hash)
    SELECT n, 'u' || n, 'u' || n, repeat(chr(128512), 32), 'u' || n, 'u' || n, ''
      FROM generate_series(%(first)s, %(first)s + 999) AS n;
    INSERT INTO guild_members (guild_id, user_id, nick)
    SELECT %(guild)s, n, repeat(chr(128512), 32)
      FROM generate_series(%(first)s, %(first)s + 999) AS n;
    INSERT INTO member_roles (guild_id, user_id, role_id)
    SELECT %(guild)s, n, %(guild)s + 1000 + role
      FROM generate_series(%(first)s, %(first)s + 999) AS n, generate_series(1, 50) AS role;
    INSERT INTO bans (guild_id, user_id, reason)
    SELECT %(guild)s, n, repeat(chr(128512), 512)
      FROM generate_series(%(first)s, %(first)s + 999) AS n;
    INSERT INTO relationships (user_id, other_id, type)
    SELECT %(me)s, n, 1 FROM generate_series(%(first)s, %(first)s + 999) AS n;
    INSERT INTO invites (code, guild_id, channel_id, inviter_id, max_age, max_uses, uses)
    SELECT 'long' || n, %(guild)s, %(files)s, n, 0, 0, 0
      FROM generate_series(%(first)s, %(first)s + 999) AS n;
    INSERT INTO webhooks (id, type, guild_id, channel_id, creator_id, name)
    SELECT n, 1, %(guild)s, %(files)s, n, repeat(chr(128512), 80)
      FROM generate_series(%(first)s, %(first)s + 999) AS n;
    INSERT INTO audit_logs (guild_id, id, user_id, target_id, action_type, reason, changes)
    SELECT %(guild)s, %(now)s + n, %(me)s, %(files)s, 11, repeat(chr(128512), 512),
           jsonb_build_array(jsonb_build_object(
               'key', 'topic', 'old_value', repeat(chr(128512), 1024),
               'new_value', repeat(chr(129512), 1024)))
      FROM generate_series(1, 100) AS n;

    -- As the autovacuum daemon does within a minute. With the statistics of the small tables that
    -- other tests leave, the roles of a thousand members take ten seconds.
    ANALYZE
"""

_PATHS = (
    "/channels/{files}/messages?limit=100",
    "/channels/{embeds}/messages?limit=100",
    "/channels/{files}/pins",
    "/channels/{files}/messages/pins?limit=50",
    "/channels/{embeds}/pins",
    "/channels/{embeds}/messages/pins?limit=50",
    "/channels/{embeds}/messages/search?content=plum",
    "/channels/{files}/messages/search?content=plum",
    "/users/@me/mentions?limit=100",
    "/guilds/{guild}/members?limit=1000",
    "/guilds/{guild}/members/search?query=u&limit=1000",
    "/guilds/{guild}/bans?limit=1000",
    "/guilds/{guild}/audit-logs?limit=100",
    "/guilds/{guild}/invites",
    "/channels/{files}/invites",
    "/guilds/{guild}/webhooks",
    "/channels/{files}/webhooks",
    "/guilds/{guild}/channels",
    "/users/@me/relationships",
)


async def _filled(world: World, server: Server, database: Database) -> tuple[Guild, dict[str, int]]:
    """Make a guild with the longest lists, and return it with the ids of its parts."""
    guild = await world.guild(owner="alice")
    embeds = await guild.channel("embeds")
    path = f"/channels/{embeds.id}/messages"
    newest = int((await guild.owner.rest.post(path, {"content": "x"}))["id"])
    fill(server.config.database_url, int(guild.id))
    ids = {
        "guild": int(guild.id),
        "files": int(guild.general.id),
        "embeds": int(embeds.id),
        "me": int(guild.owner.id),
        "now": newest,
        "first": int(guild.id) + 100_000,
    }
    async with database.cursor() as cur:
        await cur.execute(_FILL, ids)
    return guild, ids


async def test_longest_answers_are_made_in_parts(
    world: World, server: Server, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_slices, "_SLICE_S", 0.0)  # so that each step is a slice
    guild, ids = await _filled(world, server, database)
    headers = {"Authorization": f"Bearer {guild.owner.token}"}
    failed: dict[str, tuple[float, int]] = {}
    async with ClientSession(headers=headers) as client:
        for path in _PATHS:
            for _ in range(_TRIES):
                share, size = await _largest_share(client, world.url + path.format_map(ids))
                if share < _LARGEST_SHARE:
                    break
            if share >= _LARGEST_SHARE or size < 100_000:
                failed[path] = share, size
    assert failed == {}


async def _largest_share(client: ClientSession, url: str) -> tuple[float, int]:
    """Return the part of the CPU time that the longest turn takes, and the size of the answer."""
    began = time.thread_time()
    size = 0
    with loop_time.no_collection(), loop_time.turns() as measured:
        async with client.get(url) as response:
            async for part in response.content.iter_any():
                size += len(part)
    assert response.status == 200, url
    return measured.longest_s / (time.thread_time() - began), size
