"""Responses about single sign-on."""

from __future__ import annotations

from chatd.wire.json_schema import BOOL, DATETIME, STRING, array_of, nullable, object_schema

PROVIDERS = object_schema(
    "Providers",
    "The providers at which people can log in.",
    {
        "providers": array_of(
            object_schema(
                "Provider",
                "A provider of logins.",
                {
                    "name": {**STRING, "description": "Its name in addresses."},
                    "label": {**STRING, "description": "What to show to people."},
                },
            )
        )
    },
)
PROVIDER_URL = object_schema(
    "ProviderUrl",
    "Where the browser goes.",
    {"url": {**STRING, "description": "An address of the provider."}},
)
LINKS = object_schema(
    "Links",
    "How the caller can log in.",
    {
        "has_password": {**BOOL, "description": "Whether the account has a password."},
        "links": array_of(
            object_schema(
                "Link",
                "An account at a provider that is linked with the caller's.",
                {
                    "name": {**STRING, "description": "The name of the provider."},
                    "label": {**STRING, "description": "What to show to people."},
                    "linked_at": {**DATETIME, "description": "When it was linked."},
                    "last_used_at": {
                        **nullable(DATETIME),
                        "description": "When it was last used to log in; null if never.",
                    },
                },
            )
        ),
    },
)
