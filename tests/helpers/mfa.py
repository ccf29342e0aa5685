"""Accounts with second factors."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pyotp

from tests.helpers.authenticator import Authenticator
from tests.world import PASSWORD, Answer, Person, Rest

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STEP_S = 30
PASSKEYS = "/users/@me/mfa/webauthn/credentials"


class _Totp(pyotp.TOTP):
    min_secret_length_bits = 80  # those of some clients are shorter than the library permits


@dataclass
class CodeClock:
    """The time of one-time codes, which passes only when a test says so."""

    now: float = field(default_factory=time.time)

    def time(self) -> float:
        """Return the time in Unix seconds."""
        return self.now

    def code(self, offset: int = 0, secret: str = SECRET) -> str:
        """Return the code of the current time step, or of another one."""
        return _Totp(secret).generate_otp(int(self.now) // STEP_S + offset)

    def next_code(self, secret: str = SECRET) -> str:
        """Let a step pass, and return its code, which was not used before."""
        self.now += STEP_S
        return self.code(secret=secret)


async def enable_totp(person: Person, clock: CodeClock, secret: str = SECRET) -> list[str]:
    """Enable one-time codes; return the recovery codes."""
    body = {"password": PASSWORD, "secret": secret, "code": clock.next_code(secret)}
    enabled = await person.rest.post("/users/@me/mfa/totp/enable", body)
    return [each["code"] for each in enabled["backup_codes"]]


async def add_passkey(person: Person, authenticator: Authenticator, **proof: Any) -> Any:
    """Add a passkey; `proof` is the password or a code."""
    begun = await person.rest.post(PASSKEYS, proof or {"password": PASSWORD})
    answer = authenticator.create(begun["challenge"])
    body = {"name": "Key", "ticket": begun["ticket"], "credential": answer}
    return await person.rest.post(PASSKEYS, body)


async def challenged(rest: Rest, person: Person, agent: str = "a browser") -> Any:
    """Log in with the password; return the request for the second factor."""
    body = {"login": person.email, "password": PASSWORD}
    answer = await rest.call("POST", "/auth/login", body, headers={"User-Agent": agent})
    assert answer.status == 200, answer.raw
    assert answer.json["mfa"] is True
    return answer.json


async def log_in(
    rest: Rest, ticket: str, code: str, kind: str = "totp", agent: str = "a browser"
) -> Answer:
    """Finish a login with a ticket."""
    body = {"ticket": ticket, "code": code}
    headers = {"User-Agent": agent}
    return await rest.call("POST", f"/auth/mfa/{kind}", body, headers=headers)


async def confirmed(person: Person, ticket: str, kind: str, data: str) -> dict[str, str]:
    """Exchange a ticket and a factor for a confirmation; return the header that has it."""
    body = {"ticket": ticket, "mfa_type": kind, "data": data}
    token = (await person.rest.post("/mfa/finish", body))["token"]
    return {"X-Discord-MFA-Authorization": token}
