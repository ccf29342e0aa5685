"""Creating messages in a guild with as many and as long rules of AutoModeration as it can have.

The same server creates messages in a guild without rules in turns, so the ratio is what rules cost.
"""

from __future__ import annotations

import random
import time
from functools import partial
from typing import Any

from chatd.automod.rule_set import Checked, RuleSet, check
from chatd.core.automod import (
    Action,
    ActionType,
    EventType,
    Preset,
    Rule,
    TriggerMetadata,
    TriggerType,
)
from chatd.core.ids import AutoModRuleId, GuildId, UserId
from tests.bench import create, measuring, report
from tests.bench.http import Connection
from tests.bench.measuring import Subject
from tests.bench.report import Row

_AT_ONCE = 16
_PATTERNS = [
    *(r"\bfree\s+nitro\b", r"(?i)discord\.gg/\w+", r"https?://[\w.-]+\.(ru|tk|ml)\b"),
    *(r"(?i)\bbuy\s+(cheap\s+)?gold\b", r"\d{3}-\d{2}-\d{4}", r"(?i)[a@]bc+h[o0]le", r"x{5,}"),
    *(r"(?i)\b\w{30,}\b", r"[A-Z]{20,}", r"(a|b)*a(a|b){6}z"),
]


def _bodies() -> list[dict[str, object]]:
    """Return the rules: all of a guild but that for spam, which would find the equal messages."""
    letters = random.Random(1)
    words = ["".join(letters.choices("abcdefghij", k=60)) for _ in range(6000)]
    triggers: list[tuple[int, dict[str, object]]] = [
        (1, {"keyword_filter": words[start : start + 1000]}) for start in range(0, 6000, 1000)
    ]
    triggers[0][1]["regex_patterns"] = _PATTERNS
    triggers += [(4, {"presets": list(Preset)}), (5, {"mention_total_limit": 5})]
    return [
        {
            "name": "bench",
            "event_type": 1,
            "trigger_type": kind,
            "trigger_metadata": metadata,
            "enabled": True,
        }
        for kind, metadata in triggers
    ]


def _longest_check_ms() -> float:
    """Return the CPU time of checking the 4,000 characters, of several kinds, that take longest."""
    letters = random.Random(1)
    words = " ".join("".join(letters.choices("abcdefghij", k=5)) for _ in range(700))
    applied = RuleSet(1, [_rule(body) for body in _bodies()]).applicable(0, [])
    longest_s = 0.0
    for text in (words, "".join(letters.choices("abcdefghij", k=4000)), *"!漢½㌖ﬃ！"):
        content, took_s = (text * 4000)[:4000], []
        for _ in range(7):
            began = time.thread_time()
            check(applied, Checked(content))
            took_s.append(time.thread_time() - began)
        longest_s = max(longest_s, min(took_s))
    return longest_s * 1000


def _rule(body: dict[str, Any]) -> Rule:
    fields: dict[str, Any] = {
        key: tuple(each) if isinstance(each, list) else each
        for key, each in body["trigger_metadata"].items()
    }
    return Rule(
        AutoModRuleId(1),
        GuildId(1),
        UserId(1),
        body["name"],
        EventType(body["event_type"]),
        TriggerType(body["trigger_type"]),
        TriggerMetadata(**fields),
        (Action(ActionType.BLOCK_MESSAGE),),
        enabled=True,
    )


async def rows(subject: Subject, *, rounds: int, seconds: float) -> list[Row]:
    """Return the row of a guild with rules, beside one without."""
    adapter, place = subject.adapter, subject.scene.places[1]
    owner = place.tokens[0]
    async with await Connection.to(subject.port) as connection:
        raw = adapter.call("GET", f"/channels/{place.channel}", owner)
        guild_id = (await connection.well(raw)).json["guild_id"]
        path = f"/guilds/{guild_id}/auto-moderation/rules"
        made = [
            (await connection.well(adapter.call("POST", path, owner, body))).json["id"]
            for body in _bodies()
        ]
    turn = partial(create.on_server, subject, at_once=_AT_ONCE, seconds=seconds)
    figures = await measuring.take_turns(
        {"off": partial(turn, place_number=0), "on": partial(turn, place_number=1)}, rounds=rounds
    )
    async with await Connection.to(subject.port) as connection:
        for rule_id in made:
            await connection.well(adapter.call("DELETE", f"{path}/{rule_id}", owner))
    row = report.row(adapter.name, f"create with 8 rules, {_AT_ONCE} at once", figures["on"])
    row.notes.append(f"4,000 characters take {_longest_check_ms():.1f} ms at most")
    return [report.beside(row, "the same without rules", figures["off"], "rate", at_least=0.9)]
