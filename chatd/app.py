"""The application: `create_app` builds all components, and starts and stops them in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp import web

from chatd.auth.interaction_keys import InteractionKeys
from chatd.auth.login_tokens import BotTokens, ClientTokens
from chatd.auth.mail_tokens import MailTokens
from chatd.auth.mfa_keys import MfaKeys
from chatd.auth.oidc.provider import Providers
from chatd.auth.passkeys import PasskeyVerifier
from chatd.auth.passwords import PasswordHasher
from chatd.auth.signed_urls import SignedUrls
from chatd.auth.tokens import AccessTokens
from chatd.auth.webhook_tokens import WebhookTokens
from chatd.automod.rule_sets import RuleSets
from chatd.bus.bus import Bus
from chatd.config import Config
from chatd.context.dependencies import Dependencies
from chatd.context.lock_queue import LockQueues
from chatd.context.search_slots import SearchSlots
from chatd.core.raids import RaidLimits
from chatd.core.retry import retried
from chatd.core.snowflake import SnowflakeGenerator
from chatd.db.pool import Database
from chatd.gateway import background, handler
from chatd.gateway.connection_table import ConnectionTable
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.dispatcher import Dispatcher
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.fanout.friend_presences import FriendPresences
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.member_lists import MemberLists
from chatd.gateway.fanout.presence_reporter import PresenceReporter
from chatd.gateway.gateway import Gateway
from chatd.gateway.identify import StartLimits
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.resume import SuspendedSessions
from chatd.http_client.client import HttpClient
from chatd.observability.loop_monitor import monitor_event_loop
from chatd.observability.metrics import Metrics
from chatd.ratelimit.limiter import RateLimits
from chatd.rest import home, table, web_client
from chatd.rest.middleware import admission, api_errors, cors
from chatd.rest.request import MAX_IMAGE_BODY
from chatd.rest.response_heads import RESPONSE_HEADS, ResponseHeads
from chatd.rest.routing import PREFIXES
from chatd.runtime import gauges
from chatd.runtime.worker_lease import InstanceRegistration, worker_id_lease
from chatd.services.access.access_cache import AccessCache
from chatd.services.accounts.authentication import Authenticator
from chatd.services.guilds import temporary_members as temporary
from chatd.services.guilds.temporary_members import TemporaryMembers
from chatd.services.interactions import failures as interaction_failures
from chatd.services.maintenance import (
    crossposts,
    janitor,
    pending_deletions,
    search_indexer,
    user_exports,
)
from chatd.services.media.uploads import UploadBounds
from chatd.services.messages.batch_writer import MessageBatchWriter
from chatd.services.messages.history import MessageReader
from chatd.services.messages.read_state_writer import ReadStateWriter
from chatd.services.messages.read_states import MessageAcknowledger
from chatd.services.messages.send import MessageSender
from chatd.storage.base import Storage
from chatd.storage.configured import StorageExtraMissing, configured_storage
from chatd.web.draining import ConnectionDrainer
from chatd.web.keys import (
    ACCESS_CACHE,
    AUTHENTICATOR,
    BODY_LIMITS,
    DEPENDENCIES,
    HAS_WEB_CLIENT,
    MESSAGE_ACKNOWLEDGER,
    MESSAGE_READER,
    MESSAGE_SENDER,
    METRICS,
    OPEN_HANDLERS,
    PAGE_HANDLERS,
    PUBLIC_URL,
    TRUSTED_PROXIES,
    UPLOAD_BOUNDS,
    WORKER_ID,
)

DRAINER = web.AppKey("DRAINER", ConnectionDrainer)
INSTANCE_REGISTRATION = web.AppKey("INSTANCE_REGISTRATION", InstanceRegistration)

_MEDIA_THREADS = 2
"""Threads for images. Pillow releases the GIL, so more would take the cores from the event loop."""

_HEARTBEAT_CHECKS = 50
"""Checks for overdue heartbeats within a heartbeat interval: a client is disconnected at most 2 %
of the interval late."""


class StartError(Exception):
    """The server cannot start; the message is one line for the operator."""


def create_app(config: Config) -> web.Application:
    """Build the application with all its components, which start and stop with it."""
    components = _Components(config)
    app = web.Application(client_max_size=MAX_IMAGE_BODY)
    app[DEPENDENCIES] = components.dependencies
    app[AUTHENTICATOR] = components.authenticator
    app[METRICS] = components.metrics
    app[INSTANCE_REGISTRATION] = components.registration
    access_cache = app[ACCESS_CACHE] = AccessCache()
    app[MESSAGE_SENDER] = MessageSender(components.writer, access_cache)
    app[MESSAGE_READER] = MessageReader(access_cache)
    app[MESSAGE_ACKNOWLEDGER] = MessageAcknowledger(components.read_state_writer, access_cache)
    app[UPLOAD_BOUNDS] = UploadBounds(
        file_bytes=config.upload_max_bytes,
        user_bytes=config.storage_per_user_bytes,
        strip_metadata=config.strip_image_metadata,
    )
    app[TRUSTED_PROXIES] = config.trusted_proxies
    app[handler.CONNECTION_TABLE] = ConnectionTable(per_address=config.sockets_per_address)
    app[handler.GATEWAY] = components.gateway
    gauges.add_gauges(
        components.metrics, app[handler.CONNECTION_TABLE], components.gateway.hub, app[DEPENDENCIES]
    )
    app.cleanup_ctx.extend(
        [
            components.monitoring,
            components.connections,
            components.worker_id,
            components.fan_out,
            components.writing,
            components.housekeeping,
        ]
    )
    app.on_shutdown.append(_hand_off_sessions)
    app[DRAINER] = ConnectionDrainer(timeout_s=config.shutdown_timeout_s / 4)
    app.on_response_prepare.append(app[DRAINER].mark_response)
    app[RESPONSE_HEADS] = ResponseHeads(app[DRAINER], are_complete=not config.cors_origins)
    app.on_response_prepare.append(app[RESPONSE_HEADS].complete)
    app[HAS_WEB_CLIENT] = config.web_client
    app[PUBLIC_URL] = config.public_url
    app[WORKER_ID] = config.worker_id
    _add_routes(app)
    app.middlewares.append(api_errors.Answering(components.metrics))
    if (answer_preflight := cors.allow(app, config.cors_origins)) is not None:
        app.middlewares.append(answer_preflight)  # its errors are rendered, and it needs no token
    app.middlewares.append(
        admission.LimitedAdmission(app, components.dependencies.rate_limits, table.table())
        if config.rate_limits
        else admission.Admission(app)
    )
    return app


def _add_routes(app: web.Application) -> None:
    """Add the routes of the API and of the gateway, and what the middlewares know of them."""
    for prefix in PREFIXES:
        app.router.add_get(f"{prefix}/gateway", handler.gateway)
        app.router.add_get(f"{prefix}/gateway/bot", handler.bot)
    app.router.add_get("/", home.home)
    table.add_to(app)
    app[OPEN_HANDLERS] = table.public_handlers() | {handler.gateway, home.home}
    if app[HAS_WEB_CLIENT]:
        app[OPEN_HANDLERS] |= web_client.add_to(app)
    elif app[DEPENDENCIES].sends_mail:  # the links of its mails
        app[OPEN_HANDLERS] |= web_client.add_to(app, web_client.MAIL_PAGES)
    app[PAGE_HANDLERS] = table.page_handlers()
    app[BODY_LIMITS] = table.body_limits()


class _Components:
    """The components of the server, and their lifetimes as cleanup contexts of aiohttp."""

    def __init__(self, config: Config) -> None:
        self._config = config
        worker_id = self._worker_id = config.worker_id
        self.registration = InstanceRegistration()
        self.metrics = Metrics()
        self._database = Database(
            config.database_url,
            size=config.database_max_connections,
            name=f"chatd {worker_id}",
            counters=self.metrics.counters,
        )
        self._bus = Bus(config.redis_url, worker_id=worker_id, history_s=config.resume_window_s)
        self._snowflakes = SnowflakeGenerator(worker_id)
        dependencies = self.dependencies = self._build_dependencies(config)
        self.writer = MessageBatchWriter(self._database, self._bus, self._snowflakes, self.metrics)
        self.read_state_writer = ReadStateWriter(self._database, self._bus)
        self.authenticator = Authenticator(
            self._database,
            dependencies.access_tokens,
            dependencies.bot_tokens,
            dependencies.client_tokens,
        )
        flush_scheduler = FlushScheduler(max_bytes=config.send_queue_max_bytes)
        replay_budget = ReplayBudget(config.replay_max_bytes)
        self._delivery_queue = DeliveryQueue(flush_scheduler, self.metrics.counters, replay_budget)
        hub = Hub(
            resume_window_s=config.resume_window_s,
            replay_budget=replay_budget,
            sessions_per_user=config.sessions_per_user,
            presence_table=dependencies.presences,
            delivery_queue=self._delivery_queue,
        )
        self.gateway = Gateway(
            self._database,
            self.authenticator,
            hub,
            self.metrics.counters,
            suspended_sessions=SuspendedSessions.from_config(config),
            flush_scheduler=flush_scheduler,
            signed_urls=dependencies.signed_urls,
            member_lists=MemberLists(
                hub,
                self._database,
                presence_table=dependencies.presences,
                delivery_queue=self._delivery_queue,
            ),
            friend_presences=FriendPresences(
                hub, self._database, self.dependencies.presences, self._delivery_queue
            ),
            start_limits=StartLimits(
                dependencies.rate_limits if config.rate_limits else None,
                concurrency=max(2, config.database_max_connections // 4),
            ),
            heartbeat_interval_ms=config.heartbeat_interval_ms,
        )

    def _build_dependencies(self, config: Config) -> Dependencies:
        secret = config.jwt_secret
        return Dependencies(
            database=self._database,
            bus=self._bus,
            snowflakes=self._snowflakes,
            passwords=PasswordHasher(),
            lock_queues=LockQueues(config.database_max_connections),
            searches=SearchSlots(config.database_max_connections),
            automod=RuleSets(),
            media_threads=ThreadPoolExecutor(_MEDIA_THREADS, thread_name_prefix="media"),
            access_tokens=AccessTokens(secret, lifetime_s=config.jwt_access_token_expiry_s),
            bot_tokens=BotTokens(secret),
            client_tokens=ClientTokens(secret, lifetime_s=config.client_token_expiry_s),
            webhook_tokens=WebhookTokens(secret, config.public_url),
            interaction_keys=InteractionKeys(secret),
            mail_tokens=MailTokens(secret),
            mfa_keys=MfaKeys(secret),
            passkeys=PasskeyVerifier(
                config.public_url, user_verification=config.passkey_user_verification
            ),
            providers=Providers(config.providers, config.public_url),
            http_client=HttpClient(allow_private=config.private_endpoints),
            rate_limits=RateLimits(config.redis_url),
            storage=_storage(config),
            signed_urls=SignedUrls(secret, config.public_url),
            refresh_token_lifetime_s=config.jwt_refresh_token_expiry_s,
            registration=config.registration,
            sends_mail=bool(config.smtp.host),
            raid_limits=RaidLimits(config.raid_joins, config.raid_window_s, config.raid_pause_s),
            require_mfa=config.require_mfa,
        )

    async def monitoring(self, _: web.Application) -> AsyncIterator[None]:
        """Monitor the event loop."""
        async with monitor_event_loop(self.metrics):
            yield

    async def connections(self, _: web.Application) -> AsyncIterator[None]:
        """Keep the connections to Postgres open."""
        await self._database.open()
        yield
        await self._database.close()
        self.dependencies.passwords.close()
        self.dependencies.automod.close()
        self.dependencies.media_threads.shutdown(wait=False, cancel_futures=True)

    async def worker_id(self, _: web.Application) -> AsyncIterator[None]:
        """Hold the lease of the WORKER_ID, so that no other process generates the same ids."""
        async with worker_id_lease(
            self._database, self._worker_id, self._snowflakes, registration=self.registration
        ):
            yield

    async def fan_out(self, app: web.Application) -> AsyncIterator[None]:
        """Deliver events to sessions. If this task fails, the server stops."""
        gateway = self.gateway
        presence_reporter = PresenceReporter(
            gateway.hub,
            self._bus,
            presence_table=self.dependencies.presences,
            delivery_queue=self._delivery_queue,
            counters=self.metrics.counters,
            member_lists=gateway.member_lists,
            friend_presences=gateway.friend_presences,
        )
        history = gateway.suspended_sessions.history
        dispatcher = Dispatcher(
            gateway.hub,
            self._database,
            self.authenticator,
            delivery_queue=self._delivery_queue,
            presence_reporter=presence_reporter,
            friend_presences=gateway.friend_presences,
            event_history=history,
        )
        async with (
            gateway.suspended_sessions.store.running(),
            asyncio.TaskGroup() as tasks,
            self._bus.subscribe() as subscription,
        ):
            subscription.select(gateway.hub.followed, history.keep)
            delivering = tasks.create_task(dispatcher.run(subscription), name="dispatcher")
            report = presence_reporter.run
            reporting = tasks.create_task(retried("presence", report), name="presence")
            every_s = gateway.heartbeat_interval_ms / 1000 / _HEARTBEAT_CHECKS
            lifetime_s = self.dependencies.client_tokens.lifetime_s
            serve = background.run(gateway, self._database, client_token_s=lifetime_s)
            serving = tasks.create_task(serve, name="clients of people")
            check = partial(app[handler.CONNECTION_TABLE].check_heartbeats, every_s=every_s)
            checking = tasks.create_task(retried("heartbeats", check), name="heartbeats")
            await self._bus.wait_for_first_attempt()
            yield
            for task in (serving, checking, reporting, delivering):
                task.cancel()

    async def writing(self, _: web.Application) -> AsyncIterator[None]:
        """Commit messages and read states in batches. Finishes running writes before the bus
        closes."""
        async with self.writer.running(), self.read_state_writer.running():
            yield
        await self.dependencies.endpoint_requests.drain()
        await self.dependencies.http_client.close()
        await self.dependencies.providers.close()
        await self.dependencies.tasks.drain()

    async def housekeeping(self, _: web.Application) -> AsyncIterator[None]:
        """Run the background tasks: rate limit sync, janitor, search indexer, pending deletions,
        temporary members, overdue interactions, crossposts, mails."""
        dependencies = self.dependencies
        async with (
            asyncio.TaskGroup() as tasks,
            dependencies.rate_limits.running(),
            dependencies.storage.running(),
        ):
            temporary_members = TemporaryMembers(
                dependencies,
                self.gateway.hub.is_connected,
                interval_s=temporary.INTERVAL_S,
                grace_s=temporary.GRACE_S,
            )
            jobs: dict[str, Callable[[], Awaitable[None]]] = {
                "janitor": partial(janitor.run, self._database, dependencies.storage),
                "indexer": partial(search_indexer.run, self._database),
                "pending deletions": partial(pending_deletions.run, dependencies),
                "temporary members": temporary_members.run,
                "interaction failures": partial(interaction_failures.run, dependencies),
                "crossposts": partial(crossposts.run, dependencies),
                "exports": partial(user_exports.run, dependencies),
            }
            if self._config.smtp.host:
                # Without mail, nothing loads its libraries.
                from chatd.services.maintenance.mails import MailSender

                url, counters = self._config.public_url, self.metrics.counters
                jobs["mails"] = MailSender(dependencies, self._config.smtp, url, counters).run
            running = [
                tasks.create_task(retried(name, run), name=name) for name, run in jobs.items()
            ]
            yield
            for task in running:
                task.cancel()


def _storage(config: Config) -> Storage:
    """Return the storage that the settings choose. Raises StartError."""
    try:
        return configured_storage(config)
    except StorageExtraMissing as missing:
        raise StartError(str(missing)) from missing


async def _hand_off_sessions(app: web.Application) -> None:
    """Save all sessions for handoff, then ask every client to reconnect.

    Called first at shutdown, while all components still run.
    """
    gateway = app[handler.GATEWAY]
    await gateway.suspended_sessions.store.save_all(gateway.hub)
    for connection in tuple(app[handler.CONNECTION_TABLE].connections):
        connection.reconnect()
