"""Text to tokens: n-grams of characters (Chinese) and of words (English), hashed into a fixed number of buckets.

There is no list of known words, so nothing of the texts that a model was trained on is in a checkpoint.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

TEXT_VERSION = 1
"""Grows whenever the same text gives other tokens."""
LONGEST = 2
"""Units in the longest n-gram: most Chinese words have one or two characters, and longer runs are mostly rare."""
INSIDE = 3
"""Letters in the n-grams inside a word, so that forms of a word share something."""

_WORD = "[a-z]+(?:'[a-z]+)*|[0-9]+"
_UNIT = re.compile(rf"{_WORD}|\S")
_FILLING = {0x27: "'", 0x2019: "'"}


@dataclass(frozen=True)
class Tokens:
    """The tokens of one text. `bucket`, `first`, `past` (t,): bucket, and the characters [first, past) of `text`."""

    text: str
    bucket: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    past: npt.NDArray[np.int64]

    def among(self, known: npt.NDArray[np.bool_]) -> "Tokens":
        """The tokens whose bucket is `known` (buckets,); where none is, the token of a text without any."""
        held = known[self.bucket]
        if not held.any():
            return nothing(self.text)
        return Tokens(self.text, self.bucket[held], self.first[held], self.past[held])

    def by_character(self, weight: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(len(text),) `weight` (t,) of every token in equal parts on the characters that it covers."""
        share = np.zeros(len(self.text) + 1)
        part = weight / (self.past - self.first)
        np.add.at(share, self.first, part)
        np.add.at(share, self.past, -part)
        return np.maximum(np.cumsum(share)[:-1], 0.0)


def normalise(text: str) -> str:
    """The text as tokens see it: full and half width alike (NFKC), lower case, one space where there was any."""
    plain = unicodedata.normalize("NFKC", text).translate(_FILLING).lower()
    return " ".join(plain.split())


def units(plain: str) -> list[tuple[int, int]]:
    """Where the units of a normalised text begin and end: words of Latin letters, runs of digits, other characters."""
    return [found.span() for found in _UNIT.finditer(plain)]


def tokenise(text: str, buckets: int, longest_text: int) -> Tokens:
    """Tokens of the first `longest_text` units of `text`; a text without any has one token, of its own bucket 0.

    Tokens are all runs of 1 to `LONGEST` units, and of each longer word the runs of `INSIDE` letters, edges marked.
    """
    plain = normalise(text)
    read = units(plain)[:longest_text]
    rows = [*_runs(plain, read, buckets), *_insides(plain, read, buckets)]
    if not rows:
        return nothing(plain)
    bucket, first, past = np.array(rows, dtype=np.int64).T
    return Tokens(text=plain, bucket=bucket, first=first, past=past)


def nothing(plain: str) -> Tokens:
    """One token, of bucket 0, over the whole of a text in which there is nothing to go by; at least one space."""
    bucket, first, past = np.array([[0], [0], [max(len(plain), 1)]], dtype=np.int64)
    return Tokens(text=plain or " ", bucket=bucket, first=first, past=past)


def _runs(plain: str, read: list[tuple[int, int]], buckets: int) -> Iterator[tuple[int, int, int]]:
    for length in range(1, LONGEST + 1):
        for place in range(len(read) - length + 1):
            run = read[place : place + length]
            name = "\x1f".join(plain[first:past] for first, past in run)
            yield _bucket(f"{length}{name}", buckets), run[0][0], run[-1][1]


def _insides(plain: str, read: list[tuple[int, int]], buckets: int) -> Iterator[tuple[int, int, int]]:
    for first, past in read:
        if past - first > INSIDE:
            word = f"<{plain[first:past]}>"
            for place in range(len(word) - INSIDE + 1):
                yield _bucket(f"i{word[place : place + INSIDE]}", buckets), first, past


def _bucket(name: str, buckets: int) -> int:
    """1 to buckets − 1; 0 is the token of a text without any."""
    return 1 + zlib.crc32(name.encode("utf-8", "surrogatepass")) % (buckets - 1)
