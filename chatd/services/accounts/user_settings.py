"""Settings of a person's account: those with an effect on the server, and those of its clients.

Senders lock the stream of the recipient, so each message is before or after a change. Both views of
the settings, the message of Protocol Buffers and the older JSON, change together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.errors import InvalidForm
from chatd.core.json import JsonObject
from chatd.core.relationships import (
    AccountSettings,
    DirectMessages,
    FriendSources,
    UserSettings,
)
from chatd.core.unset import UNSET
from chatd.events import user_settings as events
from chatd.queries import guilds, user_settings
from chatd.services.access import access
from chatd.wire import payloads
from chatd.wire.protobuf import legacy
from chatd.wire.protobuf import settings as protos
from chatd.wire.protobuf.encoding import MalformedMessage
from chatd.wire.protobuf.settings import PrivacyChange, SettingsType
from chatd.wire.schemas.user_settings import FriendSourceFlags, SettingsChange

T = TypeVar("T")

PRELOADED = SettingsType.PRELOADED

_INLINE_BYTES = 4096
"""Messages up to this size are read on the event loop, in about 1 ms; larger ones in a thread."""


@dataclass(frozen=True, slots=True)
class ChangedProto:
    """The message after a change. `out_of_date` means that another client has changed it before,
    so the change was discarded."""

    settings: bytes
    out_of_date: bool = False


async def get_own(ctx: Context) -> AccountSettings:
    """Return the settings of the caller."""
    async with ctx.database.cursor() as cur:
        return await user_settings.get(cur, ctx.user.id)


async def update(ctx: Context, change: SettingsChange) -> AccountSettings:
    """Change the given settings of the caller. Raises InvalidForm."""
    async with ctx.begin() as work:
        await _lock(ctx, work)
        before = await user_settings.get(work.cur, ctx.user.id)
        effective = _apply_change(before.effective, change)
        version, stored = await user_settings.get_proto(work.cur, ctx.user.id, PRELOADED)
        changed = legacy.change(stored, change.others)
        merged = await _merge(ctx, PRELOADED, stored, changed, version + 1)
        after = AccountSettings(effective, merged)
        if payloads.user_settings(after) == payloads.user_settings(before):
            return before
        if effective != before.effective:
            await _put_effective(ctx, work, effective)
        await user_settings.put_proto(work.cur, ctx.user.id, PRELOADED, version + 1, merged)
        _emit_preloaded(ctx, work, before, after)
    return after


async def get_proto(ctx: Context, kind: SettingsType) -> bytes:
    """Return a message of settings of the caller, as its clients read it."""
    async with ctx.database.cursor() as cur:
        if kind is PRELOADED:
            return payloads.preloaded_settings(await user_settings.get(cur, ctx.user.id))
        _, stored = await user_settings.get_proto(cur, ctx.user.id, kind)
    return stored or protos.empty()


async def change_proto(
    ctx: Context, kind: SettingsType, change: bytes, required_version: int | None
) -> ChangedProto:
    """Replace the top-level fields of a message of settings that a change contains.

    Discards the change if the message was changed after `required_version`. Raises InvalidForm.
    """
    await _check(ctx, kind, change)
    async with ctx.begin() as work:
        await _lock(ctx, work)
        version, stored = await user_settings.get_proto(work.cur, ctx.user.id, kind)
        if required_version is not None and version > required_version:
            return ChangedProto(await _shown(ctx, work, kind, stored), out_of_date=True)
        merged = await _merge(ctx, kind, stored, change, version + 1)
        if kind is PRELOADED:
            before = await user_settings.get(work.cur, ctx.user.id)
            privacy = protos.privacy_of(change)
            effective = before.effective
            if privacy is not None:
                effective = await _apply_privacy(ctx, work, effective, privacy)
            await user_settings.put_proto(work.cur, ctx.user.id, kind, version + 1, merged)
            after = AccountSettings(effective, merged)
            _emit_preloaded(ctx, work, before, after)
            return ChangedProto(payloads.preloaded_settings(after))
        await user_settings.put_proto(work.cur, ctx.user.id, kind, version + 1, merged)
        work.emit(events.proto_changed(ctx.user.id, kind, merged))
        return ChangedProto(merged)


async def proto_to_json(ctx: Context, kind: SettingsType, settings: bytes) -> JsonObject:
    """Return a message of settings as JSON."""
    return await _run(ctx, len(settings), protos.to_json, kind, settings)


async def proto_from_json(ctx: Context, kind: SettingsType, settings: JsonObject) -> bytes:
    """Return the message of settings of this JSON. Raises InvalidForm."""
    try:
        return await _run(ctx, _INLINE_BYTES + 1, protos.from_json, kind, settings)
    except MalformedMessage as malformed:
        raise _invalid(malformed) from None


async def _lock(ctx: Context, work: UnitOfWork) -> None:
    await work.ensure_and_lock(ctx.user.id)
    await access.require_account(work.cur, ctx.user.id)


async def _shown(ctx: Context, work: UnitOfWork, kind: SettingsType, stored: bytes) -> bytes:
    if kind is PRELOADED:
        return payloads.preloaded_settings(await user_settings.get(work.cur, ctx.user.id))
    return stored


def _emit_preloaded(
    ctx: Context, work: UnitOfWork, before: AccountSettings, after: AccountSettings
) -> None:
    shown = payloads.preloaded_settings(after)
    work.emit(events.proto_changed(ctx.user.id, PRELOADED, shown))
    old, new = payloads.user_settings(before), payloads.user_settings(after)
    if changed := {name: value for name, value in new.items() if value != old[name]}:
        work.emit(events.settings_changed(ctx.user.id, changed))


async def _put_effective(ctx: Context, work: UnitOfWork, settings: UserSettings) -> None:
    """Store the settings. Raises InvalidForm for a guild in which the caller is no member."""
    if not {*settings.restricted_guilds} <= {*await guilds.ids_for_user(work.cur, ctx.user.id)}:
        raise InvalidForm.of(
            "restricted_guilds", "GUILD_UNKNOWN", "You are not a member of all of these guilds."
        )
    await user_settings.put(work.cur, ctx.user.id, settings)
    await user_settings.restrict_guilds(work.cur, ctx.user.id, settings.restricted_guilds)


async def _apply_privacy(
    ctx: Context, work: UnitOfWork, settings: UserSettings, privacy: PrivacyChange
) -> UserSettings:
    """Store the settings that a client has written into the message.

    Clients keep guilds in it that the user has left, so these are ignored.
    """
    joined = {*await guilds.ids_for_user(work.cur, ctx.user.id)}
    sources = privacy.friend_sources
    changed = replace(
        settings,
        restricted_guilds=tuple(each for each in privacy.restricted_guilds if each in joined),
        default_guilds_restricted=privacy.default_guilds_restricted,
        friend_sources=settings.friend_sources if sources is None else sources,
    )
    if changed != settings:
        await _put_effective(ctx, work, changed)
    return changed


async def _check(ctx: Context, kind: SettingsType, change: bytes) -> None:
    try:
        await _run(ctx, len(change), protos.check, kind, change)
    except MalformedMessage as malformed:
        raise _invalid(malformed) from None


async def _merge(
    ctx: Context, kind: SettingsType, stored: bytes, change: bytes, version: int
) -> bytes:
    def merge() -> bytes:
        return protos.merge(kind, stored, change, data_version=version)

    try:
        return await _run(ctx, len(stored) + len(change), merge)
    except MalformedMessage as malformed:
        raise _invalid(malformed) from None


async def _run(ctx: Context, size: int, function: Callable[..., T], *arguments: Any) -> T:
    """Call a function that reads `size` bytes, in a thread if it could take long."""
    if size <= _INLINE_BYTES:
        return function(*arguments)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(ctx.dependencies.media_threads, function, *arguments)


def _invalid(malformed: MalformedMessage) -> InvalidForm:
    text = f"Not a Protocol Buffers message of this kind: {malformed}."
    return InvalidForm.of("settings", "PROTO_TYPE_INVALID", text)


def _apply_change(settings: UserSettings, change: SettingsChange) -> UserSettings:
    if change.direct_messages is not UNSET:
        wanted = DirectMessages[change.direct_messages.upper()]
        settings = replace(settings, direct_messages=wanted)
    if change.default_guilds_restricted is not UNSET:
        wanted_default = change.default_guilds_restricted
        settings = replace(settings, default_guilds_restricted=wanted_default)
    if change.restricted_guilds is not UNSET:
        wanted_guilds = tuple(sorted({*change.restricted_guilds}))
        settings = replace(settings, restricted_guilds=wanted_guilds)
    if change.friend_source_flags is not UNSET:
        sources = _sources(settings.friend_sources, change.friend_source_flags)
        settings = replace(settings, friend_sources=sources)
    return settings


def _sources(sources: FriendSources, change: FriendSourceFlags) -> FriendSources:
    for source, wanted in (
        (FriendSources.ALL, change.all),
        (FriendSources.MUTUAL_FRIENDS, change.mutual_friends),
        (FriendSources.MUTUAL_GUILDS, change.mutual_guilds),
    ):
        if wanted is not UNSET:
            sources = sources | source if wanted else sources & ~source
    return sources
