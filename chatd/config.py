"""Settings, read from the environment and `.env` and checked before anything starts."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import StringIO
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, cast

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from environs import Env, EnvValidationError
from marshmallow import validate

from chatd import oidc_settings, smtp_settings
from chatd import setting_checks as checks
from chatd.oidc_settings import ProviderSettings
from chatd.smtp_settings import SmtpSettings

MAX_PORT = 65535

_FORMER_NAMES = {"OUTBOX_MAX_BYTES": "SEND_QUEUE_MAX_BYTES"}
"""Renamed settings. The former names are accepted for one release, with a warning."""

# Minimum similarity of a misspelt name to a setting, as difflib measures it (1 is identical). The
# environment holds many names of other programs, so a name there must be more similar.
_SIMILAR_IN_FILE, _SIMILAR_IN_ENVIRONMENT = 0.6, 0.85

_OWN_PREFIX = "CHATD_"  # only chatd uses names with this prefix, so an unknown one is an error


def reachable(host: str) -> str:
    """Return the host to connect to if a server listens on this one: loopback for a wildcard."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def netloc(host: str, port: int) -> str:
    """Format host and port as in a URL.

    Rule: RFC 3986 section 3.2.2, which brackets IPv6; RFC 6874 for its zones.
    """
    return f"[{host.replace('%', '%25')}]:{port}" if ":" in host else f"{host}:{port}"


def local_url(host: str, port: int) -> str:
    """Return the URL for requests from this machine to a server that listens on this address."""
    return f"http://{netloc(reachable(host), port)}"


class ConfigError(Exception):
    """Settings are invalid; the message is one line for the operator."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        text = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
        super().__init__(text.replace(".; ", ". "))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings of a server. `_s` is seconds; `.env.example` describes each variable.

    `database_url`, `redis_url` and `jwt_secret` are empty only after `load(embedded=True)`, until
    `chatd.embedded` fills them in.
    """

    app_env: str
    api_host: str
    api_port: int
    gateway_host: str
    gateway_port: int
    database_url: str = field(repr=False)
    database_max_connections: int
    redis_url: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    jwt_access_token_expiry_s: int
    jwt_refresh_token_expiry_s: int
    client_token_expiry_s: int
    worker_id: int
    data_dir: Path
    log_level: str
    log_format: str
    metrics_host: str
    metrics_port: int
    heartbeat_interval_ms: int
    resume_window_s: float
    replay_max_bytes: int
    send_queue_max_bytes: int
    sessions_per_user: int
    sockets_per_address: int
    connections_per_address: int
    shutdown_timeout_s: float
    files_dir: Path
    upload_max_bytes: int
    storage_per_user_bytes: int
    strip_image_metadata: bool
    public_url: str
    s3_bucket: str | None
    s3_endpoint_url: str | None
    s3_region: str
    s3_access_key_id: str | None
    s3_secret_access_key: str | None = field(repr=False)
    rate_limits: bool
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    cors_origins: tuple[str, ...]
    registration: str
    raid_joins: int
    raid_window_s: int
    raid_pause_s: int
    require_mfa: str
    passkey_user_verification: str
    private_endpoints: bool
    web_client: bool
    smtp: SmtpSettings
    oidc_providers: Path | None
    oidc_client_secrets: str = field(repr=False)
    providers: tuple[ProviderSettings, ...] = ()
    """What `oidc_providers` contains."""

    @property
    def smtp_password(self) -> str:
        """The secret of `smtp`. Each of SECRETS is a field or a property of its name."""
        return self.smtp.password


