"""Whom a text names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatd.core.ids import RoleId, UserId
from chatd.core.mentions import NOBODY, AllowedMentions, Mentioned, narrowed, read

IDS = st.integers(0, 2**63 - 1)


@given(users=st.lists(IDS, unique=True), roles=st.lists(IDS, unique=True), everyone=st.booleans())
def test_what_is_written_is_read(users: list[int], roles: list[int], everyone: bool) -> None:
    words = [f"<@{user}>" for user in users] + [f"<@&{role}>" for role in roles]
    words += [f"<@!{user}>" for user in users] + ["@everyone"] * everyone
    named = read(" so ".join(words))
    assert named == Mentioned(
        tuple(UserId(user) for user in users), tuple(RoleId(role) for role in roles), everyone
    )
    assert narrowed(named, None) == named
    assert narrowed(named, AllowedMentions()) == NOBODY
    assert narrowed(named, AllowedMentions(parse=["users", "roles", "everyone"])) == named
    some = AllowedMentions(users=[UserId(user) for user in users[:2]], parse=["roles"])
    assert narrowed(named, some) == Mentioned(named.users[:2], named.roles, everyone=False)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    named = read(text)
    assert len(named.users) <= text.count("<@")


def test_code_mentions_nobody() -> None:
    assert read("`<@1>` ```\n<@&2> @everyone\n``` ``@here``") == NOBODY
    assert read("` <@1>") == Mentioned(users=(UserId(1),))


def test_what_only_looks_like_a_mention() -> None:
    for text in ("<@>", "<@1", "@1", "<@x>", "<@１>", "<#1>", "<@9223372036854775808>", "a@bc"):
        assert read(text) == NOBODY, text
    assert not read("me@everyones.org").everyone
    assert read("(@here)").everyone
