"""Screening: comparing a message with the rules of its guild before it is stored.

Messages of bots, of webhooks, and of members with MANAGE_GUILD are not screened. Rule: Discord
docs, Auto Moderation resource; Discord's support article "AutoMod FAQ".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from chatd.automod import folding
from chatd.automod.rule_set import Checked, RuleSet, Triggered
from chatd.automod.spam import (
    MAX_EQUAL,
    MIN_EQUAL_LENGTH,
    NEW_MEMBER_S,
    RAID_MENTIONS,
)
from chatd.context.context import Context
from chatd.core import mentions
from chatd.core.automod import Rule
from chatd.core.models import Attachment, Embed
from chatd.core.permissions import Permissions
from chatd.db.cursor import Cursor
from chatd.queries import auto_moderation
from chatd.services.access.access import ChannelAccess, SenderAccess


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rules that a message has triggered, in the order of their ids."""

    text: str
    """What was screened: the content of the message, and the texts of its embeds and files."""
    triggered: Sequence[Triggered]

    @property
    def blocks(self) -> bool:
        """Whether the message must not be sent."""
        return any(each.blocks for each in self.triggered)


async def screen(
    ctx: Context,
    granted: SenderAccess,
    content: str,
    embeds: Iterable[Embed],
    files: Iterable[Attachment],
    *,
    cur: Cursor | None = None,
) -> Verdict | None:
    """Return the rules that a message of a member triggers; None if there are none.

    Within a transaction, `cur` is its cursor: waiting for another connection could block all
    transactions. Raises ServiceUnavailable.
    """
    if not isinstance(granted, ChannelAccess) or granted.automod_revision <= 0:
        return None
    if granted.member.user.bot or Permissions.MANAGE_GUILD in granted.base_permissions:
        return None
    rules = await _rules(ctx, granted, cur)
    roles = (granted.guild.id, *granted.member.roles)  # @everyone has the id of the guild
    applicable = rules.applicable(granted.channel.id, roles)
    text = _text(content, embeds)
    shown = "\n".join([text, *_texts_of_files(files)]) if files else text
    if not applicable or not shown:
        return None
    repeated = _digest(text) if rules.has_spam_rule else 0
    count = _mention_count(content)
    checked = _checked(ctx, granted, rules, shown, repeated=repeated, count=count)
    triggered = await ctx.dependencies.automod.check(granted.guild.owner_id, applicable, checked)
    return Verdict(shown, triggered) if triggered else None


def note_sent(ctx: Context, granted: SenderAccess, content: str, embeds: Iterable[Embed]) -> None:
    """Remember a new message of the caller, sent or blocked, for the rules about repeated ones."""
    if not isinstance(granted, ChannelAccess) or granted.automod_revision <= 0:
        return
    automod, guild_id = ctx.dependencies.automod, granted.guild.id
    rules = automod.get(guild_id, granted.automod_revision)
    if rules is None or granted.member.user.bot:
        return
    text = _text(content, embeds)
    if rules.has_spam_rule and len(text) >= MIN_EQUAL_LENGTH:
        automod.sent_texts.add((guild_id, granted.member.user.id, _digest(text)))
    if rules.has_raid_rule and (count := _mention_count(content)) and _is_new(granted):
        automod.raid_mentions.add(guild_id, count)


async def _rules(ctx: Context, granted: ChannelAccess, cur: Cursor | None) -> RuleSet:
    """Return the rules of the guild. Only the first message after a change needs a query."""
    guild_id, revision = granted.guild.id, granted.automod_revision
    found = ctx.dependencies.automod.get(guild_id, revision)
    if found is not None:
        return found

    async def read() -> tuple[int, list[Rule]]:
        async with nullcontext(cur) if cur is not None else ctx.database.cursor() as reading:
            current, rules = await auto_moderation.enabled_in_guild(reading, guild_id)
            return max(current, revision), rules

    return await ctx.dependencies.automod.load(guild_id, granted.guild.owner_id, revision, read)


def _checked(
    ctx: Context, granted: ChannelAccess, rules: RuleSet, text: str, *, repeated: int, count: int
) -> Checked:
    """Return what rules look at. `repeated` is the digest of the text without those of files."""
    automod, guild_id = ctx.dependencies.automod, granted.guild.id
    key = guild_id, granted.member.user.id, repeated
    is_raid = count and automod.raid_mentions.count(guild_id) + count > RAID_MENTIONS
    return Checked(
        text,
        mention_count=count,
        is_repeated=rules.has_spam_rule and automod.sent_texts.count(key) >= MAX_EQUAL,
        is_in_raid=bool(is_raid) and rules.has_raid_rule and _is_new(granted),
    )


def _text(content: str, embeds: Iterable[Embed]) -> str:
    """Return the texts of a message that users read, in lines."""
    return "\n".join([content, *_texts(embeds)]) if embeds else content


def _texts(embeds: Iterable[Embed]) -> list[str]:
    found: list[str | None] = []
    for embed in embeds:
        found += [embed.get("title"), embed.get("description"), embed.get("url")]
        found += [embed.get("author", {}).get("name"), embed.get("footer", {}).get("text")]
        for field in embed.get("fields", ()):
            found += [field["name"], field["value"]]
    return [each for each in found if each]


def _texts_of_files(files: Iterable[Attachment]) -> list[str]:
    """Return the names and descriptions of files. A name has underscores in place of spaces."""
    found: list[str] = []
    for file in files:
        found += [file.filename.replace("_", " "), file.description or ""]
    return [each for each in found if each]


def _mention_count(content: str) -> int:
    """Return how many users and roles the content of a message names. Embeds mention no user."""
    named = mentions.parse(content)
    return len(named.users) + len(named.roles)


def _digest(text: str) -> int:
    """Return a number that is the same for texts that differ in case and white space only."""
    return hash(folding.collapse(text))


def _is_new(granted: ChannelAccess) -> bool:
    age = datetime.now(UTC) - granted.member.joined_at
    return age.total_seconds() < NEW_MEMBER_S