def load(*, embedded: bool = False, directory: Path | None = None) -> Config:
    """Read settings from the environment, then from `.env` in `directory` (default: the current).

    Secrets may also be files in CREDENTIALS_DIRECTORY (systemd.exec(5), "Credentials"), which
    take precedence over both. Each call reads the current values. With `embedded`, missing URLs of
    servers and a missing secret stay empty, for `chatd.embedded` to fill in.
    Raises ConfigError, which names every invalid variable.
    """
    env = Env(eager=False)
    read_env_file(directory)  # raises an error that names the line
    env.read_env(str(env_file(directory)), recurse=False)
    values = {**env_file_values(directory), **os.environ}
    former = _former_names(values)
    given = {name: values[old] for name, old in former.items()}
    given |= _credentials(os.environ.get("CREDENTIALS_DIRECTORY"))
    with _in_environment(given):
        config = _read(env, "" if embedded else ...)
    problems = {former.get(name, name): texts for name, texts in _problems(env).items()}
    if not problems and config.metrics_port > MAX_PORT:
        problems["METRICS_PORT"] = [f"With METRICS_PORT_OFFSET it exceeds {MAX_PORT}."]
    if not problems:
        problems |= smtp_settings.problems(config.smtp, config.public_url)
    problems |= {name: ["There is no such setting."] for name in _unknown_names()}
    if problems:
        raise ConfigError({name: " ".join(texts) for name, texts in problems.items()})
    return _with_derived_values(config)


def _former_names(values: Mapping[str, str]) -> dict[str, str]:
    return {new: old for old, new in _FORMER_NAMES.items() if old in values and new not in values}


def _unknown_names() -> list[str]:
    return sorted({each for each in os.environ if each.startswith(_OWN_PREFIX)} - names())


def _with_derived_values(config: Config) -> Config:
    public_url = checks.browser_url(config.public_url)
    public_url = public_url or local_url(config.api_host, config.api_port)
    files_dir = config.data_dir / "files" if config.files_dir == Path() else config.files_dir
    try:
        providers = oidc_settings.load(
            config.oidc_providers, config.oidc_client_secrets, allow_http=config.private_endpoints
        )
    except ValueError as error:
        raise ConfigError({"OIDC_PROVIDERS": str(error)}) from error
    return replace(
        config, files_dir=files_dir, public_url=public_url.rstrip("/"), providers=providers
    )


def env_file(directory: Path | None = None) -> Path:
    """Return the path of the `.env` file."""
    return (directory or Path.cwd()) / ".env"


def read_env_file(directory: Path | None = None) -> str:
    """Return the text of the `.env` file; empty without one. Raises ConfigError."""
    path = env_file(directory)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        reason = "it is not UTF-8" if isinstance(error, ValueError) else error.strerror
        raise ConfigError({str(path): f"cannot read it: {reason}"}) from error
    for line in parse_stream(StringIO(text)):
        if line.error or "\0" in line.original.string:  # the line may hold a secret: not quoted
            raise ConfigError({str(path): f"line {line.original.line} is not NAME=value"})
    return text


def names() -> frozenset[str]:
    """Return the names of all settings."""
    env = Env(eager=False)
    _read(env, "")
    return frozenset(env.dump()) | _problems(env).keys()


@dataclass(frozen=True, slots=True)
class SuspectName:
    """A name in the environment or `.env` that is not, or no longer, the name of a setting."""

    name: str
    where: str
    suggestion: str | None
    """The setting with the most similar name, or the current name of a renamed setting."""
    is_former: bool = False
    """Whether it is the former name of a setting, which is still accepted."""


def suspect_names(environment: Mapping[str, str]) -> list[SuspectName]:
    """Find former names, unknown names in `.env`, and misspelt names in the environment.

    Raises ConfigError.
    """
    known = names()
    in_file = env_file_values()
    found = [
        SuspectName(old, ".env" if old in in_file else "the environment", name, is_former=True)
        for old, name in _FORMER_NAMES.items()
        if old in in_file or old in environment
    ]
    accepted = known.union(_FORMER_NAMES)
    found += [
        SuspectName(name, ".env", _nearest(name, known, _SIMILAR_IN_FILE))
        for name in in_file
        if name not in accepted
    ]
    for name in sorted(environment.keys() - accepted - set(in_file)):
        if nearest := _nearest(name, known, _SIMILAR_IN_ENVIRONMENT):
            found.append(SuspectName(name, "the environment", nearest))
    return found


def env_file_values(directory: Path | None = None) -> dict[str, str]:
    """Return the names and values that the `.env` file sets. Raises ConfigError."""
    values = dotenv_values(stream=StringIO(read_env_file(directory)))
    return {name: value or "" for name, value in values.items()}


def _nearest(name: str, known: frozenset[str], similarity: float) -> str | None:
    return next(iter(difflib.get_close_matches(name, known, 1, similarity)), None)


