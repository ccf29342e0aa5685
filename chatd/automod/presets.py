"""The lists of words of the server's own, in `words/`. They are short, and in English."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from chatd.core.automod import Preset

_FILES: Final = {
    Preset.PROFANITY: "profanity.txt",
    Preset.SEXUAL_CONTENT: "sexual_content.txt",
    Preset.SLURS: "slurs.txt",
}


@cache
def words(preset: Preset) -> tuple[str, ...]:
    """Return the keywords of a list, one in each line of its file."""
    text = (files("chatd.automod") / "words" / _FILES[preset]).read_text("utf-8")
    return tuple(line for line in text.splitlines() if line)
