"""Settings: sources, defaults, and errors."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chatd.config import Config, ConfigError, load, names, suspect_names
from chatd.smtp_settings import SmtpSettings
from tests.conftest import repository

NEEDED = {
    "DATABASE_URL": "postgresql://localhost/chatd",
    "JWT_SECRET": "a secret of thirty-two characters",
}
VARIABLES = re.findall(r"^#([A-Z0-9_]+)=(.*)$", (repository() / ".env.example").read_text(), re.M)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset all settings, so that only those of the test are set."""
    for name, _ in VARIABLES:
        monkeypatch.setenv(name, "")  # so that it is restored, even if it was not set
        monkeypatch.delenv(name)


def given(monkeypatch: pytest.MonkeyPatch, folder: Path, **settings: str) -> Config:
    for name, value in {**NEEDED, **settings}.items():
        monkeypatch.setenv(name, value)
    return load(directory=folder)


def test_defaults_match_the_example_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = given(monkeypatch, tmp_path)
    example = {name: value for name, value in VARIABLES if name not in NEEDED}
    assert given(monkeypatch, tmp_path, **example) == config
    assert (config.api_host, config.api_port, config.gateway_port) == ("127.0.0.1", 8080, 8081)
    assert config.redis_url == "redis://localhost:6379"
    assert (config.jwt_access_token_expiry_s, config.jwt_refresh_token_expiry_s) == (900, 604800)
    assert config.client_token_expiry_s == 2592000


def test_example_file_has_every_setting() -> None:
    # METRICS_PORT_OFFSET has no field: it is added to METRICS_PORT. Those of SMTP are in one field.
    # The field `providers` has no variable: it is what OIDC_PROVIDERS contains.
    fields = len(dataclasses.fields(Config)) - 2 + len(dataclasses.fields(SmtpSettings))
    assert len(VARIABLES) == fields + 1
    assert {name for name, _ in VARIABLES} == names()


def test_environment_takes_precedence_over_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("API_PORT=9000\nGATEWAY_PORT=9001\n")
    config = given(monkeypatch, tmp_path, GATEWAY_PORT="9002")
    assert (config.api_port, config.gateway_port) == (9000, 9002)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "Is a directory"),
        (b"API_PORT=1\xff\n", "it is not UTF-8"),
        (b"API_PORT=9000\n=hunter2\n", "line 2 is not NAME=value"),
        (b"JWT_SECRET=hunter2\0\n", "line 1 is not NAME=value"),
    ],
)
def test_invalid_env_file_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / ".env"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        given(monkeypatch, tmp_path)
    assert str(refused.value).startswith(f"{file}: ")
    assert str(refused.value).endswith(reason)
    assert "hunter2" not in str(refused.value)


def test_credentials_take_precedence_and_stay_out_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "jwt_secret").write_text("a secret that is only in this file\n")
    (credentials / "redis_url").write_text("redis://:hunter2@localhost")
    (credentials / "worker_id").write_text("7")  # not a secret
    (tmp_path / ".env").write_text("REDIS_URL=redis://other\nJWT_SECRET=x\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    before = dict(os.environ)
    config = given(monkeypatch, tmp_path, JWT_SECRET="too short")
    assert config.jwt_secret == "a secret that is only in this file"
    assert config.redis_url == "redis://:hunter2@localhost"
    assert config.database_url == NEEDED["DATABASE_URL"]
    assert config.worker_id == 0
    given_now = {**NEEDED, "JWT_SECRET": "too short"}
    assert dict(os.environ) == {**before, **given_now}  # child processes do not inherit the secrets


def test_invalid_credential_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "jwt_secret").write_text("hunter2")
    with pytest.raises(ConfigError, match=r"^JWT_SECRET: Needs at least") as refused:
        given(monkeypatch, tmp_path)
    assert "hunter2" not in str(refused.value)
    (tmp_path / "jwt_secret").write_bytes(b"hunter2 \xff")
    with pytest.raises(ConfigError, match=r"^JWT_SECRET: cannot read the credential: not text$"):
        given(monkeypatch, tmp_path)
    (tmp_path / "jwt_secret").unlink()
    (tmp_path / "jwt_secret").mkdir()
    with pytest.raises(ConfigError, match=r"^JWT_SECRET: cannot read the credential: Is a dir"):
        given(monkeypatch, tmp_path)


