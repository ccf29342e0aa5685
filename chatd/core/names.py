"""Rules for names, and the canonical form in which usernames are unique.

People recognize a user, a guild, a channel, a role or an application by its name. So a name must be
visible, and different names must look different:

- Control characters, line breaks, unassigned and private code points, code points that Unicode
  calls default-ignorable, and blank ones are rejected.
- A combining mark needs a base character, and at most four marks follow one another (UTS #39,
  5.4). People use fewer, and more of them cover the lines above and below.
- Display names may contain emoji. Some emoji contain two code points that are otherwise rejected:
  the joiner U+200D and the variation selector U+FE0F. These are accepted only inside an emoji of
  Unicode's list. Discord accepts emoji in names too.
- The joiners U+200C and U+200D are accepted where the spelling of a language needs them
  (UAX #31, 2.3.1): Persian, and the scripts of India.
- Usernames are stricter: joiners and variation selectors are rejected. They are unique in a folded
  form (UAX #15, NFKC; case folding). Letters of different scripts that look alike stay different.
"""

from __future__ import annotations

import re
import unicodedata

import emoji

MAX_INPUT_LENGTH = 256
"""Characters of a name before normalization, which expands one character to up to 18."""

MAX_USERNAME_LENGTH = 32
"""Characters of a username."""

_REFUSED = {
    "Cc": "control characters",
    "Cf": "invisible characters",
    "Cn": "unassigned characters",
    "Co": "private characters",
    "Cs": "surrogates",
    "Zl": "line breaks",
    "Zp": "line breaks",
}
INVISIBLE = re.compile(
    # Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties.txt):
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    # Blank but not spaces: a Braille pattern, a musical notehead, hieroglyphs, the Khitan filler,
    # the object replacement character.
    "\u2800\U0001d159\U00013441\U00013442\U00016fe4\ufffc]"
)
"""Characters that show nothing."""
_JOINERS = "\u200c\u200d"
_VIRAMA = 9  # the combining class of the sign between the consonants of a cluster
# Combining marks on one character. A Hebrew letter can have three; more of them would cover the
# lines above and below.
_MAX_MARKS = 4
_RESERVED = frozenset({"everyone", "here", "discord", "system"})
_DELETED = "deleted_user_"  # so that no name looks like that of a deleted account
_SPACES = re.compile(r"\s+")

emoji.emoji_list("x")  # loads its tables (10 ms) at import, so that no request waits for it


def check(text: str) -> None:
    """Raise ValueError with the reason unless this is a valid display name."""
    if len(text) > MAX_INPUT_LENGTH:
        raise ValueError(f"Must be {MAX_INPUT_LENGTH} or fewer in length.")
    if text.isascii() and text.isprintable():
        return
    if INVISIBLE.search(text) or not text.isprintable():
        text = _without_joiners(_without_emoji(text))
    _refuse_invisible(text)
    _refuse_marks(text)


def without_invisible(text: str) -> str:
    """Return a text without invisible characters, for names that are repaired, not rejected.

    Code points that an emoji or the spelling of a language needs are kept.
    """
    if not INVISIBLE.search(text):
        return text
    kept, end = [], 0
    for each in emoji.emoji_list(text):
        kept += [_visible_part(text, end, each["match_start"]), each["emoji"]]
        end = each["match_end"]
    return "".join([*kept, _visible_part(text, end, len(text))])


def _visible_part(text: str, start: int, stop: int) -> str:
    return "".join(
        text[at]
        for at in range(start, stop)
        if not INVISIBLE.match(text[at]) or (text[at] in _JOINERS and _is_spelling(text, at))
    )


def normalize_username(text: str) -> str:
    """Return a username in NFKC, with its spaces joined and trimmed. Raises ValueError."""
    if len(text) > MAX_INPUT_LENGTH:
        raise ValueError("Must be between 2 and 32 in length.")
    _refuse_invisible(text)
    normal = unicodedata.normalize("NFKC", text)
    if len(normal) > MAX_INPUT_LENGTH:
        raise ValueError("Must be between 2 and 32 in length.")
    shown = _SPACES.sub(" ", normal).strip()
    if not 2 <= len(shown) <= MAX_USERNAME_LENGTH:
        raise ValueError("Must be between 2 and 32 in length.")
    _refuse_invisible(shown)
    _refuse_marks(shown)
    if any(mark in shown for mark in ("@", "#", ":", "```")):
        raise ValueError("Must not contain @, #, : or ```.")
    if key(shown) in _RESERVED or key(shown).startswith(_DELETED):
        raise ValueError("This name is reserved.")
    return shown


def deleted_username(mark: str) -> str:
    """Return the username of an account after its deletion. `mark` makes it unique."""
    return _DELETED + mark


def key(text: str) -> str:
    """Return the folded form of a name. The unique columns contain it.

    Invisible code points are removed: names that are older than their rejection contain them.
    """
    folded = INVISIBLE.sub("", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFKC", folded)  # folding may leave the normal form


def _refuse_invisible(text: str) -> None:
    for character in text:
        if kind := _REFUSED.get(unicodedata.category(character)):
            raise ValueError(f"Must not contain {kind}.")
    if INVISIBLE.search(text):
        raise ValueError("Must not contain invisible characters.")


def _refuse_marks(text: str) -> None:
    """Raise ValueError for a combining mark without a base character, and for too many in a row."""
    before, count = " ", 0
    for character in unicodedata.normalize("NFD", text):
        if unicodedata.category(character)[0] != "M":
            before, count = character, 0
            continue
        count += 1
        if before.isspace():
            raise ValueError("Must not begin a word with a combining mark.")
        if count > _MAX_MARKS:
            raise ValueError(f"Must not have more than {_MAX_MARKS} combining marks in a row.")


def _without_emoji(text: str) -> str:
    """Return the text with each emoji replaced by a visible character."""
    kept, end = [], 0
    for each in emoji.emoji_list(text):
        kept += [text[end : each["match_start"]], "-"]
        end = each["match_end"]
    return "".join([*kept, text[end:]])


def _without_joiners(text: str) -> str:
    """Return the text without the joiners that the spelling of a language needs."""
    if not any(joiner in text for joiner in _JOINERS):
        return text
    return "".join(
        character
        for index, character in enumerate(text)
        if not (character in _JOINERS and _is_spelling(text, index))
    )


def _is_spelling(text: str, index: int) -> bool:
    """Return whether a joiner shapes its neighbors. Rule: UAX #31, 2.3.1, A1, A2, B."""
    before, after = text[:index], text[index + 1 : index + 2]
    if before and unicodedata.combining(before[-1]) == _VIRAMA:
        return text[index] == "\u200d" or after.isalpha()
    base = next((each for each in reversed(before) if not unicodedata.combining(each)), "")
    are_arabic = all(each and unicodedata.bidirectional(each) == "AL" for each in (base, after))
    return text[index] == "\u200c" and are_arabic
