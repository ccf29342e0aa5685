"""Access that the cache derives from two entries is the access that Postgres has."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from chatd.context.context import Context
from chatd.core.errors import MissingAccess
from chatd.core.ids import ChannelId, GuildId, LoginId, UserId
from chatd.core.models import Caller, User
from chatd.core.permissions import EVERYONE, Permissions
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.services.access import access
from chatd.services.access.access import AnyAccess
from chatd.services.access.access_cache import AccessCache
from tests.helpers.databases import NewDatabase
from tests.helpers.examples import examples

GUILD = GuildId(1)
ROLES = (10, 11)
OWNER, BOB, CAROL = USERS = (UserId(4), UserId(5), UserId(6))
CHANNELS = (ChannelId(20), ChannelId(21))

_FILL = f"""
    INSERT INTO users (id, username, username_key, email, email_key, password_hash)
    SELECT id, name, name, name, name, ''
      FROM unnest(ARRAY{[*USERS]}) AS id, concat('user', id) AS name;
    INSERT INTO streams (id, version) VALUES ({GUILD}, 7);
    INSERT INTO guilds (id, name, owner_id) VALUES ({GUILD}, 'guild', {OWNER});
    INSERT INTO guild_members (guild_id, user_id) SELECT {GUILD}, unnest(ARRAY{[*USERS]});
    INSERT INTO channels (id, guild_id, type, name, rate_limit_per_user)
    SELECT id, {GUILD}, 0, concat('channel', id), id FROM unnest(ARRAY{[*CHANNELS]}) AS id;
