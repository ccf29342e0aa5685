"""Groups at a provider: who administrates the server, and who has which roles in guilds.

The mapping in the settings is applied at each login. It governs the roles that it names: a
person has them after the login if and only if it is in one of their groups. It never changes other
roles, adds no one to a guild, and takes administrator rights away only if a group gave them.
"""

from __future__ import annotations

from collections.abc import Iterable

from chatd.context.context import CoreContext
from chatd.context.dependencies import CoreDependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.ids import GuildId, LoginId, RoleId, StreamId, UserId
from chatd.core.models import Caller, User
from chatd.db.cursor import Cursor
from chatd.oidc_settings import ProviderOptions, RoleMapping
from chatd.queries import administration, guilds, members, oidc_identities, roles
from chatd.services.accounts.oidc.person import Person
from chatd.services.guilds import roles as role_service


async def record_login(
    work: UnitOfWork, user_id: UserId, person: Person, options: ProviderOptions, *, granted: bool
) -> None:
    """Record a login of an account, and give or take its administrator rights.

    `granted` is whether a group has given them. The stream of the user is locked.
    """
    wanted = not person.groups.isdisjoint(options.administrators)
    grants: bool | None = None
    if wanted and not await administration.is_administrator(work.cur, user_id):
        grants = await administration.set_administrator(work.cur, user_id, True)
    elif granted and not wanted:
        await administration.set_administrator(work.cur, user_id, False)
        grants = False
    await oidc_identities.record_use(work.cur, person.issuer, person.subject, grants=grants)


async def apply_roles(
    dependencies: CoreDependencies, user: User, groups: frozenset[str], options: ProviderOptions
) -> None:
    """Give a user the roles of its groups, and take the other roles of the mapping.

    Each guild is a transaction of its own, and only guilds in which something changes are locked.
    Raises ServiceUnavailable.
    """
    if not options.roles:
        return
    async with dependencies.database.cursor() as cur:
        joined = {*await guilds.ids_for_user(cur, user.id)}
    by_guild: dict[GuildId, list[RoleMapping]] = {}
    for mapping in options.roles:
        if mapping.guild in joined:
            by_guild.setdefault(GuildId(mapping.guild), []).append(mapping)
    for guild_id, mappings in by_guild.items():
        async with dependencies.database.cursor() as cur:
            add, remove = await _changes(cur, guild_id, user.id, mappings, groups)
        if not add and not remove:
            continue
        async with dependencies.begin() as work:
            if await work.lock(StreamId(guild_id)):
                add, remove = await _changes(work.cur, guild_id, user.id, mappings, groups)
                if not add and not remove:
                    continue
                ctx = CoreContext(
                    dependencies, Caller(user, LoginId(0)), reason="Groups at the login provider"
                )
                await role_service.write_roles(
                    ctx, work, guild_id, user.id, add=add, remove=remove, by_account=False
                )


async def _changes(
    cur: Cursor,
    guild_id: GuildId,
    user_id: UserId,
    mappings: Iterable[RoleMapping],
    groups: frozenset[str],
) -> tuple[set[RoleId], set[RoleId]]:
    """Return the roles to add and to remove; none if the user is no member.

    Roles that cannot be assigned by hand, and those of other guilds, are left out.
    """
    member = await members.get(cur, guild_id, user_id)
    if member is None:
        return set(), set()
    known = await roles.list_for_guilds(cur, [guild_id])
    assignable = {each.id for each in known if not each.is_everyone and not each.is_managed}
    named = {RoleId(each.role) for each in mappings} & assignable
    wanted = {RoleId(each.role) for each in mappings if each.group in groups} & assignable
    held = set(member.roles)
    return wanted - held, (named - wanted) & held
