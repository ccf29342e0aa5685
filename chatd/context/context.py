"""Request context: the caller of a service, and the dependencies to serve it with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import TypeVar

from chatd.context.dependencies import CoreDependencies, Dependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.models import Caller, User
from chatd.core.records import record
from chatd.db.pool import Database
from chatd.queries.history import Viewer

T = TypeVar("T")


@record(frozen=True, slots=True)
class CoreContext:
    """The caller and the core dependencies. The commands of the CLI act with it."""

    dependencies: CoreDependencies
    caller: Caller
    reason: str | None = None
    """The caller's reason for a change, stored in the audit log (header X-Audit-Log-Reason)."""

    @property
    def user(self) -> User:
        """The caller's account."""
        return self.caller.user

    @property
    def database(self) -> Database:
        """The connection pool, for reads outside a unit of work."""
        return self.dependencies.database

    def begin(self) -> UnitOfWork:
        """Return a unit of work: a transaction and the events to publish after its commit."""
        return self.dependencies.begin()

    def new_id(self, kind: Callable[[int], T]) -> T:
        """Return a new snowflake as an id of this kind."""
        return self.dependencies.new_id(kind)


@record(frozen=True, slots=True)
class Context(CoreContext):
    """The caller and all dependencies. REST creates one for each request."""

    dependencies: Dependencies
    mfa_authorization: str | None = field(default=None, repr=False)
    """A confirmation of the caller's second factor (header X-Discord-MFA-Authorization)."""

    @property
    def viewer(self) -> Viewer:
        """Whose reactions are marked in messages, and what signs the URLs of their attachments."""
        return Viewer(self.user.id, self.dependencies.signed_urls)
