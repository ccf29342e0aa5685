"""A command for tests of pure code."""

from __future__ import annotations

from chatd.core.commands import NO_OPTIONS, Command, CommandType
from chatd.core.ids import CommandId, UserId
from chatd.core.installation import IntegrationType

COMMAND = Command(
    id=CommandId(5),
    application_id=UserId(8),
    guild_id=None,
    type=CommandType.CHAT_INPUT,
    version=1,
    name="ban",
    name_localizations=None,
    description="Ban",
    description_localizations=None,
    options=NO_OPTIONS,
    default_member_permissions=None,
    nsfw=False,
    contexts=None,
    integration_types=(IntegrationType.GUILD_INSTALL,),
)
