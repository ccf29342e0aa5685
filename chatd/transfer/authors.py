"""Authors of imported messages: placeholder accounts, which persons may claim later."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chatd.context.dependencies import CoreDependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import names
from chatd.core.errors import UnknownGuild
from chatd.core.ids import RoleId, UserId
from chatd.core.models import Role
from chatd.db.cursor import UniqueViolation
from chatd.events import members as member_events
from chatd.events import roles as role_events
from chatd.queries import imports, members, roles
from chatd.queries.imports import Import, NewMember, NewPlaceholder
from chatd.services.guilds.roles import MAX_ROLES
from chatd.transfer.findings import Findings
from chatd.transfer.ids import free_ids
from chatd.transfer.names import display_name, usernames
from chatd.transfer.source import Json, objects, source_id_of, text_of

_AT_ONCE = 200
"""Accounts of one transaction. Each emits an event, and holds the lock of the guild."""

_ATTEMPTS = 5
"""Attempts when others take the same names at the same time."""

_MAX_POSITION = 1000

_COLOR = re.compile(r"#?([0-9a-fA-F]{6})")


@dataclass(frozen=True, slots=True)
class _Author:
    source_id: int
    raw: Json
    seen_at: datetime


class Authors:
    """The accounts of the authors of one import, by the ids of the source as texts."""

    def __init__(
        self, deps: CoreDependencies, source: str, job: Import, findings: Findings
    ) -> None:
        self._deps = deps
        self._source = source
        self._job = job
        self._findings = findings
        self._known: dict[str, UserId] = {}
        self._roles: dict[int, RoleId] = {}
        self.added = 0
        """Accounts that this run has added."""

    async def open(self) -> None:
        """Read which roles the import has created."""
        async with self._deps.database.cursor() as cur:
            found = await imports.objects(cur, self._job.id, "role")
        self._roles = {key: RoleId(role_id) for key, role_id in found.items()}

    def __getitem__(self, source_id: str) -> UserId:
        return self._known[source_id]

    def get(self, source_id: str) -> UserId | None:
        """Return the account of an author; None before `add`."""
        return self._known.get(source_id)

    def roles_of(self, source_ids: Iterable[int]) -> list[RoleId]:
        """Return those of these roles that the import has created."""
        return [self._roles[each] for each in source_ids if each in self._roles]

    def unknown(self, users: Iterable[Json]) -> Iterable[Json]:
        """Return those of these users that have no account yet."""
        return (each for each in users if each["id"] not in self._known)

    async def add(self, users: Iterable[tuple[Json, datetime]]) -> None:
        """Ensure that these users, with the times of their messages, have accounts.

        Raises UnknownGuild if the guild was deleted.
        """
        new: dict[str, _Author] = {}
        for raw, seen_at in users:
            source_id = source_id_of(raw["id"])
            if raw["id"] not in self._known and raw["id"] not in new and source_id is not None:
                new[raw["id"]] = _Author(source_id, raw, seen_at)
        waiting = list(new.values())
        for start in range(0, len(waiting), _AT_ONCE):
            part = waiting[start : start + _AT_ONCE]
            for attempt in range(_ATTEMPTS):
                try:
                    await self._add(part)
                    break
                except UniqueViolation:
                    if attempt == _ATTEMPTS - 1:
                        raise
                    await self.open()  # without the roles of the transaction that failed

    async def _add(self, authors: list[_Author]) -> None:
        by_id = {each.source_id: each for each in authors}
        async with self._deps.database.cursor() as cur:
            joined = await imports.objects(cur, self._job.id, "member", by_id)
        found = {key: UserId(user_id) for key, user_id in joined.items()}
        missing = [each for each in authors if each.source_id not in found]
        if missing:
            async with self._deps.begin() as work:
                if not await work.lock(self._job.guild_id):
                    raise UnknownGuild
                found |= await self._insert(work, missing)
        self._known |= {by_id[key].raw["id"]: user_id for key, user_id in found.items()}

    async def _insert(self, work: UnitOfWork, authors: list[_Author]) -> dict[int, UserId]:
        """Add accounts that do not exist, and memberships. The guild is locked."""
        ids = [each.source_id for each in authors]
        found = await imports.users(work.cur, self._source, ids)
        accounts = await self._accounts(
            work, [each for each in authors if each.source_id not in found]
        )
        if accounts:
            await imports.insert_placeholders(work.cur, self._source, accounts)
        found |= {each.source_id: each.id for each in accounts}
        # A person that has claimed its account decides itself which guilds it joins.
        unclaimed = await imports.placeholders(work.cur, found.values())
        role_ids = await self._ensure_roles(work, authors)
        new = [
            self._member(each, found[each.source_id], role_ids)
            for each in authors
            if found[each.source_id] in unclaimed and each.raw.get("isMember") is not False
        ]
        await imports.insert_members(work.cur, self._job.id, self._job.guild_id, new)
        added = {each.user_id for each in new}
        for member in await members.by_ids(work.cur, self._job.guild_id, added):
            work.emit(member_events.member_added(member))
        self.added += len(accounts)
        return found

    async def _accounts(self, work: UnitOfWork, authors: list[_Author]) -> list[NewPlaceholder]:
        """Return new accounts, with ids and names that are free."""
        if not authors:
            return []
        ids = await free_ids(
            [each.source_id for each in authors],
            lambda wanted: imports.taken_guild_ids(work.cur, wanted),
        )
        wanted = {each.source_id: list(_usernames(each)) for each in authors}
        keys = {names.key(name) for candidates in wanted.values() for name in candidates}
        taken = await imports.taken_names(work.cur, keys)
        accounts = []
        for each in authors:
            name = next(name for name in wanted[each.source_id] if names.key(name) not in taken)
            taken.add(names.key(name))
            accounts.append(
                NewPlaceholder(
                    source_id=each.source_id,
                    id=UserId(ids[each.source_id]),
                    username=name,
                    username_key=names.key(name),
                    global_name=_shown_name(each, name),
                    bot=each.raw.get("isBot") is True,
                )
            )
        return accounts

    def _member(self, each: _Author, user_id: UserId, role_ids: Mapping[int, RoleId]) -> NewMember:
        own = {source_id_of(role.get("id")) for role in objects(each.raw.get("roles"), MAX_ROLES)}
        granted = [role_ids[key] for key in own if key is not None and key in role_ids]
        nick = display_name(text_of(each.raw.get("nick")), "", limit=32) or None
        return NewMember(each.source_id, user_id, nick, each.seen_at, granted)

    async def _ensure_roles(self, work: UnitOfWork, authors: list[_Author]) -> Mapping[int, RoleId]:
        """Create the roles of these authors that do not exist yet. The guild is locked."""
        new: dict[int, Json] = {}
        for author in authors:
            for raw in objects(author.raw.get("roles"), MAX_ROLES):
                source_id = source_id_of(raw.get("id"))
                if source_id is not None and source_id not in self._roles:
                    new.setdefault(source_id, raw)
        if not new:
            return self._roles
        room = MAX_ROLES - len(await roles.list_for_guilds(work.cur, [self._job.guild_id]))
        if len(new) > room:
            text = f"a guild has at most {MAX_ROLES} roles; {len(new) - room} are left out"
            self._findings.problem("roles", "roles", text)
        new = dict(list(new.items())[: max(0, room)])
        ids = await free_ids(new, lambda wanted: imports.taken_guild_ids(work.cur, wanted))
        made = {key: self._role(RoleId(ids[key]), raw) for key, raw in new.items()}
        for role in made.values():
            await roles.insert(work.cur, role)
            work.emit(role_events.role_created(role))
        await imports.add_objects(work.cur, self._job.id, "role", ids)
        self._roles |= {key: role.id for key, role in made.items()}
        return self._roles

    def _role(self, role_id: RoleId, raw: Json) -> Role:
        """Return a role without permissions: an export does not have them."""
        position = raw.get("position")
        return Role(
            id=role_id,
            guild_id=self._job.guild_id,
            name=display_name(text_of(raw.get("name")), "role"),
            permissions=0,
            color=_color(raw.get("color")),
            hoist=False,
            mentionable=False,
            position=min(max(position, 1), _MAX_POSITION) if isinstance(position, int) else 1,
        )


def _usernames(each: _Author) -> Iterable[str]:
    name, discriminator = text_of(each.raw.get("name")), text_of(each.raw.get("discriminator"))
    return usernames(name, discriminator, each.source_id)


def _shown_name(each: _Author, username: str) -> str | None:
    """Return the name that clients show, if it is not the username."""
    name = display_name(text_of(each.raw.get("nickname")), "", limit=32)
    return name if name and name != username else None


def _color(value: object) -> int:
    match = _COLOR.fullmatch(value) if isinstance(value, str) else None
    return int(match[1], 16) if match else 0
