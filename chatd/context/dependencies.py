"""Process-wide dependencies of the services: an instance has one object of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from chatd.auth.interaction_keys import InteractionKeys
from chatd.auth.login_tokens import BotTokens, ClientTokens
from chatd.auth.mail_tokens import MailTokens
from chatd.auth.passwords import PasswordHasher
from chatd.auth.signed_urls import SignedUrls
from chatd.auth.tokens import AccessTokens
from chatd.auth.webhook_tokens import WebhookTokens
from chatd.bus.bus import Bus
from chatd.context.bounded_tasks import BoundedTasks
from chatd.context.deadlines import Deadlines
from chatd.context.lock_queue import LockQueues
from chatd.context.search_slots import SearchSlots
from chatd.context.shielded_tasks import ShieldedTasks
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.presence_table import PresenceTable
from chatd.core.raids import RaidLimits
from chatd.core.snowflake import SnowflakeGenerator
from chatd.db.pool import Database
from chatd.http_client.client import HttpClient
from chatd.ratelimit.limiter import RateLimits
from chatd.storage.base import Storage

if TYPE_CHECKING:  # what they import takes longer than a command of the CLI
    from chatd.auth.mfa_keys import MfaKeys
    from chatd.auth.oidc.provider import Providers
    from chatd.auth.passkeys import PasskeyVerifier
    from chatd.automod.rule_sets import RuleSets

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreDependencies:
    """The dependencies of services that change rows and publish events.

    The command line has only these: it holds no secret, stores no file, and serves no client.
    """

    database: Database
    bus: Bus
    snowflakes: SnowflakeGenerator
    passwords: PasswordHasher
    lock_queues: LockQueues
    sends_mail: bool
    """Whether the settings name an SMTP server."""
    mails_due: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when this process adds a mail to the mail queue; wakes the task of a server that sends
    it. The mails of a command wait for the next poll."""
    tasks: ShieldedTasks = field(default_factory=ShieldedTasks)

    def begin(self) -> UnitOfWork:
        """Return a unit of work: a transaction and the events to publish after its commit."""
        return UnitOfWork(self.database, self.bus, self.lock_queues, self.tasks)

    def new_id(self, kind: Callable[[int], T]) -> T:
        """Return a new snowflake as an id of this kind."""
        return kind(self.snowflakes.next())


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies(CoreDependencies):
    """All dependencies of the services of a server."""

    access_tokens: AccessTokens
    bot_tokens: BotTokens
    client_tokens: ClientTokens
    webhook_tokens: WebhookTokens
    interaction_keys: InteractionKeys
    mail_tokens: MailTokens
    mfa_keys: MfaKeys
    passkeys: PasskeyVerifier
    providers: Providers
    http_client: HttpClient
    signed_urls: SignedUrls
    storage: Storage
    rate_limits: RateLimits
    searches: SearchSlots
    refresh_token_lifetime_s: int
    registration: str
    """The registration policy: "open", "approval", "invitation" or "closed"."""
    raid_limits: RaidLimits
    """How many accounts can join a guild in a short time."""
    require_mfa: str
    """Who needs a second factor: "off" or "administrators" of the server."""
    automod: RuleSets
    """The rules of AutoModeration, compiled."""
    media_threads: ThreadPoolExecutor
    """Threads that decode images and detect file types. Both take milliseconds, which would block
    the event loop for too long."""
    deletions_added: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when this instance has added a pending deletion; wakes the task that deletes."""
    interaction_deadlines: Deadlines = field(default_factory=Deadlines)
    """When interactions have to be acknowledged; wakes the task that fails the overdue ones."""
    endpoint_requests: BoundedTasks = field(default_factory=BoundedTasks)
    """Interactions that are being sent to the endpoints of their applications."""
    crossposts_due: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when this instance has changed what channels that follow others must receive; wakes the
    task that delivers it."""
    exports_due: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a user has asked this instance for an archive of its account; wakes the task that
    makes it."""
    presences: PresenceTable = field(default_factory=PresenceTable)
    """Which users are online. The gateway writes it, services only count in it."""
