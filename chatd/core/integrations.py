"""Integrations: applications that have been added to a guild."""

from __future__ import annotations

from dataclasses import dataclass

from chatd.core.ids import GuildId
from chatd.core.installation import COMMANDS_ONLY, WITH_BOT, Scope
from chatd.core.models import Application, User


@dataclass(frozen=True, slots=True)
class Integration:
    """An application in a guild. Its id is that of the application, and so of the bot."""

    guild_id: GuildId
    application: Application
    has_bot: bool
    """Whether its bot is a member of the guild; without it, members only use its commands."""
    added_by: User | None
    """The user that added the application. None if unknown."""

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """What the application is authorized for in the guild."""
        return WITH_BOT if self.has_bot else COMMANDS_ONLY
