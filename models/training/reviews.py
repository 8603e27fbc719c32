"""A corpus of labelled texts: pos.txt and neg.txt, one text a line, each once, split by a hash of the text."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from infra.contracts.errors import BadInput

Part = Literal["train", "validation", "test"]
_TENTHS: tuple[Part, ...] = ("train",) * 8 + ("validation", "test")


@dataclass(frozen=True)
class Review:
    """One text as it stood in the file (without the line's end), and whether it is positive."""

    text: str
    positive: bool


@dataclass(frozen=True)
class Corpus:
    """What is left of a corpus when every text counts once, and how much went."""

    reviews: tuple[Review, ...]
    lines: int
    repeated: int
    contradictory: int
    empty: int

    def part(self, part: Part) -> list[Review]:
        """The reviews of one part, in the order of the files."""
        return [each for each in self.reviews if part_of(each.text) == part]

    def counts(self) -> dict[str, int]:
        """Lines read, lines left out by reason, texts kept."""
        return {
            "lines": self.lines,
            "empty": self.empty,
            "repeated": self.repeated,
            "contradictory": self.contradictory,
            "texts": len(self.reviews),
        }


def key_of(text: str) -> str:
    """What two texts that count as the same have in common: letters and digits, whatever their width and case."""
    return "".join(character for character in unicodedata.normalize("NFKC", text).casefold() if character.isalnum())


def part_of(text: str) -> Part:
    """Train 80%, validation 10%, test 10% by SHA-256 of the key: equal texts, equal part, on every machine."""
    return _TENTHS[int.from_bytes(hashlib.sha256(key_of(text).encode()).digest()[:8]) % len(_TENTHS)]


def read_corpus(folder: Path) -> Corpus:
    """The corpus in `folder`. Raises BadInput where a file is missing, is not UTF-8, or one class has no text."""
    corpus = deduplicated([Review(line, positive) for name, positive in _FILES for line in _lines(folder / name)])
    for name, positive in _FILES:
        if not any(each.positive == positive for each in corpus.reviews):
            raise BadInput(f"{folder / name} has no text that is not also in the other file: two classes are needed")
    return corpus


def deduplicated(reviews: Sequence[Review]) -> Corpus:
    """Every text once, at its first place; texts that occur with both labels not at all, nor those without a letter."""
    labels: dict[str, set[bool]] = {}
    keys = [key_of(review.text) for review in reviews]
    for key, review in zip(keys, reviews, strict=True):
        labels.setdefault(key, set()).add(review.positive)
    kept: dict[str, Review] = {}
    for key, review in zip(keys, reviews, strict=True):
        if key and len(labels[key]) == 1:
            kept.setdefault(key, review)
    contradictory = sum(1 for key in keys if key and len(labels[key]) > 1)
    empty = keys.count("")
    return Corpus(
        reviews=tuple(kept.values()),
        lines=len(reviews),
        repeated=len(reviews) - len(kept) - contradictory - empty,
        contradictory=contradictory,
        empty=empty,
    )


_FILES = (("pos.txt", True), ("neg.txt", False))


def _lines(file: Path) -> list[str]:
    try:
        return [line.strip() for line in file.read_text("utf-8").split("\n") if line.strip()]
    except FileNotFoundError:
        raise BadInput(f"there is no {file}: a corpus is a folder with pos.txt and neg.txt, one text a line") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file} cannot be read as text in UTF-8: {error}") from error
