"""Ways to end a login and its gateway sessions."""

from __future__ import annotations

from tests.helpers.accounts import log_in
from tests.world import PASSWORD, Person, World

NEW_PASSWORD = "Another Password 123!"


async def end_by_logout(world: World, person: Person) -> None:
    """Log out, while another login of the account stays valid."""
    await world.anonymous.post("/auth/login", {"email": person.email, "password": PASSWORD})
    await person.rest.post("/auth/logout")


async def end_by_deletion(world: World, person: Person) -> None:
    """Delete the account."""
    await person.rest.call("POST", "/users/@me/delete", {"password": PASSWORD})


async def end_by_password_change(world: World, person: Person) -> None:
    """Change the password from another login, which stays valid."""
    body = {"password": PASSWORD, "new_password": NEW_PASSWORD}
    another = await log_in(world, person)
    await another.rest.patch("/users/@me", body)