def test_each_load_reads_current_values(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("LOG_LEVEL=debug\n")
    assert given(monkeypatch, tmp_path).log_level == "debug"
    file.write_text("LOG_LEVEL=error\n")
    assert load(directory=tmp_path).log_level == "error"
    file.unlink()
    assert load(directory=tmp_path).log_level == "info"


def test_former_name_of_a_setting_is_accepted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("OUTBOX_MAX_BYTES=9000000\n")
    before = dict(os.environ)
    assert given(monkeypatch, tmp_path).send_queue_max_bytes == 9_000_000
    assert "SEND_QUEUE_MAX_BYTES" not in os.environ.keys() - before.keys()
    monkeypatch.setenv("OUTBOX_MAX_BYTES", "9000001")
    assert load(directory=tmp_path).send_queue_max_bytes == 9_000_001
    monkeypatch.setenv("OUTBOX_MAX_BYTES", "many")
    with pytest.raises(ConfigError, match=r"^OUTBOX_MAX_BYTES: "):
        load(directory=tmp_path)
    monkeypatch.setenv("SEND_QUEUE_MAX_BYTES", "9000002")
    assert load(directory=tmp_path).send_queue_max_bytes == 9_000_002


def test_former_name_of_a_setting_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = ("OUTBOX_MAX_BYTES", "SEND_QUEUE_MAX_BYTES", True)
    for in_file, environment, where in (
        ("OUTBOX_MAX_BYTES=1\n", {}, ".env"),
        ("", {"OUTBOX_MAX_BYTES": "1"}, "the environment"),
    ):
        (tmp_path / ".env").write_text(in_file)
        [found] = suspect_names(environment)
        assert (found.name, found.suggestion, found.is_former) == expected
        assert found.where == where


def test_proxies_are_a_list_of_networks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = given(monkeypatch, tmp_path, TRUSTED_PROXIES="10.0.0.0/8, ::1,", RATE_LIMITS="off")
    assert [str(network) for network in config.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert config.rate_limits is False


def test_metrics_port_offset_is_added(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert given(monkeypatch, tmp_path, METRICS_PORT_OFFSET="2").metrics_port == 0
    assert given(monkeypatch, tmp_path, METRICS_PORT="9100").metrics_port == 9102
    with pytest.raises(ConfigError, match="METRICS_PORT: With METRICS_PORT_OFFSET it exceeds"):
        given(monkeypatch, tmp_path, METRICS_PORT="65534")
    with pytest.raises(ConfigError, match="METRICS_PORT_OFFSET"):
        given(monkeypatch, tmp_path, METRICS_PORT="1", METRICS_PORT_OFFSET="-1")


def test_embedded_mode_needs_nothing(tmp_path: Path) -> None:
    config = load(embedded=True, directory=tmp_path)
    assert (config.database_url, config.redis_url, config.jwt_secret) == ("", "", "")


def test_database_and_secret_are_required_without_embedded(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(directory=tmp_path)
    assert "DATABASE_URL" in str(refused.value)
    assert "JWT_SECRET" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_PORT", "eighty"),
        ("API_PORT", "0"),
        ("API_PORT", "65536"),
        ("API_PORT", "80.5"),
        ("API_HOST", ""),
        ("GATEWAY_PORT", "-1"),
        ("APP_ENV", "prod"),
        ("DATABASE_URL", "mysql://localhost/chatd"),
        ("DATABASE_URL", "chatd"),
        ("DATABASE_URL", "postgresql://[::1/chatd"),
        ("DATABASE_MAX_CONNECTIONS", "1"),
        ("REDIS_URL", "http://localhost"),
        ("JWT_SECRET", ""),
        ("JWT_SECRET", "x" * 31),
        ("JWT_ACCESS_TOKEN_EXPIRY", "0"),
        ("JWT_REFRESH_TOKEN_EXPIRY", "a week"),
        ("CLIENT_TOKEN_EXPIRY", "0"),
        ("WORKER_ID", "32"),
        ("WORKER_ID", "-1"),
        ("LOG_LEVEL", "loud"),
        ("HEARTBEAT_INTERVAL", "0"),
        ("RESUME_WINDOW", "-1"),
        ("RATE_LIMITS", "maybe"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("CHATD_DATADIR", "/srv/chatd"),
        ("CORS_ORIGINS", "example.org"),
        ("CORS_ORIGINS", "https://example.org/"),
        ("CORS_ORIGINS", "https://example.org/chat"),
        ("CORS_ORIGINS", "https://me@example.org"),
        ("CORS_ORIGINS", "https://example.org, null"),
        ("CORS_ORIGINS", "https://*.example.org"),
        ("CORS_ORIGINS", "https://example.org:x"),
    ],
)
def test_invalid_value_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        given(monkeypatch, tmp_path, **{name: value})
    text = str(refused.value)
    assert text.startswith(f"{name}: ")
    assert "\n" not in text
    others = {other for other, _ in VARIABLES} - {name}
    assert not [other for other in others if other in text]


def test_origins_are_normalized_as_in_browsers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given_origins = "https://Chat.Example.org:443, http://localhost:8000,http://[::1]:80, *"
    config = given(monkeypatch, tmp_path, CORS_ORIGINS=given_origins)
    assert config.cors_origins == (
        "https://chat.example.org",
        "http://localhost:8000",
        "http://[::1]",
        "*",
    )


def test_all_invalid_values_are_named_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as refused:
        given(monkeypatch, tmp_path, API_PORT="x", WORKER_ID="99", CHATD_PORT="1")
    text = str(refused.value)
    assert all(name in text for name in ("API_PORT", "WORKER_ID", "CHATD_PORT"))
    assert ";" not in text  # each problem is a sentence


def test_errors_and_repr_contain_no_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as refused:
        given(
            monkeypatch,
            tmp_path,
            DATABASE_URL="mysql://me:hunter2@localhost/chatd",
            REDIS_URL="http://:hunter2@localhost",
            JWT_SECRET="hunter2",
        )
    assert "hunter2" not in str(refused.value)

    config = given(
        monkeypatch,
        tmp_path,
        DATABASE_URL="postgresql://me:hunter2@localhost/chatd",
        REDIS_URL="redis://:hunter2@localhost",
        JWT_SECRET="hunter2" * 5,
    )
    assert "hunter2" not in repr(config)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1:8080"),
        ("0.0.0.0", "127.0.0.1:8080"),
        ("::", "[::1]:8080"),
        ("::1", "[::1]:8080"),
        ("2001:db8::7", "[2001:db8::7]:8080"),
        ("fe80::1%eth0", "[fe80::1%25eth0]:8080"),
        ("chat.example.org", "chat.example.org:8080"),
    ],
)
def test_default_public_url_is_reachable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str, shown: str
) -> None:
    config = given(monkeypatch, tmp_path, API_HOST=host)
    assert config.public_url == f"http://{shown}"
    url = urlsplit(config.public_url)
    assert url.port == 8080


@pytest.mark.parametrize(
    ("url", "in_browsers"),
    [
        ("https://chat.münchen.example/", "https://chat.xn--mnchen-3ya.example"),
        ("HTTPS://Chat.Example.org:443", "https://chat.example.org"),
        ("http://chat.example.org:8080/chat/", "http://chat.example.org:8080/chat"),
        ("http://[2001:DB8::7]:80", "http://[2001:DB8::7]:80"),
    ],
)
def test_public_url_is_that_of_browsers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, in_browsers: str
) -> None:
    """Mails of a server whose address is not ASCII were dropped, and its passkeys refused."""
    assert given(monkeypatch, tmp_path, PUBLIC_URL=url).public_url == in_browsers


@pytest.mark.parametrize("url", ["https://", "https://x:99999", "ftp://x", "https://a\u200db"])
def test_public_url_without_a_host_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str
) -> None:
    with pytest.raises(ConfigError):
        given(monkeypatch, tmp_path, PUBLIC_URL=url)
