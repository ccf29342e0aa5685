"""Every new password is checked against the blocklist."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import chatd
from chatd.core.errors import InvalidForm
from chatd.core.ids import UserId
from chatd.services.accounts import administration
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.world import PASSWORD, World

ROOT = Path(chatd.__file__).parent


def test_every_new_password_is_checked() -> None:
    """Only `credentials` hashes. Another caller would bypass the rules."""
    hashing = []
    for path in ROOT.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            hashing += [
                f"{path.relative_to(ROOT)} {function.name}"
                for node in ast.walk(function)
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("passwords.hash")
            ]
    there = "services/accounts/credentials.py"
    assert hashing == [f"{there} hash_new", f"{there} hash_of_none"]


async def test_registration_refuses_common_passwords(world: World) -> None:
    for number, password in enumerate(("password1", "QWERTYUIOP", "12345678")):
        body = {"username": f"weak{number}", "email": "weak@example.org", "password": password}
        answer = await world.anonymous.call("POST", "/auth/register", body)
        assert (answer.status, answer.code) == (400, 50035)
        [error] = answer.json["errors"]["password"]["_errors"]
        assert error["code"] == "PASSWORD_TOO_COMMON"


async def test_password_change_refuses_common_passwords(world: World) -> None:
    alice = await world.person("alice")
    body = {"password": PASSWORD, "new_password": "Iloveyou1"}
    answer = await alice.rest.call("PATCH", "/users/@me", body)
    assert (answer.status, answer.code) == (400, 50035)
    [error] = answer.json["errors"]["new_password"]["_errors"]
    assert error["code"] == "PASSWORD_TOO_COMMON"
    # Login accepts any password: it may be older than the rules.
    login = {"email": alice.email, "password": "password1"}
    answer = await world.anonymous.call("POST", "/auth/login", login)
    [error] = answer.json["errors"]["password"]["_errors"]
    assert error["code"] == "INVALID_LOGIN"


async def test_operator_cannot_set_common_passwords(world: World, server: Server) -> None:
    alice = await world.person("alice")
    dependencies = server.runner.app[DEPENDENCIES]
    for password in ("password1", "short"):
        with pytest.raises(InvalidForm):
            await administration.set_password(dependencies, UserId(int(alice.id)), password)
    login = {"email": alice.email, "password": PASSWORD}
    assert (await world.anonymous.call("POST", "/auth/login", login)).status == 200
