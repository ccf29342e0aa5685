"""Accounts, logins and what belongs to one person."""

from __future__ import annotations

from chatd.core.ids import (
    LoginId,
    UserId,
)
from chatd.db.cursor import Cursor
from chatd.queries import (
    administration,
    invitations,
    logins,
    mentions,
    notes,
    notifications,
    relationships,
    user_settings,
    users,
)
from tests.queries.acts.act import (
    GUILD,
    GUILDS,
    USER,
    act,
)
from tests.queries.scene.accounts import token


async def _trimmed_mentions(cur: Cursor) -> None:
    await mentions.trim_removed(cur, USER, most=2)


ACTS = [
    act(
        administration.set_administrator,
        lambda cur: administration.set_administrator(cur, USER, True),
        users={"id": USER},
    ),
    act(
        administration.set_disabled,
        lambda cur: administration.set_disabled(cur, USER, True),
        users={"id": USER},
    ),
    act(
        administration.set_password,
        lambda cur: administration.set_password(cur, USER, "other"),
        users={"id": USER},
    ),
    act(
        invitations.consume,
        lambda cur: invitations.consume(cur, "first"),
        registration_invitations={"code": "first"},
    ),
    act(
        invitations.delete,
        lambda cur: invitations.delete(cur, "first"),
        registration_invitations={"code": "first"},
    ),
    act(
        invitations.delete_expired,
        lambda cur: invitations.delete_expired(cur, limit=9),
        registration_invitations=[{"code": "expired"}, {"code": "used up"}],
    ),
    act(
        logins.mark_used,
        lambda cur: logins.mark_used(cur, token(12, expired=False)),
        refresh_tokens={"token_hash": "\\x" + token(12, expired=False).hex()},
        logins={"id": 12},
    ),
    act(
        logins.revoke,
        lambda cur: logins.revoke(cur, UserId(1), [LoginId(11), LoginId(21)]),
        logins={"id": 11},
    ),
    act(
        logins.revoke_all,
        lambda cur: logins.revoke_all(cur, UserId(1), except_id=None),
        logins={"user_id": 1},
    ),
    act(
        logins.revoke_all,
        lambda cur: logins.revoke_all(cur, UserId(1), except_id=LoginId(12)),
        logins=[{"id": 11}, {"id": 13}, {"id": 14}],
    ),
    act(
        users.update_credentials,
        lambda cur: users.update_credentials(
            cur, USER, email="a@b", email_key="a@b", password_hash="other"
        ),
        users={"id": USER},
    ),
    act(
        users.set_language,
        lambda cur: users.set_language(cur, USER, "de"),
        users={"id": USER},
    ),
    act(
        users.update_profile,
        lambda cur: users.update_profile(
            cur,
            USER,
            username="changed",
            username_key="changed",
            global_name=None,
            avatar=None,
            bio="",
        ),
        users={"id": USER},
    ),
    act(
        users.anonymize,
        lambda cur: users.anonymize(cur, USER, username="changed", username_key="changed"),
        users={"id": USER},
    ),
    act(
        logins.delete_expired_tokens,
        lambda cur: logins.delete_expired_tokens(cur, limit=9),
        refresh_tokens=[
            {"token_hash": "\\x" + token(login, expired=True).hex()} for login in (12, 14)
        ],
    ),
    act(
        logins.delete_expired,
        lambda cur: logins.delete_expired(cur, limit=9),
        logins={"id": 13},
    ),
    act(
        logins.record_uses,
        lambda cur: logins.record_uses(cur, [LoginId(11), LoginId(14)], lifetime_s=9),
        logins=[{"id": 11}, {"id": 14}],
    ),
    act(
        logins.delete_expired_without_client_token,
        lambda cur: logins.delete_expired_without_client_token(cur, limit=9),
        logins={"id": 11},
        refresh_tokens={"token_hash": "\\x" + token(11, expired=True).hex()},
    ),
    act(
        relationships.set_nickname,
        lambda cur: relationships.set_nickname(cur, UserId(1), USER, "changed"),
        relationships={"user_id": 1, "other_id": USER},
    ),
    act(
        relationships.delete,
        lambda cur: relationships.delete(cur, UserId(1), USER),
        relationships={"user_id": 1, "other_id": USER},
    ),
    act(
        relationships.delete_of_deleted,
        lambda cur: relationships.delete_of_deleted(cur, UserId(1)),
        relationships=[{"user_id": 1}, {"other_id": 1, "type": 1}],
    ),
    act(
        user_settings.restrict_guilds,
        lambda cur: user_settings.restrict_guilds(cur, USER, [GUILD]),
        guild_members={"guild_id": GUILD, "user_id": USER},
    ),
    act(
        user_settings.restrict_guilds,
        lambda cur: user_settings.restrict_guilds(cur, UserId(3), GUILDS),
        guild_members={"user_id": 3},
    ),
    act(
        notes.delete,
        lambda cur: notes.delete(cur, USER, UserId(3)),
        user_notes={"user_id": USER, "target_id": 3},
    ),
    act(
        notes.delete_all,
        lambda cur: notes.delete_all(cur, USER),
        user_notes={"user_id": USER},
    ),
    act(
        mentions.trim_removed,
        _trimmed_mentions,
        removed_mentions={"user_id": USER, "message_id": 1},
    ),
    act(
        mentions.delete_removed,
        lambda cur: mentions.delete_removed(cur, before=2, limit=9),
        removed_mentions={"message_id": 1},
    ),
    act(
        mentions.delete_of_user,
        lambda cur: mentions.delete_of_user(cur, USER),
        removed_mentions={"user_id": USER},
    ),
    act(
        notifications.delete,
        lambda cur: notifications.delete(cur, USER),
        user_guild_settings={"user_id": USER},
    ),
    act(
        user_settings.delete,
        lambda cur: user_settings.delete(cur, USER),
        user_settings={"user_id": USER},
        user_settings_protos={"user_id": USER},
    ),
]
