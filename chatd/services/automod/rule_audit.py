"""Changes of rules in the audit log.

A rule has up to 2,000 words, and a page of the audit log 100 entries. So an entry has the first
words that were added and removed, as `$add_keyword_filter` and `$remove_keyword_filter`, and never
whole lists.
"""

from __future__ import annotations

from typing import Any, Final

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.audit import AuditAction, AuditChange
from chatd.core.automod import Rule
from chatd.services.guilds import audit_log
from chatd.wire import payloads

_LISTS: Final = ("keyword_filter", "regex_patterns", "allow_list")
_MAX_WORDS: Final = 20
"""Words of each list in an entry."""


async def record(
    ctx: Context, work: UnitOfWork, action: AuditAction, before: Rule | None, after: Rule | None
) -> None:
    """Record that a rule was created (`before` is None), changed, or deleted (`after` is None)."""
    rule = after or before
    assert rule is not None
    changes = audit_log.changes(_fields(before), _fields(after))
    for name in _LISTS:
        changes += _changed_words(name, before, after)
    await audit_log.record(ctx, work, rule.guild_id, action, rule.id, changes=changes)


def _fields(rule: Rule | None) -> dict[str, Any] | None:
    """Return the fields of a rule without its lists of words."""
    if rule is None:
        return None
    fields = payloads.automod_rule(rule)
    metadata = fields["trigger_metadata"].items()
    return {**fields, "trigger_metadata": {k: each for k, each in metadata if k not in _LISTS}}


def _changed_words(name: str, before: Rule | None, after: Rule | None) -> list[AuditChange]:
    old = () if before is None else getattr(before.metadata, name)
    new = () if after is None else getattr(after.metadata, name)
    known, wanted = set(old), set(new)
    added = [word for word in new if word not in known][:_MAX_WORDS]
    removed = [word for word in old if word not in wanted][:_MAX_WORDS]
    changes: list[AuditChange] = []
    if added:
        changes.append({"key": f"$add_{name}", "new_value": added})
    if removed:
        changes.append({"key": f"$remove_{name}", "new_value": removed})
    return changes
