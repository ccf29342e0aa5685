"""Texts as if people had written them: few words often, most seldom, and some of it in Chinese."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate

_WORDS = 20_000
_SIGNS = 3_000
_CHINESE = 0.2
_CONSONANTS, _VOWELS = "bdfghklmnprstvw", "aeiou"


class Speech:
    """The same words and messages each time."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        made: dict[str, None] = {}
        while len(made) < _WORDS:
            syllables = 1 + len(made).bit_length() // 5 + self._random.randrange(2)
            made["".join(self._syllable() for _ in range(syllables))] = None
        self.words = list(made)
        """From the most common to the rarest."""
        self.signs = [chr(0x4E00 + 5 * number) for number in range(_SIGNS)]
        """Chinese ones, in the same order."""
        self._word_weights = _zipf(_WORDS)
        self._sign_weights = _zipf(_SIGNS)

    def messages(self, count: int) -> Iterator[str]:
        """So many; of one to twenty words, or of up to thirty signs."""
        draw = self._random
        for _ in range(count):
            if draw.random() < _CHINESE:
                length = 1 + draw.randrange(30)
                yield "".join(draw.choices(self.signs, cum_weights=self._sign_weights, k=length))
            else:
                length = 1 + draw.randrange(20)
                yield " ".join(draw.choices(self.words, cum_weights=self._word_weights, k=length))

    def _syllable(self) -> str:
        return self._random.choice(_CONSONANTS) + self._random.choice(_VOWELS)


def _zipf(count: int) -> list[float]:
    """How often each is said, added up: the second half as often as the first, and so on."""
    return list(accumulate(1 / rank for rank in range(1, count + 1)))
