"""The rules of a guild, compiled once per change, and their application to one message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from chatd.automod import folding, presets, spam
from chatd.automod.keywords import Found, KeywordMatcher
from chatd.automod.patterns import Pattern, PatternMatcher
from chatd.core.automod import ActionType, Match, Rule, TriggerType

# Estimates of the time that a check takes at most, in nanoseconds for each character: of folding a
# text, of searching the keywords of a rule, and of comparing their matches with allowed words. A
# pattern takes the last for each byte and each of its instructions.
_FOLDING_NS: Final = 450
_KEYWORDS_NS: Final = 40
_ALLOWED_NS: Final = 600
_INSTRUCTION_NS: Final = 10

_RULE_BYTES: Final = 4096
"""Memory of a rule without words, and of the set of all rules of a guild: also thousands of guilds
with one rule for spam each are bounded."""

NO_MATCH: Final = Match()


@dataclass(frozen=True, slots=True)
class Triggered:
    """A rule that a message has triggered, and why."""

    rule: Rule
    match: Match

    @property
    def blocks(self) -> bool:
        """Whether the message must not be sent."""
        return any(action.type == ActionType.BLOCK_MESSAGE for action in self.rule.actions)


@dataclass(frozen=True)
class Checked:
    """What rules look at: a message, and what its author and other new members did before."""

    text: str
    mention_count: int = 0
    """The different users and roles that it mentions."""
    is_repeated: bool = False
    """Whether its author has sent the same text too often."""
    is_in_raid: bool = False
    """Whether its author is new, and new members mention too many users at the moment."""

    @cached_property
    def folded(self) -> str:
        """The text in which keywords are searched."""
        return folding.fold(self.text)

    @cached_property
    def encoded(self) -> bytes:
        """The text in which patterns are searched."""
        return self.text.encode()

    def excerpt(self, found: Found) -> str:
        """Return what was found as the author has written it, if folding has moved nothing."""
        excerpt = self.text[found.start : found.start + len(found.content)]
        return excerpt if folding.collapse(excerpt) == found.content else found.content


class CompiledRule:
    """A rule with its keywords and patterns, ready to be applied."""

    def __init__(self, rule: Rule) -> None:
        """Compile a rule."""
        self.rule = rule
        metadata = rule.metadata
        keywords = list(metadata.keyword_filter)
        for preset in metadata.presets:
            keywords += presets.words(preset)
        self._keywords = KeywordMatcher(keywords, metadata.allow_list)
        self._patterns = PatternMatcher(metadata.regex_patterns)
        self._exempt_roles = frozenset(rule.exempt_roles)
        self._exempt_channels = frozenset(rule.exempt_channels)
        self._find = _FINDERS[rule.trigger_type]
        self.cost_ns = (
            _KEYWORDS_NS
            + _ALLOWED_NS * self._keywords.has_allowed
            # What a pattern has found is searched again before it is allowed.
            + _INSTRUCTION_NS * self._patterns.size * (1 + self._keywords.has_allowed)
        )
        """About how long it takes for each character, at most."""

    @property
    def size_bytes(self) -> int:
        """About how much memory it takes."""
        return _RULE_BYTES + self._keywords.size_bytes + self._patterns.size_bytes

    def applies(self, channel_id: int, roles: Iterable[int]) -> bool:
        """Return whether neither the channel nor a role of the author is exempt."""
        return channel_id not in self._exempt_channels and self._exempt_roles.isdisjoint(roles)

    def find(self, checked: Checked) -> Match | None:
        """Return why a message triggers the rule; None if it does not."""
        return self._find(self, checked)

    def find_words(self, checked: Checked) -> Match | None:
        """Return the first keyword or the first match of a pattern that is not allowed."""
        found = self._keywords.search(checked.folded)
        if found is not None:
            return Match(found.keyword, checked.excerpt(found))
        for pattern, text in self._patterns.matches(checked.encoded):
            if not self._keywords.has_allowed or not self._is_allowed(pattern, text):
                return Match(pattern.text, text)
        return None

    def _is_allowed(self, pattern: Pattern, text: str) -> bool:
        """Return whether an allowed word covers what a pattern has found, such as a link.

        `https://example.org/*` allows a link with any path, but no other link behind it.
        """
        folded = folding.fold(text)
        if self._keywords.is_allowed(folded):
            return True
        around = self._keywords.around_allowed(folded)
        # In other texts folding may have moved characters.
        if around is None or not text.isascii() or len(folding.plain(folded)) != len(text):
            return False
        before, behind = around
        return not pattern.is_in(text[:before]) and not pattern.is_in(text[len(text) - behind :])

    def find_spam(self, checked: Checked) -> Match | None:
        """Return a match if the message is spam."""
        collapsed = folding.collapse(checked.text)
        return NO_MATCH if checked.is_repeated or spam.is_spam(collapsed, checked.text) else None

    def find_mentions(self, checked: Checked) -> Match | None:
        """Return a match if the message mentions too many, or is part of a raid."""
        metadata = self.rule.metadata
        is_raid = checked.is_in_raid and metadata.mention_raid_protection_enabled
        too_many = checked.mention_count > metadata.mention_total_limit
        return NO_MATCH if too_many or is_raid else None


_FINDERS: Final[dict[TriggerType, Callable[[CompiledRule, Checked], Match | None]]] = {
    TriggerType.KEYWORD: CompiledRule.find_words,
    TriggerType.KEYWORD_PRESET: CompiledRule.find_words,
    TriggerType.SPAM: CompiledRule.find_spam,
    TriggerType.MENTION_SPAM: CompiledRule.find_mentions,
}


class RuleSet:
    """The enabled rules of a guild as of one revision."""

    def __init__(self, revision: int, rules: Iterable[Rule]) -> None:
        """Compile the rules, which may take 0.1 s."""
        self.revision = revision
        self._rules = [
            CompiledRule(rule) for rule in rules if rule.enabled and rule.trigger_type in _FINDERS
        ]
        types = {each.rule.trigger_type for each in self._rules}
        self.has_spam_rule = TriggerType.SPAM in types
        self.has_raid_rule = any(
            each.rule.metadata.mention_raid_protection_enabled for each in self._rules
        )

    @property
    def size_bytes(self) -> int:
        """About how much memory the rules take."""
        return _RULE_BYTES + sum(each.size_bytes for each in self._rules)

    def applicable(self, channel_id: int, roles: Sequence[int]) -> list[CompiledRule]:
        """Return the rules that apply to an author with these roles in a channel."""
        return [each for each in self._rules if each.applies(channel_id, roles)]


def cost_ns(rules: Iterable[CompiledRule], text: str) -> int:
    """Return about how long `check` takes at most, in nanoseconds."""
    return len(text) * (_FOLDING_NS + sum(each.cost_ns for each in rules))


def check(rules: Iterable[CompiledRule], checked: Checked) -> list[Triggered]:
    """Return the rules that a message triggers. No input or output; safe in threads."""
    found = []
    for each in rules:
        if (match := each.find(checked)) is not None:
            found.append(Triggered(each.rule, match))
    return found
