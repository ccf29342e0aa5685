"""Characters that names may or may not hold."""

from __future__ import annotations

INVISIBLE = [
    "\u00ad",  # soft hyphen
    "\u034f",  # combining grapheme joiner
    "\u061c",
    "\u115f",  # Hangul fillers
    "\u1160",
    "\u3164",
    "\uffa0",
    "\u17b4",
    "\u180b",  # Mongolian variation selectors
    "\u180e",
    "\u200b",
    "\u200e",
    "\u200f",
    "\u202a",  # bidi controls
    "\u202e",
    "\u2060",
    "\u2066",
    "\u2069",
    "\u206f",
    "\u2800",  # blank Braille pattern
    "\ufe00",  # variation selectors
    "\ufe0e",
    "\ufe0f",
    "\ufeff",
    "\ufff0",
    "\U0001d159",
    "\U000e0001",  # tags
    "\U000e0041",
    "\U000e007f",
    "\U000e0100",
    "\U000e01ef",
    "\n",  # line breaks and other controls
    "\r",
    "\u0085",
    "\u2028",
    "\u2029",
    "\u0000",
    "\u001b",
    "\u0378",  # unassigned
    "\U000fffff",
    "\ue000",  # private
    "\u200c",
    "\u200d",
]
"""One code point of each kind that has no shape, or none that all fonts have."""


EMOJI = ["❤️", "1️⃣", "👨‍👩‍👧", "🏳️‍🌈", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👍🏽", "🇩🇪", "☺️", "👁️‍🗨️", "🧑🏽‍🚀"]
