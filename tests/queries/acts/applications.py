"""Applications, their commands, interactions and webhooks."""

from __future__ import annotations

from dataclasses import replace

from chatd.core.commands import CommandPermissions
from chatd.core.ids import (
    ChannelId,
    CommandId,
    GuildId,
    InteractionId,
    UserId,
)
from chatd.core.interactions import InteractionState
from chatd.db.cursor import Cursor
from chatd.queries import (
    application_commands,
    applications,
    command_permissions,
    integrations,
    interactions,
    webhooks,
)
from tests.queries.acts.act import (
    BOT,
    GUILD,
    IN_GUILD,
    INTERACTION,
    MESSAGE,
    USER,
    WEBHOOK,
    act,
)
from tests.queries.scene.values import TIMELESS


async def _changed_application(cur: Cursor) -> None:
    application = await applications.get(cur, UserId(8))
    assert application is not None
    await applications.update(cur, replace(application, name="changed"))


async def _renamed_commands(cur: Cursor) -> None:
    """Exchange the names of two global commands; those of the other bot have the same ones."""
    first, second = await application_commands.by_ids(cur, [5080, 5081])
    exchanged = [replace(first, name=second.name), replace(second, name=first.name)]
    await application_commands.save(cur, exchanged, renamed=[first.id, second.id])


async def _changed_webhook(cur: Cursor) -> None:
    webhook = await webhooks.get(cur, WEBHOOK)
    assert webhook is not None
    await webhooks.update(cur, replace(webhook, name="changed", channel_id=ChannelId(111)))


async def _changed_webhook_of_another_guild(cur: Cursor) -> None:
    webhook = await webhooks.get(cur, WEBHOOK)
    assert webhook is not None
    await webhooks.update(cur, replace(webhook, name="changed", guild_id=GuildId(200)))


ACTS = [
    act(applications.update, _changed_application, applications={"id": 8}),
    act(
        applications.delete,
        lambda cur: applications.delete(cur, UserId(8)),
        applications={"id": 8},
        guild_integrations={"application_id": 8},
    ),
    act(
        application_commands.save,
        _renamed_commands,
        application_commands=[{"id": 5080}, {"id": 5081}],
    ),
    act(
        application_commands.delete,
        lambda cur: application_commands.delete(cur, [CommandId(5080)]),
        application_commands={"id": 5080},
    ),
    act(
        application_commands.delete_in_guild,
        lambda cur: application_commands.delete_in_guild(cur, GUILD, BOT),
        application_commands={**IN_GUILD, "application_id": 8},
        application_command_scopes={**IN_GUILD, "application_id": 8},
        application_command_permissions={**IN_GUILD, "application_id": 8},
    ),
    act(
        command_permissions.save,
        lambda cur: command_permissions.save(cur, CommandPermissions(GUILD, BOT, 5080, ())),
        application_command_permissions={**IN_GUILD, "application_id": 8, "command_id": 5080},
    ),
    act(
        integrations.delete,
        lambda cur: integrations.delete(cur, GUILD, UserId(8)),
        guild_integrations={"guild_id": GUILD, "application_id": 8},
    ),
    act(
        integrations.delete_for_user,
        lambda cur: integrations.delete_for_user(cur, USER, UserId(8)),
        user_integrations={"user_id": USER, "application_id": 8},
    ),
    act(
        integrations.delete_all_for_user,
        lambda cur: integrations.delete_all_for_user(cur, USER),
        user_integrations={"user_id": USER},
    ),
    act(
        interactions.set_state,
        lambda cur: interactions.set_state(
            cur, INTERACTION, InteractionState.ACKNOWLEDGED, modal={}
        ),
        interactions={"id": INTERACTION},
    ),
    act(
        interactions.set_response,
        lambda cur: interactions.set_response(
            cur, INTERACTION, InteractionState.RESPONDED, MESSAGE, is_ephemeral=False
        ),
        interactions={"id": INTERACTION},
    ),
    act(
        interactions.fail,
        lambda cur: interactions.fail(cur, INTERACTION),
        interactions={"id": INTERACTION},
    ),
    act(
        interactions.fail,
        lambda cur: interactions.fail(cur, InteractionId(TIMELESS + 7004)),
    ),
    act(
        interactions.delete_old,
        lambda cur: interactions.delete_old(cur, before=TIMELESS, limit=99),
        interactions=[{"id": 7001}, {"id": 7002}],
    ),
    act(webhooks.update, _changed_webhook, webhooks={"id": WEBHOOK}),
    act(
        webhooks.delete_for_application,
        lambda cur: webhooks.delete_for_application(cur, GUILD, UserId(8)),
        webhooks={"guild_id": GUILD, "application_id": 8},
    ),
    act(webhooks.update, _changed_webhook_of_another_guild),
    act(
        webhooks.delete,
        lambda cur: webhooks.delete(cur, WEBHOOK),
        webhooks={"id": WEBHOOK},
    ),
]
