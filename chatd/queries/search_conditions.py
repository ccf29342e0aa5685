"""SQL conditions for the filter of a message search."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chatd.core.models import MessageType
from chatd.core.search import AuthorType, Filter, Has
from chatd.queries.search_text import TEXT


def conditions(wanted: Filter) -> tuple[list[str], dict[str, object]]:
    """Return the conditions on a message `m` that a filter requires, and their parameters."""
    values: dict[str, object] = {
        "channels": list(wanted.channels),
        "min_id": wanted.min_id,
        "max_id": wanted.max_id,
    }
    found = [
        "m.channel_id = ANY(%(channels)s)",
        "m.id > %(min_id)s AND m.id < %(max_id)s",
    ]
    for number, term in enumerate(wanted.terms):
        values[f"term_{number}"] = term
        found.append(f"strpos(said.text, %(term_{number})s) > 0")
    for flag, if_set, if_not in (
        (wanted.pinned, "m.pinned_at IS NOT NULL", "m.pinned_at IS NULL"),
        (wanted.mention_everyone, "m.mention_everyone", "NOT m.mention_everyone"),
    ):
        if flag is not None:
            found.append(if_set if flag else if_not)
    found += [f"NOT {_BY_KIND[each]}" for each in _BY_KIND if each not in wanted.author_types]
    for name, (asked, condition) in _LISTS.items():
        if given := asked(wanted):
            values[name] = list(given)
            found.append(condition)
    found += [_HAS[each] for each in sorted(wanted.has)]
    found += [f"NOT {_HAS[each]}" for each in sorted(wanted.has_not)]
    return found, values


_BY_WEBHOOK = "(m.origin ->> 'name' IS NOT NULL)"
_BY_BOT = "EXISTS (SELECT FROM users WHERE users.id = m.author_id AND users.bot)"
_BY_KIND = {
    AuthorType.USER: "EXISTS (SELECT FROM users WHERE users.id = m.author_id AND NOT users.bot)",
    AuthorType.BOT: _BY_BOT,
    AuthorType.WEBHOOK: _BY_WEBHOOK,
}
"""Conditions for the kinds of authors. A message of a webhook has its name in the origin."""


def _file(condition: str) -> str:
    return f"""
        (m.attachment_count > 0
         AND EXISTS (SELECT FROM attachments
                      WHERE attachments.channel_id = m.channel_id
                        AND attachments.message_id = m.id AND {condition}))
    """


def _any_of(name: str) -> str:
    """Return SQL for the texts of a parameter in lower case."""
    return f"(SELECT lower(each) FROM unnest(%({name})s::text[]) AS given (each))"


_EMBED = "EXISTS (SELECT FROM jsonb_array_elements(m.embeds) AS embed (each) WHERE {})"
_LISTS: dict[str, tuple[Callable[[Filter], Sequence[object]], str]] = {
    "authors": (
        lambda wanted: wanted.authors,
        "m.author_id = ANY(%(authors)s)",
    ),
    "mentions": (
        lambda wanted: wanted.mentions,
        "m.mentions && %(mentions)s::bigint[]",
    ),
    "mention_roles": (
        lambda wanted: wanted.mention_roles,
        "m.mention_roles && %(mention_roles)s::bigint[]",
    ),
    "replied_to": (
        lambda wanted: wanted.replied_to,
        f"m.type = {MessageType.REPLY:d} AND m.reference_id = ANY(%(replied_to)s)",
    ),
    "replied_to_users": (
        lambda wanted: wanted.replied_to_users,
        f"""
        m.type = {MessageType.REPLY:d}
        AND EXISTS (SELECT FROM messages AS answered
                     WHERE answered.channel_id = m.channel_id AND answered.id = m.reference_id
                       AND answered.author_id = ANY(%(replied_to_users)s))
        """,
    ),
    "link_hosts": (
        lambda wanted: wanted.link_hosts,
        rf"""
        EXISTS (SELECT FROM regexp_matches(
                                {TEXT},
                                'https?://(?:[^/?#@[:space:]]*@)?([[:alnum:]._-]+)',
                                'gi') AS link (parts)
                 WHERE rtrim(lower(parts[1]), '.') IN {_any_of("link_hosts")})
        """,
    ),
    "embed_providers": (
        lambda wanted: wanted.embed_providers,
        _EMBED.format(f"lower(each -> 'provider' ->> 'name') IN {_any_of('embed_providers')}"),
    ),
    "embed_types": (
        lambda wanted: [f"{each}v" if each == "gif" else each for each in wanted.embed_types],
        _EMBED.format("each ->> 'type' = ANY(%(embed_types)s::text[])"),
    ),
    "filenames": (
        lambda wanted: wanted.filenames,
        _file(f"lower(filename) IN {_any_of('filenames')}"),
    ),
    "extensions": (
        lambda wanted: [each.removeprefix(".") for each in wanted.extensions],
        _file(rf"lower(substring(filename FROM '\.([^.]+)$')) IN {_any_of('extensions')}"),
    ),
}
"""The parts of a filter that are lists: their values, and the condition for a nonempty one."""


def _file_of(kind: str) -> str:
    return _file(f"starts_with(attachments.content_type, '{kind}/')")


_HAS = {
    Has.LINK: rf"(({TEXT}) ~* 'https?://[^[:space:]]')",
    Has.EMBED: "(m.embeds IS NOT NULL)",
    Has.FILE: "(m.attachment_count > 0)",
    Has.IMAGE: _file_of("image"),
    Has.VIDEO: _file_of("video"),
    Has.SOUND: _file_of("audio"),
}
