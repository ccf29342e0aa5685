"""The base of API errors, and those of any request: logins, bodies, availability."""

from __future__ import annotations

from typing import Any, ClassVar

from chatd.core.field_errors import FieldErrors, truncated


class ApiError(Exception):
    """The base class of API errors. `status` is the HTTP status, `code` Discord's error code."""

    status: ClassVar[int] = 400
    code: ClassVar[int] = 0
    message: ClassVar[str] = "Bad request"

    def __init__(self, message: str | None = None) -> None:
        self.text = message or self.message
        super().__init__(self.text)

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the response."""
        return {"code": self.code, "message": self.text}

    def headers(self) -> dict[str, str]:
        """Return extra response headers."""
        return {}


class Unauthorized(ApiError):
    """The token is missing, malformed, expired or revoked."""

    status, code, message = 401, 0, "401: Unauthorized"


class ServiceUnavailable(ApiError):
    """The server cannot process the request now. It may be repeated a second later."""

    status, code, message = 503, 0, "The server is busy; try again in a moment."

    def headers(self) -> dict[str, str]:
        return {"Retry-After": "1"}


class DatabaseUnavailable(ServiceUnavailable):
    """Postgres is unavailable."""

    message = "The database is unavailable; try again in a moment."


class RowLocked(ServiceUnavailable):
    """A statement has waited too long for a row that another transaction has locked.

    Statements about other rows may succeed.
    """


class NoLease(ServiceUnavailable):
    """This process has no valid lease of its WORKER_ID, and so cannot generate ids."""

    message = "The server cannot store anything at the moment; try again in a moment."


class RequestTooLarge(ApiError):
    status, code, message = 413, 40005, "Request entity too large"


class UnsupportedEncoding(ApiError):
    status, code, message = 415, 0, "Send the body without a Content-Encoding."


class RequestTimeout(ApiError):
    status, code, message = 408, 0, "The request did not arrive in time."


class HeadersTooLarge(ApiError):
    """The request line and the headers together are too large."""

    status, code, message = 431, 0, "431: Request Header Fields Too Large"


class MalformedBody(ApiError):
    code, message = 0, "The request body is malformed."


class InvalidJson(ApiError):
    code, message = 50109, "The request body contains invalid JSON."


class InvalidForm(ApiError):
    """Fields of the request are invalid, each for the given reasons."""

    code, message = 50035, "Invalid Form Body"

    def __init__(self, errors: FieldErrors) -> None:
        super().__init__()
        self.errors = truncated(errors)

    @classmethod
    def of(cls, field: str, code: str, message: str) -> InvalidForm:
        """Return an error for one field."""
        return cls({field: {"_errors": [{"code": code, "message": message}]}})

    def body(self) -> dict[str, Any]:
        return {**super().body(), "errors": self.errors}
