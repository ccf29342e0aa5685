"""The locale of a client, by the headers of its request."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from chatd.core.commands import LOCALES

DEFAULT: Final = "en-US"
"""The locale of all accounts."""

_MAX_LENGTH = 256  # characters of a header that are read
_BY_LOWER: Final = {locale.lower(): locale for locale in sorted(LOCALES)}
_BY_LANGUAGE: Final = {
    locale.partition("-")[0]: locale for locale in sorted(LOCALES, reverse=True)
} | {"en": "en-US", "es": "es-ES"}
"""The locale of a language without a region, or with one that Discord does not have."""


def locale_of(request: web.Request) -> str:
    """Return the first known locale of X-Discord-Locale, then of Accept-Language.

    Rule: Discord docs, "Application Commands", "Retrieving localized commands".
    """
    for header in ("X-Discord-Locale", "Accept-Language"):
        given = request.headers.get(header, "")[:_MAX_LENGTH]
        for each in given.split(","):
            tag = each.partition(";")[0].strip().lower()
            found = _BY_LOWER.get(tag) or _BY_LANGUAGE.get(tag.partition("-")[0])
            if found is not None:
                return found
    return DEFAULT
