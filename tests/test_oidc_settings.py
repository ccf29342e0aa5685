"""The file of OpenID providers, and the secrets of their clients."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatd import oidc_settings
from chatd.config import SECRETS, ConfigError
from tests.helpers.settings import config_of

_FULL = """
[company]
label = "The company"
issuer = "https://id.example.org/realms/main"
client_id = "chatd"
scopes = ["openid", "email", "groups"]
create_accounts = "always"
administrators = ["chat-admins"]

[[company.roles]]
group = "engineers"
guild = 1576879181966737408
role = "1576879181966737409"

[public]
issuer = "http://127.0.0.1:9000"
client_id = "chatd"
"""
_LEAST = '[a]\nissuer = "https://id.example.org"\nclient_id = "chatd"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "oidc.toml"


def test_settings_are_read(file: Path) -> None:
    file.write_text(_FULL)
    settings = {"OIDC_PROVIDERS": str(file), "OIDC_CLIENT_SECRETS": "company:s3:cr+t"}
    config = config_of(file.parent, **_required(), **settings)
    company, public = config.providers
    assert (company.name, company.label, company.client_secret) == (
        "company",
        "The company",
        "s3:cr+t",
    )
    [mapping] = company.options.roles
    assert (mapping.group, mapping.guild, mapping.role) == (
        "engineers",
        1576879181966737408,
        1576879181966737409,
    )
    assert (public.label, public.client_secret) == ("public", "")
    assert "s3:cr+t" not in repr(config) + repr(company)
    assert "OIDC_CLIENT_SECRETS" in SECRETS
    assert config_of(file.parent, **_required()).providers == ()


def _required() -> dict[str, str]:
    return {"DATABASE_URL": "postgresql://x", "JWT_SECRET": "x" * 32}


WRONG: dict[str, tuple[str, str]] = {
    "no TOML": ("[a", "Expected"),
    "no issuer": ('[a]\nclient_id = "c"', "issuer"),
    "unknown key": (_LEAST + "client_secret = 'oops'", "client_secret"),
    "wrong type": (_LEAST + "require_mfa = 'yes please'", "require_mfa"),
    "wrong choice": (_LEAST + "create_accounts = 'maybe'", "create_accounts"),
    "wrong algorithm": (_LEAST + "algorithms = ['HS256']", "HS256"),
    "no algorithm": (_LEAST + "algorithms = []", "algorithms"),
    "no openid": (_LEAST + "scopes = ['email']", "openid"),
    "odd scope": (_LEAST + "scopes = ['openid', 'a b']", "scope"),
    "odd name": (_LEAST.replace("[a]", "['A/b']"), "name"),
    "reserved name": (_LEAST.replace("[a]", "[token]"), "name"),
    "http": (_LEAST.replace("https", "http"), "https"),
    "other scheme": (_LEAST.replace("https", "ftp"), "https"),
    "query": (_LEAST.replace(".org", ".org/?a=b"), "URL"),
    "user": (_LEAST.replace("//id", "//u:p@id"), "URL"),
    "port": (_LEAST.replace(".org", ".org:x"), "URL"),
    "same issuer": (_LEAST + _LEAST.replace("[a]", "[b]"), "one issuer"),
    "id of zero": (_LEAST + "[[a.roles]]\ngroup='g'\nguild=0\nrole=1", "guild"),
    "id of a person": (_LEAST + "[[a.roles]]\ngroup='g'\nguild='x'\nrole=1", "guild"),
    "no table": ("a = 1", "object"),
    "deep": ("a = " + "[" * 5000, ""),
    "many": ("".join(f"[a{n}]\nissuer='https://x{n}'\nclient_id='c'\n" for n in range(21)), "20"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_file_is_refused_in_one_line(file: Path, name: str) -> None:
    content, word = WRONG[name]
    file.write_text(content)
    with pytest.raises(ConfigError) as refused:
        config_of(file.parent, **_required(), OIDC_PROVIDERS=str(file))
    text = str(refused.value)
    assert text.startswith("OIDC_PROVIDERS: ")
    assert word in text
    assert "\n" not in text


def test_unreadable_file(file: Path) -> None:
    for content in (None, b"\xff\xfe", b" " * (oidc_settings.MAX_FILE_BYTES + 1)):
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(ConfigError, match="OIDC_PROVIDERS"):
            config_of(file.parent, **_required(), OIDC_PROVIDERS=str(file))


@pytest.mark.parametrize("secrets", ["s3cret", "a:", ":s3cret", "A:s3cret", "a:s3cret a:s3cret"])
def test_wrong_secrets_are_not_quoted(file: Path, secrets: str) -> None:
    file.write_text(_LEAST)
    settings = {"OIDC_PROVIDERS": str(file), "OIDC_CLIENT_SECRETS": secrets}
    with pytest.raises(ConfigError, match="OIDC_CLIENT_SECRETS") as refused:
        config_of(file.parent, **_required(), **settings)
    assert "s3cret" not in str(refused.value)


def test_secret_of_an_unknown_provider(file: Path) -> None:
    file.write_text(_LEAST)
    settings = {"OIDC_PROVIDERS": str(file), "OIDC_CLIENT_SECRETS": "b:s3cret"}
    with pytest.raises(ConfigError, match="no provider of the file: b"):
        config_of(file.parent, **_required(), **settings)


def test_http_is_for_this_machine_or_a_private_network(file: Path) -> None:
    file.write_text(_LEAST.replace("https", "http"))
    settings = {"OIDC_PROVIDERS": str(file), "PRIVATE_ENDPOINTS": "on"}
    assert config_of(file.parent, **_required(), **settings).providers