@contextmanager
def _in_environment(given: dict[str, str]) -> Iterator[None]:
    """Set variables only while settings are read, so that no child process inherits secrets."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _credentials(folder: str | None) -> dict[str, str]:
    """Read the secrets that are files: `jwt_secret` holds JWT_SECRET, and so on."""
    if folder is None:
        return {}
    found = {}
    for name in SECRETS:
        try:
            found[name] = Path(folder, name.lower()).read_text().strip()
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            reason = "not text" if isinstance(error, ValueError) else error.strerror
            raise ConfigError({name: f"cannot read the credential: {reason}"}) from error
    return found


def _problems(env: Env) -> dict[str, Any]:
    try:
        env.seal()
    except EnvValidationError as refused:
        return {**cast(dict[str, Any], refused.error_messages)}
    return {}


def _read(env: Env, private: Any) -> Config:
    """Read all settings; `env` collects the errors.

    `private` is the default of those that `chatd.embedded` can fill in.
    """
    embedded = private == ""
    return Config(
        app_env=env.str("APP_ENV", "development", validate=checks.one_of(*_APP_ENVS)),
        api_host=env.str("API_HOST", "127.0.0.1", validate=_NOT_EMPTY),
        api_port=env.int("API_PORT", 8080, validate=_PORT),
        gateway_host=env.str("GATEWAY_HOST", "127.0.0.1", validate=_NOT_EMPTY),
        gateway_port=env.int("GATEWAY_PORT", 8081, validate=_PORT),
        database_url=env.str(
            "DATABASE_URL", private, validate=checks.url("postgresql", "postgres")
        ),
        database_max_connections=env.int("DATABASE_MAX_CONNECTIONS", 20, validate=_CONNECTIONS),
        redis_url=env.str(
            "REDIS_URL",
            "" if embedded else "redis://localhost:6379",
            validate=checks.url("redis", "rediss", "unix"),
        ),
        jwt_secret=env.str("JWT_SECRET", private, validate=checks.secret),
        jwt_access_token_expiry_s=env.int("JWT_ACCESS_TOKEN_EXPIRY", 900, validate=_SECONDS),
        jwt_refresh_token_expiry_s=env.int("JWT_REFRESH_TOKEN_EXPIRY", 604800, validate=_SECONDS),
        client_token_expiry_s=env.int("CLIENT_TOKEN_EXPIRY", 2592000, validate=_SECONDS),
        worker_id=env.int("WORKER_ID", 0, validate=validate.Range(0, 31)),
        data_dir=Path(env.str("CHATD_DATA_DIR", "var", validate=_NOT_EMPTY) or ""),
        heartbeat_interval_ms=env.int("HEARTBEAT_INTERVAL", 45_000, validate=_HEARTBEAT_MS),
        resume_window_s=env.int("RESUME_WINDOW", 120, validate=validate.Range(0, 3600)),
        replay_max_bytes=env.int("REPLAY_MAX_BYTES", 256 * 2**20, validate=_REPLAY),
        send_queue_max_bytes=env.int("SEND_QUEUE_MAX_BYTES", 256 * 2**20, validate=_SEND_QUEUE),
        sessions_per_user=env.int("SESSIONS_PER_USER", 100, validate=_NOT_NEGATIVE),
        sockets_per_address=env.int("SOCKETS_PER_ADDRESS", 1000, validate=_NOT_NEGATIVE),
        connections_per_address=env.int("CONNECTIONS_PER_ADDRESS", 1000, validate=_NOT_NEGATIVE),
        shutdown_timeout_s=env.int("SHUTDOWN_TIMEOUT", 20, validate=_SHUTDOWN),
        files_dir=Path(env.str("FILES_DIR", "") or ""),
        upload_max_bytes=env.int("UPLOAD_MAX_BYTES", 10 * 2**20, validate=_UPLOAD),
        storage_per_user_bytes=env.int("STORAGE_PER_USER_BYTES", 2**30, validate=_STORED),
        strip_image_metadata=env.str("STRIP_IMAGE_METADATA", "on", validate=_SWITCH) == "on",
        public_url=env.str("PUBLIC_URL", "", validate=checks.public_url),
        s3_bucket=env.str("S3_BUCKET", "") or None,
        s3_endpoint_url=env.str("S3_ENDPOINT_URL", "", validate=checks.public_url) or None,
        s3_region=env.str("S3_REGION", "us-east-1", validate=_NOT_EMPTY),
        s3_access_key_id=env.str("S3_ACCESS_KEY_ID", "") or None,
        s3_secret_access_key=env.str("S3_SECRET_ACCESS_KEY", "") or None,
        rate_limits=env.str("RATE_LIMITS", "on", validate=_SWITCH) == "on",
        trusted_proxies=checks.networks(env.str("TRUSTED_PROXIES", "", validate=checks.networks)),
        cors_origins=tuple(
            checks.origins(env.list("CORS_ORIGINS", [], validate=checks.all_origins))
        ),
        private_endpoints=env.str("PRIVATE_ENDPOINTS", "off", validate=_SWITCH) == "on",
        web_client=env.str("WEB_CLIENT", "on", validate=_SWITCH) == "on",
        smtp=smtp_settings.read(env),
        oidc_providers=checks.path(env.str("OIDC_PROVIDERS", "")),
        oidc_client_secrets=env.str("OIDC_CLIENT_SECRETS", "", validate=checks.client_secrets),
        registration=env.str("REGISTRATION", "open", validate=checks.one_of(*REGISTRATIONS)),
        raid_joins=env.int("RAID_JOINS", 50, validate=_RAID_JOINS),
        raid_window_s=env.int("RAID_WINDOW", 60, validate=_RAID_SECONDS),
        raid_pause_s=env.int("RAID_PAUSE", 600, validate=_RAID_SECONDS),
        require_mfa=env.str("REQUIRE_MFA", "off", validate=checks.one_of("off", "administrators")),
        passkey_user_verification=env.str(
            "PASSKEY_USER_VERIFICATION", "preferred", validate=checks.one_of(*_USER_VERIFICATIONS)
        ),
        log_level=env.str("LOG_LEVEL", "info", validate=checks.one_of(*_LOG_LEVELS)),
        log_format=env.str("LOG_FORMAT", "plain", validate=checks.one_of("plain", "json")),
        metrics_host=env.str("METRICS_HOST", "127.0.0.1", validate=_NOT_EMPTY),
        metrics_port=_metrics_port(
            env.int("METRICS_PORT", 0, validate=validate.Range(0, 65535)),
            env.int("METRICS_PORT_OFFSET", 0, validate=validate.Range(0, 1000)),
        ),
    )


def _metrics_port(port: int | None, offset: int | None) -> int:
    """Return the metrics port of this instance, 0 if disabled. None marks an invalid value."""
    return port + (offset or 0) if port else 0


SECRETS = (
    "DATABASE_URL",
    "REDIS_URL",
    "JWT_SECRET",
    "S3_ACCESS_KEY_ID",
    "S3_SECRET_ACCESS_KEY",
    "SMTP_PASSWORD",
    "OIDC_CLIENT_SECRETS",
)
REGISTRATIONS = ("open", "approval", "invitation", "closed")
_USER_VERIFICATIONS = ("required", "preferred", "discouraged")
_APP_ENVS = ("development", "staging", "production")
_LOG_LEVELS = ("debug", "info", "warning", "error")
_PORT = validate.Range(1, 65535)
_CONNECTIONS = validate.Range(3, 1000)
_HEARTBEAT_MS = validate.Range(1_000, 600_000)
_SECONDS = validate.Range(1, 10 * 365 * 86400)
_UPLOAD = validate.Range(1, 2**30)
_STORED = validate.Range(0, 2**50)
_REPLAY = validate.Range(2**20, 2**40)
_SEND_QUEUE = validate.Range(2**23, 2**40)  # at least the send queue of one connection
_SHUTDOWN = validate.Range(1, 600)
_NOT_NEGATIVE = validate.Range(0, 10**6)
_NOT_EMPTY = validate.Length(min=1)
_RAID_JOINS = validate.Range(0, 1000)  # their ids are in one row
_RAID_SECONDS = validate.Range(1, 86_400)  # a day, as for other pauses of invites
_SWITCH = validate.OneOf(("on", "off"), error="{input} is not one of {choices}.")
