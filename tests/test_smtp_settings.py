"""The settings of mail, alone and together."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatd.backup.settings import secrets_of
from chatd.config import Config, ConfigError
from tests.helpers.settings import config_of

BASE = {
    "DATABASE_URL": "postgresql://localhost/chatd",
    "JWT_SECRET": "a secret of the tests, long enough",
    "PUBLIC_URL": "https://chat.example.org",
    "SMTP_HOST": "smtp.example.org",
    "SMTP_FROM": "chatd <chatd@example.org>",
}


def load(folder: Path, **changes: str) -> Config:
    return config_of(folder, **{**BASE, **changes})


def problems(folder: Path, **changes: str) -> set[str]:
    with pytest.raises(ConfigError) as refused:
        load(folder, **changes)
    return set(refused.value.problems)


def test_without_a_host_no_mail_is_sent(tmp_path: Path) -> None:
    assert load(tmp_path, SMTP_HOST="", SMTP_FROM="").smtp.host == ""


def test_defaults(tmp_path: Path) -> None:
    smtp = load(tmp_path).smtp
    assert (smtp.port, smtp.tls, smtp.timeout_s) == (587, "starttls", 10)
    assert smtp.sender_address.addr_spec == "chatd@example.org"
    assert [load(tmp_path, SMTP_TLS=tls).smtp.port for tls in ("tls", "off")] == [465, 25]
    assert load(tmp_path, SMTP_PORT="2525").smtp.port == 2525


def test_password_is_a_secret(tmp_path: Path) -> None:
    config = load(tmp_path, SMTP_USER="chatd", SMTP_PASSWORD="a password of ours")
    assert "a password of ours" not in repr(config)
    assert secrets_of(config)["SMTP_PASSWORD"] == "a password of ours"


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"SMTP_FROM": ""}, "SMTP_FROM"),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL"),
        ({"SMTP_HOST": ""}, "SMTP_HOST"),
        ({"SMTP_PASSWORD": "x"}, "SMTP_USER"),
        ({"SMTP_TLS": "ssl"}, "SMTP_TLS"),
        ({"SMTP_TLS": "off", "SMTP_USER": "a", "SMTP_PASSWORD": "b"}, "SMTP_TLS"),
        ({"SMTP_PORT": "70000"}, "SMTP_PORT"),
        ({"SMTP_TIMEOUT": "0"}, "SMTP_TIMEOUT"),
        ({"SMTP_TIMEOUT": "61"}, "SMTP_TIMEOUT"),
        ({"SMTP_FROM": "nothing"}, "SMTP_FROM"),
        ({"SMTP_FROM": "a@example.org, b@example.org"}, "SMTP_FROM"),
        ({"SMTP_FROM": "a@example.org\nBcc: b@example.org"}, "SMTP_FROM"),
        ({"SMTP_FROM": "@"}, "SMTP_FROM"),
        ({"SMTP_FROM": "chatd@bücher.example"}, "SMTP_FROM"),
        ({"SMTP_FROM": "<"}, "SMTP_FROM"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, changes: dict[str, str], wrong: str) -> None:
    assert problems(tmp_path, **changes) == {wrong}


def test_local_server_needs_no_encryption(tmp_path: Path) -> None:
    given = {"SMTP_TLS": "off", "SMTP_USER": "a", "SMTP_PASSWORD": "b"}
    for host in ("localhost", "127.0.0.1", "::1"):
        assert load(tmp_path, SMTP_HOST=host, **given).smtp.host == host
