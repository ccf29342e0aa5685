"""Descriptions of schemas, fields and parameters, for the document of the API.

A field has one description for all schemas that share it (`FIELDS`), or one for its own schema
(`OF_SCHEMAS`). They are in one place so that a field with the same meaning has the same description
everywhere. Tests check that every field has a description, and that every description has a field.
"""

from __future__ import annotations

from typing import Final

from chatd.wire.descriptions._account_mail import ACCOUNT_MAIL, SCHEMAS_OF_ACCOUNT_MAIL
from chatd.wire.descriptions._accounts import ACCOUNTS
from chatd.wire.descriptions._administration import ADMINISTRATION
from chatd.wire.descriptions._always import ALWAYS_EMPTY, ALWAYS_NULL
from chatd.wire.descriptions._applications import APPLICATIONS
from chatd.wire.descriptions._auto_moderation import (
    AUTO_MODERATION,
    SCHEMAS_OF_AUTO_MODERATION,
)
from chatd.wire.descriptions._commands import COMMANDS
from chatd.wire.descriptions._components import COMPONENTS, SCHEMAS_OF_COMPONENTS
from chatd.wire.descriptions._fields import FIELDS
from chatd.wire.descriptions._guilds import GUILDS
from chatd.wire.descriptions._instance import INSTANCE
from chatd.wire.descriptions._interactions import INTERACTIONS, SCHEMAS_OF_INTERACTIONS
from chatd.wire.descriptions._messages import MESSAGES
from chatd.wire.descriptions._mfa import MFA, SCHEMAS_OF_MFA
from chatd.wire.descriptions._oidc import OIDC, SCHEMAS_OF_OIDC
from chatd.wire.descriptions._parameters import PARAMETERS
from chatd.wire.descriptions._schemas import SCHEMAS as _SCHEMAS
from chatd.wire.descriptions._uploads import UPLOAD_SCHEMAS, UPLOADS
from chatd.wire.descriptions._user_settings import USER_SETTINGS
from chatd.wire.descriptions._webhooks import WEBHOOKS

OF_SCHEMAS: Final[dict[str, dict[str, str]]] = {
    **ACCOUNTS,
    **ACCOUNT_MAIL,
    **ADMINISTRATION,
    **APPLICATIONS,
    **AUTO_MODERATION,
    **COMPONENTS,
    **COMMANDS,
    **GUILDS,
    **MESSAGES,
    **MFA,
    **OIDC,
    **INTERACTIONS,
    **INSTANCE,
    **UPLOADS,
    **USER_SETTINGS,
    **WEBHOOKS,
}
"""Descriptions of the fields of single schemas, by the name of the schema."""

SCHEMAS: Final[dict[str, str]] = {
    **_SCHEMAS,
    **SCHEMAS_OF_ACCOUNT_MAIL,
    **SCHEMAS_OF_AUTO_MODERATION,
    **SCHEMAS_OF_COMPONENTS,
    **SCHEMAS_OF_INTERACTIONS,
    **SCHEMAS_OF_MFA,
    **SCHEMAS_OF_OIDC,
    **UPLOAD_SCHEMAS,
}
"""Descriptions of schemas."""

__all__ = ["ALWAYS_EMPTY", "ALWAYS_NULL", "FIELDS", "OF_SCHEMAS", "PARAMETERS", "SCHEMAS"]
