"""Errors about single sign-on. Discord has no codes for them."""

from __future__ import annotations

from chatd.core.errors._base import ApiError, InvalidForm


class UnknownProvider(ApiError):
    status, message = 404, "This server has no such provider of logins"


class ProviderUnavailableNow(ApiError):
    """The provider does not answer, or not as one. The log says more."""

    status, message = 503, "The provider of the login does not answer. Try again later."


class ProviderRefused(ApiError):
    """The person refused, or the provider did."""

    status, message = 403, "The provider did not log you in."


class InvalidProviderAnswer(ApiError):
    """The answer of the provider cannot be verified. The log says why."""

    message = "The answer of the provider is not valid. Log in again."


class InvalidAttempt(ApiError):
    """The state is unknown, expired, used, or of another browser."""

    message = "This login has expired, or began in another browser. Log in again."


class InvalidLogoutToken(ApiError):
    message = "The logout token is not valid"


class NotLinked(ApiError):
    """No account is linked, and none may be created."""

    status = 403
    message = (
        "No account here is linked with your login, and this server creates none. If you have an"
        " account, log in with its password and link it in the settings."
    )


class AddressTaken(ApiError):
    status = 403
    message = (
        "An account here has your email address. Log in with its password, and link it in the"
        " settings."
    )


class AddressNotVerified(ApiError):
    status = 403
    message = "The provider did not say that it has verified your email address."


class ProviderMfaRequired(ApiError):
    status = 403
    message = "This server requires a second factor, and the provider did not ask for one."


class AlreadyLinked(ApiError):
    """The account at the provider, or the caller's account, is linked with another one."""

    message = "This login is linked with another account, or your account with another login."


class UnknownLink(ApiError):
    status, message = 404, "The account is not linked with this provider"


def login_expired() -> InvalidForm:
    """The code of a login is unknown, expired, used, or of another browser."""
    return InvalidForm.of("code", "LOGIN_EXPIRED", "This login has expired. Log in again.")


def last_way_to_log_in() -> InvalidForm:
    """The account would have neither a password nor a provider left."""
    text = "This is the only way to log in to the account. Set a password first."
    return InvalidForm.of("provider", "LAST_WAY_TO_LOG_IN", text)


def password_exists() -> InvalidForm:
    """The account has a password already."""
    text = "The account has a password already."
    return InvalidForm.of("new_password", "PASSWORD_EXISTS", text)


def login_too_old() -> InvalidForm:
    """The login did not begin within the last minutes, at a provider."""
    text = "Log in with your provider again, then repeat this within ten minutes."
    return InvalidForm.of("provider", "LOGIN_TOO_OLD", text)
