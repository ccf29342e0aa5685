"""Texts with a natural distribution of words (Zipf's law), a fifth of them in Chinese."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate

_WORDS = 20_000
_SIGNS = 3_000
_CHINESE = 0.2
_CONSONANTS, _VOWELS = "bdfghklmnprstvw", "aeiou"


class Sentences:
    """A generator of words and messages, the same ones each time."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        made: dict[str, None] = {}
        while len(made) < _WORDS:
            syllables = 1 + len(made).bit_length() // 5 + self._random.randrange(2)
            made["".join(self._syllable() for _ in range(syllables))] = None
        self.words = list(made)
        """From the most common to the rarest."""
        self.signs = [chr(0x4E00 + 5 * number) for number in range(_SIGNS)]
        """Chinese characters, from the most common to the rarest."""
        self._word_weights = _zipf(_WORDS)
        self._sign_weights = _zipf(_SIGNS)

    def messages(self, count: int) -> Iterator[str]:
        """Yield messages of one to twenty words, or of up to thirty Chinese characters."""
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
    """Return cumulative weights: the word of rank n has the weight 1/n."""
    return list(accumulate(1 / rank for rank in range(1, count + 1)))
