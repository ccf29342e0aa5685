"""Mentions in a text, and allowed mentions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatd.core.ids import RoleId, UserId
from chatd.core.mentions import NO_MENTIONS, AllowedMentions, Mentioned, filtered, parse

IDS = st.integers(0, 2**63 - 1)


@given(users=st.lists(IDS, unique=True), roles=st.lists(IDS, unique=True), everyone=st.booleans())
def test_mentions_in_a_text_are_parsed(users: list[int], roles: list[int], everyone: bool) -> None:
    words = [f"<@{user}>" for user in users] + [f"<@&{role}>" for role in roles]
    words += [f"<@!{user}>" for user in users] + ["@everyone"] * everyone
    named = parse(" so ".join(words))
    assert named == Mentioned(
        tuple(UserId(user) for user in users), tuple(RoleId(role) for role in roles), everyone
    )
    assert filtered(named, None) == named
    assert filtered(named, AllowedMentions()) == NO_MENTIONS
    assert filtered(named, AllowedMentions(parse=["users", "roles", "everyone"])) == named
    some = AllowedMentions(users=[UserId(user) for user in users[:2]], parse=["roles"])
    assert filtered(named, some) == Mentioned(named.users[:2], named.roles, everyone=False)


@given(st.text())
def test_any_text_can_be_parsed(text: str) -> None:
    named = parse(text)
    assert len(named.users) <= text.count("<@")


def test_code_contains_no_mentions() -> None:
    assert parse("`<@1>` ```\n<@&2> @everyone\n``` ``@here``") == NO_MENTIONS
    assert parse("` <@1>") == Mentioned(users=(UserId(1),))


def test_malformed_mentions_are_ignored() -> None:
    for text in ("<@>", "<@1", "@1", "<@x>", "<@１>", "<#1>", "<@9223372036854775808>", "a@bc"):
        assert parse(text) == NO_MENTIONS, text
    assert not parse("me@everyones.org").everyone
    assert parse("(@here)").everyone
