"""Values of the tables of accounts and applications."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntFlag
from typing import NamedTuple

from chatd.core.ids import (
    ExportId,
    LoginId,
    UserId,
)
from chatd.core.installation import DEFAULT_CONFIG, InstallConfig, InstallParams, IntegrationType
from chatd.core.records import record


class User(NamedTuple):
    """An account as others see it. A tuple, because many queries create one for each row."""

    id: UserId
    username: str
    global_name: str | None
    avatar: str | None
    bot: bool


@dataclass(frozen=True, slots=True)
class Account:
    """An account as its owner sees it."""

    user: User
    email: str | None
    """None for bots."""
    bio: str = ""
    is_administrator: bool = False
    """Whether it is an administrator of the server."""
    mfa_enabled: bool = False
    """Whether it has a second factor."""
    has_passkey: bool = False
    has_totp: bool = False
    """Whether it has one-time codes."""
    email_verified: bool = False
    """Whether the address was verified by the link of a mail."""


@dataclass(frozen=True, slots=True)
class UserExport:
    """The last archive of its account that a user has requested."""

    id: ExportId
    user_id: UserId
    requested_at: datetime
    is_pending: bool
    size: int | None
    """Of the archive in bytes; None while it is pending, or when it has failed."""
    finished_at: datetime | None


class ApplicationFlags(IntFlag):
    """Flags that permit privileged intents. Discord has one for large and one for small bots, which
    mean the same here. Rule: Discord docs, Application resource, "Application Flags"."""

    GATEWAY_PRESENCE = 1 << 12
    GATEWAY_PRESENCE_LIMITED = 1 << 13
    GATEWAY_GUILD_MEMBERS = 1 << 14
    GATEWAY_GUILD_MEMBERS_LIMITED = 1 << 15
    GATEWAY_MESSAGE_CONTENT = 1 << 18
    GATEWAY_MESSAGE_CONTENT_LIMITED = 1 << 19

    PRESENCES = GATEWAY_PRESENCE | GATEWAY_PRESENCE_LIMITED
    MEMBERS = GATEWAY_GUILD_MEMBERS | GATEWAY_GUILD_MEMBERS_LIMITED
    MESSAGE_CONTENT = GATEWAY_MESSAGE_CONTENT | GATEWAY_MESSAGE_CONTENT_LIMITED
    PRIVILEGED = PRESENCES | MEMBERS | MESSAGE_CONTENT


@dataclass(frozen=True, slots=True)
class Application:
    """A program with its bot account, which has the same id, and with its owner."""

    bot: User
    owner: User
    name: str
    description: str
    public: bool
    """Whether other people than the owner can add it."""
    flags: int
    icon: str | None = None
    tags: tuple[str, ...] = ()
    install_params: InstallParams | None = None
    custom_install_url: str | None = None
    install_config: InstallConfig = field(default_factory=lambda: DEFAULT_CONFIG)
    """The kinds of installation that it supports."""
    interactions_endpoint_url: str | None = None
    """Where it receives interactions over HTTP; None over the gateway."""

    def install_defaults(self, kind: IntegrationType) -> InstallParams | None:
        """Return the scopes and permissions of an installation whose link names no scopes."""
        of_kind = self.install_config.get(kind)
        if of_kind is None and kind is IntegrationType.GUILD_INSTALL:
            return self.install_params  # the older setting, which is for guilds only
        return of_kind


@record(frozen=True, slots=True)
class Caller:
    """The sender of a request: an account, authenticated by one of its logins."""

    user: User
    login_id: LoginId


@dataclass(frozen=True, slots=True)
class Login:
    """A login, as its user sees it. `hash` identifies it, and cannot be used as a token."""

    id: LoginId
    hash: str
    user_agent: str | None
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """A code to register with, for REGISTRATION=invitation. A `max_uses` of 0 is unlimited."""

    code: str
    created_by: UserId | None
    """The administrator that created it. None is the command line."""
    created_at: datetime
    max_uses: int
    uses: int
    expires_at: datetime | None
