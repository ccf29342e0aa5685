"""Notes: what a person writes about other users. No other user ever sees them."""

from __future__ import annotations

from chatd.context.context import Context
from chatd.core.errors import InvalidForm, UnknownUser
from chatd.core.ids import UserId
from chatd.events import notes as events
from chatd.queries import notes, users
from chatd.services.access import access

MAX_NOTES = 1500
"""Notes of one person. Rule: Discord's limit."""

_TOO_MANY = f"An account can have {MAX_NOTES} notes."


async def list_for_caller(ctx: Context) -> dict[UserId, str]:
    """Return all notes of the caller, by the user that each is about."""
    async with ctx.database.cursor() as cur:
        return await notes.list_for_user(cur, ctx.user.id)


async def get(ctx: Context, user_id: UserId) -> str:
    """Return the caller's note about a user. Raises UnknownUser without one."""
    async with ctx.database.cursor() as cur:
        note = await notes.get(cur, ctx.user.id, user_id)
    if note is None:
        raise UnknownUser
    return note


async def put(ctx: Context, user_id: UserId, note: str) -> None:
    """Set the caller's note about a user; an empty one deletes it.

    Raises UnknownUser, InvalidForm.
    """
    async with ctx.begin() as work:
        await work.ensure_and_lock(ctx.user.id)
        await access.require_account(work.cur, ctx.user.id)
        if await users.get(work.cur, user_id) is None:
            raise UnknownUser
        before = await notes.get(work.cur, ctx.user.id, user_id)
        if (before or "") == note:
            return
        if note:
            if before is None and await notes.count(work.cur, ctx.user.id) >= MAX_NOTES:
                raise InvalidForm.of("note", "BASE_TYPE_MAX_LENGTH", _TOO_MANY)
            await notes.put(work.cur, ctx.user.id, user_id, note)
        else:
            await notes.delete(work.cur, ctx.user.id, user_id)
        work.emit(events.note_changed(ctx.user.id, user_id, note))