"""


@pytest.fixture(scope="module")
async def database(migrated_database: NewDatabase) -> AsyncIterator[Database]:
    url = migrated_database("derived")
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cur:
        cur.execute(_FILL)
    connection.close()
    opened = Database(url, size=1)
    await opened.open()
    yield opened
    await opened.close()


@dataclass(frozen=True)
class Rules:
    """The permissions of a guild: of its roles, and the overwrites of each channel by target."""

    roles: Mapping[int, int]
    assigned: Sequence[tuple[UserId, int]]
    overwrites: Sequence[Mapping[int, tuple[int, int]]]
    timed_out: frozenset[UserId]
    mfa_level: int


_FLAGS = st.lists(
    st.sampled_from(
        [
            Permissions.VIEW_CHANNEL,
            Permissions.SEND_MESSAGES,
            Permissions.READ_MESSAGE_HISTORY,
            Permissions.MANAGE_MESSAGES,
        ]
    ),
    max_size=3,
).map(lambda flags: int(sum(set(flags))))
_RULES = st.builds(
    Rules,
    st.fixed_dictionaries(
        {
            int(GUILD): st.sampled_from([0, int(EVERYONE), int(EVERYONE)]),
            ROLES[0]: _FLAGS,
            ROLES[1]: _FLAGS | st.just(int(Permissions.ADMINISTRATOR)),
        }
    ),
    st.lists(st.tuples(st.sampled_from(USERS), st.sampled_from(ROLES)), unique=True),
    st.lists(
        st.dictionaries(
            st.sampled_from([int(GUILD), *ROLES, *USERS]), st.tuples(_FLAGS, _FLAGS), max_size=5
        ),
        min_size=2,
        max_size=2,
    ),
    st.frozensets(st.sampled_from([BOB, CAROL])),
    st.sampled_from([0, 0, 1]),
)
_PLAIN = Rules({int(GUILD): int(EVERYONE), 10: 0, 11: 0}, [], [{}, {}], frozenset(), 0)


async def _set(cur: Cursor, rules: Rules) -> None:
    rows: dict[str, Sequence[Mapping[str, object]]] = {
        "roles": [
            {"id": role, "guild_id": GUILD, "name": "role", "permissions": granted, "color": 0}
            | {"hoist": False, "mentionable": False, "position": role}
            for role, granted in rules.roles.items()
        ],
        "member_roles": [
            {"guild_id": GUILD, "user_id": user_id, "role_id": role}
            for user_id, role in rules.assigned
        ],
        "overwrites": [
            {"guild_id": GUILD, "channel_id": channel_id, "target_id": target}
            | {"type": int(target in USERS), "allow": allow, "deny": deny}
            for channel_id, found in zip(CHANNELS, rules.overwrites, strict=True)
            for target, (allow, deny) in found.items()
        ],
    }
    for table, made in rows.items():
        names = ", ".join(made[0]) if made else "guild_id"
        await cur.execute(
            f"INSERT INTO {table} ({names})"
            f" SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, %(rows)s::jsonb)",
            {"rows": json.dumps(made)},
        )
    await cur.execute(
        "UPDATE guild_members SET communication_disabled_until = %(until)s"
        " WHERE user_id = ANY(%(users)s::bigint[])",
        {"until": datetime.now(UTC) + timedelta(hours=1), "users": [*rules.timed_out]},
    )
    await cur.execute("UPDATE guilds SET mfa_level = %(level)s", {"level": rules.mfa_level})


def _context(cur: Cursor, user_id: UserId) -> Context:
    def cursor() -> AbstractAsyncContextManager[Cursor]:
        return nullcontext(cur)

    dependencies: Any = SimpleNamespace(database=SimpleNamespace(cursor=cursor))
    caller = Caller(User(user_id, "name", None, None, bot=False), LoginId(1))
    return Context(dependencies, caller)


async def _load(cache: AccessCache, cur: Cursor, user_id: UserId, channel: ChannelId) -> None:
    with suppress(MissingAccess):
        await cache.load(_context(cur, user_id), channel)


async def _stored(cur: Cursor, user_id: UserId, channel_id: ChannelId) -> AnyAccess | None:
    try:
        return await access.channel(cur, user_id, channel_id)
    except MissingAccess:
        return None


@settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(_RULES, st.sampled_from([OWNER, BOB]), st.sampled_from([BOB, CAROL]))
@example(_PLAIN, OWNER, BOB)
@example(replace(_PLAIN, overwrites=[{}, {int(BOB): (0, 1 << 11), 10: (1, 2)}]), OWNER, BOB)
async def test_derived_access_is_the_stored_one(
    database: Database, rules: Rules, other: UserId, user_id: UserId
) -> None:
    here, there = CHANNELS
    work = await database.begin()
    try:
        await _set(work.cur, rules)
        cache = AccessCache()
        await _load(cache, work.cur, user_id, here)
        await _load(cache, work.cur, other, there)
        derived = cache.get(_context(work.cur, user_id), there)
        stored = await _stored(work.cur, user_id, there)
        both_see = await _stored(work.cur, user_id, here) and await _stored(work.cur, other, there)
        if derived is not None:
            assert derived == stored
        elif stored is not None and both_see:
            assert user_id in rules.timed_out or rules.mfa_level
        event("derived" if derived is not None and user_id != other else "not derived")
    finally:
        await work.rollback()


async def test_nothing_is_derived_from_another_version(database: Database) -> None:
    here, there = CHANNELS
    work = await database.begin()
    try:
        await _set(work.cur, _PLAIN)
        cache = AccessCache()
        await cache.load(_context(work.cur, BOB), here)
        await work.cur.execute("UPDATE streams SET version = version + 1")
        await cache.load(_context(work.cur, CAROL), there)
        bob = _context(work.cur, BOB)
        assert cache.get(bob, there) is None
        await cache.load(bob, here)
        assert cache.get(bob, there) == await access.channel(work.cur, BOB, there)
    finally:
        await work.rollback()


async def test_nothing_is_derived_from_what_was_invalidated(database: Database) -> None:
    here, there = CHANNELS
    work = await database.begin()
    try:
        await _set(work.cur, _PLAIN)
        cache = AccessCache()
        bob, carol = _context(work.cur, BOB), _context(work.cur, CAROL)
        for ctx in (bob, carol):
            await cache.load(ctx, here)
        await cache.load(carol, there)
        assert cache.get(bob, there) is not None
        cache.invalidate(bob, there)
        await cache.load(carol, there)
        assert cache.get(bob, there) is None
    finally:
        await work.rollback()


@pytest.mark.parametrize(("count", "is_derived"), [(20, True), (21, False)])
async def test_channel_with_many_overwrites_is_loaded_for_each_member(
    database: Database, count: int, is_derived: bool
) -> None:
    here, there = CHANNELS
    many = dict.fromkeys(range(100, 100 + count), (0, 0))
    work = await database.begin()
    try:
        await _set(work.cur, replace(_PLAIN, overwrites=[{}, many]))
        cache = AccessCache()
        await cache.load(_context(work.cur, BOB), here)
        await cache.load(_context(work.cur, CAROL), there)
        assert (cache.get(_context(work.cur, BOB), there) is not None) == is_derived
    finally:
        await work.rollback()
