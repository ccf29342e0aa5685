"""Applications and their owners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from chatd.core.ids import UserId
from chatd.core.installation import DEFAULT_CONFIG, InstallConfig, InstallParams, IntegrationType
from chatd.core.models import Application
from chatd.db.cursor import Cursor, Row, many, one
from chatd.queries import users

COLUMNS = f"""
    {users.COLUMNS},
    owners.id, owners.username, owners.global_name, owners.avatar, owners.bot,
    applications.name, applications.description, applications.public, applications.flags,
    applications.icon, applications.tags, applications.install_params,
    applications.custom_install_url, applications.integration_types_config,
    applications.interactions_endpoint_url
"""
"""Rows of queries with `TABLES` begin with these columns."""

TABLES = """
    applications
    JOIN users ON users.id = applications.id
    JOIN users AS owners ON owners.id = applications.owner_id
"""

_SELECT = f"SELECT {COLUMNS} FROM {TABLES}"
_OWN_COLUMNS = 10


def split_row(row: Row) -> tuple[Application, Row]:
    """Split a row that begins with COLUMNS into the application and the rest."""
    bot, rest = users.split_row(row)
    owner, details = users.split_row(rest)
    name, description, public, flags, icon, tags, params, url, config, endpoint = details[
        :_OWN_COLUMNS
    ]
    application = Application(
        bot,
        owner,
        name,
        description,
        public,
        flags,
        icon=icon,
        tags=tuple(tags),
        install_params=_read_params(params),
        custom_install_url=url,
        install_config=DEFAULT_CONFIG if config is None else _read_config(config),
        interactions_endpoint_url=endpoint,
    )
    return application, details[_OWN_COLUMNS:]


def _read_params(stored: Mapping[str, Any] | None) -> InstallParams | None:
    return None if stored is None else InstallParams.read(stored)


def _read_config(stored: Mapping[str, Any]) -> InstallConfig:
    return {IntegrationType(int(kind)): _read_params(each) for kind, each in stored.items()}


def _application(*row: Any) -> Application:
    return split_row(row)[0]


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
    """Write all columns that the owner may change."""
    await cur.execute(
        """
        UPDATE applications
           SET name = %(name)s, description = %(description)s, public = %(public)s,
               flags = %(flags)s, icon = %(icon)s, tags = %(tags)s::text[],
               install_params = %(install_params)s,
               custom_install_url = %(custom_install_url)s,
               integration_types_config = %(config)s,
               interactions_endpoint_url = %(endpoint_url)s
         WHERE id = %(id)s
        """,
        _parameters(application),
    )


async def delete(cur: Cursor, application_id: UserId) -> None:
    """Delete an application, but not its bot account."""
    await cur.execute("DELETE FROM applications WHERE id = %(id)s", {"id": application_id})


async def get(cur: Cursor, application_id: UserId) -> Application | None:
    """Return one application."""
    await cur.execute(f"{_SELECT} WHERE applications.id = %(id)s", {"id": application_id})
    return await one(cur, _application)


async def flags(cur: Cursor, application_id: UserId) -> int:
    """Return the flags of an application; 0 where there is none."""
    await cur.execute("SELECT flags FROM applications WHERE id = %(id)s", {"id": application_id})
    row = await cur.fetchone()
    return int(row[0]) if row else 0


async def list_for_owner(cur: Cursor, owner_id: UserId) -> list[Application]:
    """Return the applications that a user owns, in the order of ids."""
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
        "icon": application.icon,
        "tags": list(application.tags),
        "install_params": _json(application.install_params),
        "custom_install_url": application.custom_install_url,
        "config": _json_config(application.install_config),
        "endpoint_url": application.interactions_endpoint_url,
    }


def _json(params: InstallParams | None) -> str | None:
    return None if params is None else orjson.dumps(params.stored()).decode()


def _json_config(config: InstallConfig) -> str | None:
    if config == DEFAULT_CONFIG:
        return None
    stored = {
        str(int(kind)): None if params is None else params.stored()
        for kind, params in config.items()
    }
    return orjson.dumps(stored).decode()
