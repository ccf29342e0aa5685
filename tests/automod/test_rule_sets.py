"""Compiled rules: what they find, what they keep in memory, and where long checks run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from chatd.automod import presets, rule_set, rule_sets, spam
from chatd.automod.folding import collapse
from chatd.automod.patterns import (
    MAX_SIZE,
    Pattern,
    PatternError,
    PatternMatcher,
    require_bounded,
)
from chatd.automod.rule_set import Checked, CompiledRule, RuleSet
from chatd.automod.rule_sets import RuleSets
from chatd.automod.spam import RecentCounts
from chatd.core.automod import (
    Action,
    ActionType,
    EventType,
    Preset,
    Rule,
    TriggerMetadata,
    TriggerType,
)
from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import AutoModRuleId, ChannelId, GuildId, RoleId, UserId

GUILD, OWNER = GuildId(1), UserId(1)


def rule(number: int = 1, kind: TriggerType = TriggerType.KEYWORD, **metadata: Any) -> Rule:
    return Rule(
        AutoModRuleId(number),
        GUILD,
        UserId(1),
        "rule",
        EventType.MESSAGE_SEND,
        kind,
        TriggerMetadata(**metadata),
        (Action(ActionType.BLOCK_MESSAGE),),
        True,
        (RoleId(5),),
        (ChannelId(6),),
    )


LINK = r"https?://[^\s<]+[^\s<.,]"


@pytest.mark.parametrize(
    ("pattern", "allowed", "text", "found"),
    [
        (LINK, "https://x.org/*", "see https://x.org/a/b?c=d", None),
        (LINK, "https://x.org/*", "https://x.org/", None),
        (LINK, "https://x.org/*", "https://x.org/a<>https://y.org/b", "https://y.org/b"),
        (
            LINK,
            "https://x.org/*",
            "https://x.org/a,https://y.org/b",
            "https://x.org/a,https://y.org/b",
        ),
        (LINK, "https://x.org/*", "https://x.org.y.org/a", "https://x.org.y.org/a"),
        (LINK, "https://x.org*", "https://x.org.y.org/a", "https://x.org.y.org/a"),
        (LINK, "https://x.org*", "https://x.org@y.org/a", "https://x.org@y.org/a"),
        (r"\S+@\S+", "*x.org", "a@y.x.org", "a@y.x.org"),
        (r"\S+@\S+", "*@x.org", "write to first.last@x.org", None),
        (r"\S+@\S+", "*@x.org", "a@y.org,first.last@x.org", "a@y.org,first.last@x.org"),
        (r"\S+@\S+", "*@x.org", "first.last@x.org.example", "first.last@x.org.example"),
        (
            LINK,
            "https://x.org/*",
            "https://x.org/ß\u200bhttps://y.org",
            "https://x.org/ß\u200bhttps://y.org",
        ),
        (r".{1,4}word", "goodword", "goodword badword", " badword"),
    ],
)
def test_wildcard_beside_punctuation_allows_what_a_pattern_finds(
    pattern: str, allowed: str, text: str, found: str | None
) -> None:
    compiled = CompiledRule(rule(regex_patterns=(pattern,), allow_list=(allowed,)))
    match = compiled.find_words(Checked(text))
    assert (match and match.content) == found


@pytest.fixture
async def sets() -> AsyncIterator[RuleSets]:
    made = RuleSets()
    yield made
    made.close()


def found(text: str, *rules: Rule) -> list[tuple[int, str | None]]:
    compiled = RuleSet(1, rules).applicable(9, [])
    triggered = rule_set.check(compiled, Checked(text))
    return [(each.rule.id, each.match.content) for each in triggered]


def test_all_triggered_rules_are_returned_with_the_text_as_written() -> None:
    words = rule(1, keyword_filter=("bad",))
    other = rule(2, regex_patterns=("B[a-z]+",))
    assert found("so BAD, Bob", words, other) == [(1, "BAD"), (2, "Bob")]
    assert found("ﬁne, bad", words) == [(1, "bad")]  # folding has moved the rest of the text
    assert found("good", words, other) == []


def test_exempt_roles_and_channels_and_disabled_rules_are_left_out() -> None:
    compiled = RuleSet(1, [rule()])
    assert len(compiled.applicable(9, [4])) == 1
    assert compiled.applicable(9, [4, 5]) == []
    assert compiled.applicable(6, []) == []


@pytest.mark.parametrize(
    "text", ["(", "[", "a{1001}", "(?=x)", "(?<!x)y", r"(a)\1", "(a{30}){90}", "\\"]
)
def test_malformed_and_large_patterns_are_refused(text: str) -> None:
    with pytest.raises(PatternError) as refused:
        Pattern(text)
    assert str(refused.value)


def test_patterns_are_bounded_together() -> None:
    text = "(a{31}){31}(b{31}){31}"
    assert MAX_SIZE * 0.9 < Pattern(text).size <= MAX_SIZE
    require_bounded([text] * 2)
    with pytest.raises(PatternError):
        require_bounded([text] * 3)


def test_pattern_matches_bytes_of_any_text() -> None:
    assert list(Pattern("é.").matches("aéü😀".encode())) == ["éü"]
    assert list(Pattern("").matches(b"ab")) == ["", "", ""]
    assert list(Pattern(r"\C").matches("é".encode()))[:1] == ["\ufffd"]


@pytest.mark.parametrize(
    "texts",
    [
        ["(?i)bad", "worse"],
        ["a|b", "c$", "^d"],
        [r"\Qx.y", "z"],
        [r"\Qx.y\E", "z"],
        ["(a{31}){31}(b{31}){31}", "(c{31}){31}(d{31}){31}", "z"],
        ["z*", "y"],
    ],
)
@pytest.mark.parametrize("text", ["BAD", "WORSE", "worse", "xbx", "cd", "dc", "x.y", "z)|(?:z", ""])
def test_patterns_of_a_rule_match_as_each_alone(texts: list[str], text: str) -> None:
    alone = [(each, list(Pattern(each).matches(text.encode()))) for each in texts]
    expected = [(each, match) for each, several in alone for match in several]
    together = PatternMatcher(texts).matches(text.encode())
    assert [(pattern.text, match) for pattern, match in together] == expected


@pytest.mark.parametrize("preset", Preset)
def test_lists_of_the_server_have_keywords(preset: Preset) -> None:
    listed = presets.words(preset)
    assert len(listed) > 10
    assert len(set(listed)) == len(listed)
    for word in listed:
        assert found(
            f"x {word.strip('*')} x", rule(1, TriggerType.KEYWORD_PRESET, presets=(preset,))
        )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", False),
        ("la " * 16, True),
        ("la " * 15, False),
        ("one line\n" * 16, True),
        ("a few words of the text, and of the rest of the text, " * 10, False),
        (" ".join(f"https://example.org/{n}" for n in range(8)), False),
        (" ".join(f"https://example.org/{n}" for n in range(9)), True),
        ("https://example.org/ " * 9, False),
        (" ".join(f"discord.gg/abc{n}" for n in range(4)), True),
        (" ".join(f"https://chat.example/invite/abc{n}" for n in range(4)), True),
    ],
)
def test_spam_is_repetition_and_many_links(text: str, expected: bool) -> None:
    assert spam.is_spam(collapse(text), text) == expected


def test_recent_counts_end_with_their_window_and_are_bounded() -> None:
    now = [0.0]
    counts: RecentCounts[int] = RecentCounts(10.0, lambda: now[0])
    counts.add(1)
    now[0] = 9.0
    counts.add(1, 2)
    assert counts.count(1) == 3
    now[0] = 10.0
    assert counts.count(1) == 0
    counts.add(1)
    assert counts.count(1) == 1
    for key in range(2, 30_000):
        counts.add(key)
    assert counts.count(1) == 0
    assert counts.count(29_999) == 1
    assert len(counts._counts) <= 20_000


async def test_rules_are_read_once_for_concurrent_messages(sets: RuleSets) -> None:
    reads: list[int] = []

    async def read() -> tuple[int, Sequence[Rule]]:
        reads.append(1)
        await asyncio.sleep(0)
        return 7, [rule()]

    loaded = await asyncio.gather(*(sets.load(GUILD, OWNER, 7, read) for _ in range(9)))
    assert len(reads) == 1
    assert len(set(map(id, loaded))) == 1
    assert sets.get(GUILD, 7) is loaded[0]
    assert sets.get(GUILD, 6) is loaded[0]  # the insert refuses what earlier rules have allowed
    assert sets.get(GUILD, 8) is None


async def test_failed_read_is_repeated(sets: RuleSets) -> None:
    async def fail() -> tuple[int, Sequence[Rule]]:
        raise ServiceUnavailable

    async def read() -> tuple[int, Sequence[Rule]]:
        return 1, [rule()]

    with pytest.raises(ServiceUnavailable):
        await sets.load(GUILD, OWNER, 1, fail)
    assert (await sets.load(GUILD, OWNER, 1, read)).revision == 1


async def test_compiled_rules_are_bounded_in_memory(sets: RuleSets) -> None:
    large = [rule(n, regex_patterns=tuple(f"x{n}y{m}" for m in range(10))) for n in range(6)]

    async def read() -> tuple[int, Sequence[Rule]]:
        return 1, large

    for number in range(1, 8):
        await sets.load(GuildId(number), OWNER, 1, read)
    kept = [number for number in range(1, 8) if sets.get(GuildId(number), 1) is not None]
    assert kept == [6, 7]


async def test_small_rules_of_many_guilds_are_bounded_in_memory(
    sets: RuleSets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_sets, "_MAX_BYTES", 100_000)

    async def read() -> tuple[int, Sequence[Rule]]:
        return 1, [rule(1, TriggerType.SPAM)]

    for number in range(1, 100):
        await sets.load(GuildId(number), OWNER, 1, read)
    kept = [number for number in range(1, 100) if sets.get(GuildId(number), 1) is not None]
    assert kept
    assert len(kept) < 20
    assert kept[-1] == 99


async def test_checks_for_guilds_of_one_owner_take_turns(sets: RuleSets) -> None:
    """So other owners wait for one of them at most, not for one of each guild."""
    slow = RuleSet(1, [rule(1, regex_patterns=("(a|b)*a(a|b){200}c",))]).applicable(9, [])
    long = Checked("ab" * 2000)
    async with sets._turn(OWNER):
        waiting = asyncio.create_task(sets.check(OWNER, slow, long))
        assert await sets.check(UserId(2), slow, long) == []
        assert not waiting.done()
    assert await waiting == []


async def test_owner_of_slow_rules_uses_up_its_share_only(
    sets: RuleSets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_sets, "_THREAD_MS", -1)
    monkeypatch.setattr(rule_sets, "_with_time", lambda _, *__: ([], 1))
    slow = RuleSet(1, [rule(1, regex_patterns=("(a|b)*a(a|b){200}c",))]).applicable(9, [])
    long = Checked("ab" * 2000)
    with pytest.raises(ServiceUnavailable):
        await sets.check(OWNER, slow, long)
    monkeypatch.setattr(rule_sets, "_THREAD_MS", 0)
    assert await sets.check(OWNER, slow, long) == []
    with pytest.raises(ServiceUnavailable):
        await sets.check(OWNER, slow, long)
    assert await sets.check(OWNER, slow, Checked("short")) == []
    assert await sets.check(UserId(2), slow, long) == []


def test_stored_rule_that_cannot_be_compiled_does_not_stop_the_others() -> None:
    """Another version of the server may accept more."""
    stored = rule(1, keyword_filter=("bad",), regex_patterns=("(", "worse"))
    newer = rule(2, TriggerType.MEMBER_PROFILE, keyword_filter=("bad",))
    assert found("bad", stored, newer) == [(1, "bad")]
    assert found("worse", stored, newer) == [(1, "worse")]


async def test_long_check_runs_in_a_thread(sets: RuleSets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short ones do not: a thread costs more than they do."""
    threads: list[threading.Thread] = []

    def find(_: CompiledRule, checked: Checked) -> None:
        threads.append(threading.current_thread())

    monkeypatch.setattr(CompiledRule, "find", find)
    hostile = RuleSet(1, [rule(1, regex_patterns=("(a|b)*a(a|b){200}c",))]).applicable(9, [])
    await sets.check(OWNER, hostile, Checked("ab" * 2000))
    await sets.check(OWNER, hostile, Checked("hello"))
    assert [thread is threading.main_thread() for thread in threads] == [False, True]
