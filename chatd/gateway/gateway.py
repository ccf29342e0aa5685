"""The gateway of an instance: its sessions, and the handlers that its connections share."""

from __future__ import annotations

from chatd.auth.signed_urls import SignedUrls
from chatd.db.pool import Database
from chatd.gateway.admission import AdmissionGate
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.fanout.friend_presences import FriendPresences
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.member_lists import MemberLists
from chatd.gateway.identify import IdentifyHandler, StartLimits
from chatd.gateway.lifecycle.resume_validator import ResumeValidator
from chatd.gateway.member_requests import MemberRequestHandler
from chatd.gateway.resume import ResumeHandler, SuspendedSessions
from chatd.observability.metrics import Counters
from chatd.services.accounts.authentication import Authenticator

_ADMISSIONS_PER_TICK = 8
"""Connections that are opened or resumed in one tick of the event loop. Together they block the
event loop for about 4 ms."""


class Gateway:
    """The parts of the gateway, one of each per instance."""

    def __init__(
        self,
        database: Database,
        authenticator: Authenticator,
        hub: Hub,
        counters: Counters,
        *,
        suspended_sessions: SuspendedSessions,
        flush_scheduler: FlushScheduler,
        member_lists: MemberLists,
        friend_presences: FriendPresences,
        signed_urls: SignedUrls,
        start_limits: StartLimits,
        heartbeat_interval_ms: int,
    ) -> None:
        self.hub = hub
        self.counters = counters
        self.suspended_sessions = suspended_sessions
        self.flush_scheduler = flush_scheduler
        self.member_lists = member_lists
        self.friend_presences = friend_presences
        self.rate_limits = start_limits.rate_limits
        self.heartbeat_interval_ms = heartbeat_interval_ms
        self.admission_gate = AdmissionGate(_ADMISSIONS_PER_TICK)
        self.identify = IdentifyHandler(
            database,
            authenticator,
            hub,
            counters,
            start_limits,
        )
        self.resume = ResumeHandler(
            authenticator,
            hub,
            counters,
            suspended_sessions,
            resume_validator=ResumeValidator(database),
            admission_gate=self.admission_gate,
        )
        self.member_requests = MemberRequestHandler(database, hub, signed_urls)
