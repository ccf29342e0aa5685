"""SQL for the text of a message that a search finds: its content, and the texts of its components.

Of components only text displays have a `content`.
"""

from __future__ import annotations

from typing import Final


def _text_of(message: str) -> str:
    """Return SQL for the text of a message; `message` is its alias."""
    return f"""
        CASE WHEN {message}.components IS NULL THEN {message}.content
             ELSE {message}.content || coalesce(
                 (SELECT string_agg(' ' || (shown #>> '{{}}'), '')
                    FROM jsonb_path_query({message}.components, 'strict $.**.content') AS shown),
                 '')
             END
    """


TEXT: Final = _text_of("m")
"""SQL for the text of the message `m`."""

TEXT_OF_MESSAGES: Final = _text_of("messages")
"""SQL for the text of a row of `messages`."""
