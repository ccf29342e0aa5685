"""Applications and their owners."""

from __future__ import annotations

from typing import Any

from chatd.core.ids import UserId
from chatd.core.models import Application
from chatd.db import Cursor, many, one
from chatd.queries import users

_SELECT = f"""
    SELECT {users.COLUMNS},
           owners.id, owners.username, owners.global_name, owners.avatar, owners.bot,
           applications.name, description, public, flags
      FROM applications
      JOIN users ON users.id = applications.id
      JOIN users AS owners ON owners.id = applications.owner_id
"""


def _application(*row: Any) -> Application:
    bot, rest = users.split(row)
    owner, details = users.split(rest)
    return Application(bot, owner, *details)


async def insert(cur: Cursor, application: Application) -> None:
    """Add an application to its account."""
    await cur.execute(
        """
        INSERT INTO applications (id, owner_id, name, description, public, flags)
        VALUES (%(id)s, %(owner_id)s, %(name)s, %(description)s, %(public)s, %(flags)s)
        """,
        _parameters(application),
    )


async def update(cur: Cursor, application: Application) -> None:
    """Change all that its owner may change."""
    await cur.execute(
        """
        UPDATE applications
           SET name = %(name)s, description = %(description)s, public = %(public)s,
               flags = %(flags)s
         WHERE id = %(id)s
        """,
        _parameters(application),
    )


async def delete(cur: Cursor, application_id: UserId) -> None:
    """Forget an application; its account is another matter."""
    await cur.execute("DELETE FROM applications WHERE id = %(id)s", {"id": application_id})


async def get(cur: Cursor, application_id: UserId) -> Application | None:
    """One application."""
    await cur.execute(f"{_SELECT} WHERE applications.id = %(id)s", {"id": application_id})
    return await one(cur, _application)


async def of_owner(cur: Cursor, owner_id: UserId) -> list[Application]:
    """Those that a user answers for, in the order of their ids."""
    await cur.execute(
        f"{_SELECT} WHERE applications.owner_id = %(owner_id)s ORDER BY applications.id",
        {"owner_id": owner_id},
    )
    return await many(cur, _application)


def _parameters(application: Application) -> dict[str, object]:
    return {
        "id": application.bot.id,
        "owner_id": application.owner.id,
        "name": application.name,
        "description": application.description,
        "public": application.public,
        "flags": application.flags,
    }
