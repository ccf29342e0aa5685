"""Rules of AutoModeration, and the revision of those of a guild."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from chatd.core.automod import (
    FIELDS_OF,
    Action,
    ActionType,
    EventType,
    Preset,
    Rule,
    TriggerMetadata,
    TriggerType,
)
from chatd.core.ids import AutoModRuleId, GuildId
from chatd.db.cursor import Cursor, PreparedStatement, many, one

_COLUMNS = """
    auto_moderation_rules.id, guild_id, creator_id, auto_moderation_rules.name, event_type,
    trigger_type, trigger_metadata, actions, enabled, exempt_roles, exempt_channels
"""


def _make(*row: Any) -> Rule:
    rule_id, guild_id, creator_id, name, event_type, trigger_type, metadata, actions, *rest = row
    enabled, exempt_roles, exempt_channels = rest
    return Rule(
        rule_id,
        guild_id,
        creator_id,
        name,
        EventType(event_type),
        TriggerType(trigger_type),
        _metadata(metadata),
        tuple(_action(each) for each in actions),
        enabled,
        tuple(exempt_roles),
        tuple(exempt_channels),
    )


def _metadata(stored: dict[str, Any]) -> TriggerMetadata:
    fields: dict[str, Any] = {
        key: tuple(each) if isinstance(each, list) else each for key, each in stored.items()
    }
    if "presets" in fields:
        fields["presets"] = tuple(map(Preset, fields["presets"]))
    return TriggerMetadata(**fields)


def _action(stored: dict[str, Any]) -> Action:
    return Action(**{**stored, "type": ActionType(stored["type"])})


def _parameters(rule: Rule) -> dict[str, Any]:
    metadata = {name: getattr(rule.metadata, name) for name in FIELDS_OF[rule.trigger_type]}
    return {
        "id": rule.id,
        "guild_id": rule.guild_id,
        "creator_id": rule.creator_id,
        "name": rule.name,
        "event_type": int(rule.event_type),
        "trigger_type": int(rule.trigger_type),
        "trigger_metadata": orjson.dumps(metadata).decode(),
        "actions": orjson.dumps(rule.actions).decode(),
        "enabled": rule.enabled,
        "exempt_roles": list(rule.exempt_roles),
        "exempt_channels": list(rule.exempt_channels),
    }


async def insert(cur: Cursor, rule: Rule) -> None:
    """Add a rule to its guild."""
    await cur.execute(
        """
        INSERT INTO auto_moderation_rules
               (id, guild_id, creator_id, name, event_type, trigger_type, trigger_metadata, actions,
                enabled, exempt_roles, exempt_channels)
        VALUES (%(id)s, %(guild_id)s, %(creator_id)s, %(name)s, %(event_type)s, %(trigger_type)s,
                %(trigger_metadata)s, %(actions)s, %(enabled)s, %(exempt_roles)s::bigint[],
                %(exempt_channels)s::bigint[])
        """,
        _parameters(rule),
    )


async def update(cur: Cursor, rule: Rule) -> None:
    """Write all columns of a rule that can change."""
    await cur.execute(
        """
        UPDATE auto_moderation_rules
           SET name = %(name)s, trigger_metadata = %(trigger_metadata)s, actions = %(actions)s,
               enabled = %(enabled)s, exempt_roles = %(exempt_roles)s::bigint[],
               exempt_channels = %(exempt_channels)s::bigint[]
         WHERE id = %(id)s AND guild_id = %(guild_id)s
        """,
        _parameters(rule),
    )


async def delete(cur: Cursor, guild_id: GuildId, rule_id: AutoModRuleId) -> None:
    """Delete a rule of a guild."""
    await cur.execute(
        "DELETE FROM auto_moderation_rules WHERE id = %(id)s AND guild_id = %(guild_id)s",
        {"id": rule_id, "guild_id": guild_id},
    )


async def get(cur: Cursor, guild_id: GuildId, rule_id: AutoModRuleId) -> Rule | None:
    """Return a rule of a guild."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM auto_moderation_rules
         WHERE id = %(id)s AND guild_id = %(guild_id)s
        """,
        {"id": rule_id, "guild_id": guild_id},
    )
    return await one(cur, _make)


async def list_for_guild(cur: Cursor, guild_id: GuildId) -> list[Rule]:
    """Return the rules of a guild, in the order of ids."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM auto_moderation_rules WHERE guild_id = %(guild_id)s ORDER BY id
        """,
        {"guild_id": guild_id},
    )
    return await many(cur, _make)


async def by_ids(cur: Cursor, guild_id: GuildId, rule_ids: Iterable[int]) -> list[Rule]:
    """Return those of these rules that a guild has, in the order of ids."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM auto_moderation_rules
         WHERE guild_id = %(guild_id)s AND id = ANY(%(ids)s::bigint[])
      ORDER BY id
        """,
        {"guild_id": guild_id, "ids": list(rule_ids)},
    )
    return await many(cur, _make)


_ENABLED = PreparedStatement(
    f"""
    SELECT guilds.automod_revision, {_COLUMNS}
      FROM guilds JOIN auto_moderation_rules ON guild_id = guilds.id AND enabled
     WHERE guilds.id = %(guild_id)s
  ORDER BY auto_moderation_rules.id
    """,
    guild_id="bigint",
)


async def enabled_in_guild(cur: Cursor, guild_id: GuildId) -> tuple[int, list[Rule]]:
    """Return the enabled rules of a guild, and the revision that they are of; 0 without any."""
    await cur.run(_ENABLED, {"guild_id": guild_id})
    rows = await many(cur, lambda revision, *row: (int(revision), _make(*row)))
    return (rows[0][0] if rows else 0), [rule for _, rule in rows]


async def raise_revision(cur: Cursor, guild_id: GuildId) -> None:
    """Make the revision of the rules of a guild larger. It is negative if no rule is enabled."""
    await cur.execute(
        """
        UPDATE guilds
           SET automod_revision = (abs(automod_revision) + 1)
                                  * CASE WHEN EXISTS (SELECT FROM auto_moderation_rules
                                                       WHERE guild_id = %(guild_id)s AND enabled)
                                         THEN 1 ELSE -1 END
         WHERE id = %(guild_id)s
        """,
        {"guild_id": guild_id},
    )
