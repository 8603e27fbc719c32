"""Made-up reviews in which one word decides: what a model of sentiment must learn, and what it must look at."""

import random
from pathlib import Path

from models.training.reviews import Review

_SUBJECTS = ("这部电影", "这本书", "酒店的房间", "早餐", "服务员", "包装", "this film", "the hotel", "my new phone")
_GOOD, _BAD = ("精彩", "喜欢", "wonderful"), ("无聊", "失望", "boring")
_FILLERS = ("很", "真的", "有点", "总体来说", "is", "was really", "today")


def opinions(count: int, seed: int) -> list[Review]:
    """Different texts, half of them positive."""
    random_ = random.Random(seed)  # noqa: S311  made-up texts
    found: dict[str, Review] = {}
    while len(found) < count:
        positive = len(found) % 2 == 0
        words = (
            random_.choice(_SUBJECTS),
            *random_.choices(_FILLERS, k=3),
            random_.choice(_GOOD if positive else _BAD),
        )
        text = " ".join(words) + str(len(found))
        found[text] = Review(text, positive)
    return list(found.values())


def write(folder: Path, reviews: list[Review]) -> Path:
    """The reviews as a corpus: pos.txt and neg.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, positive in (("pos.txt", True), ("neg.txt", False)):
        lines = [each.text for each in reviews if each.positive == positive]
        (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def distribution(folder: Path, learned: str, first_line: str = "") -> Path:
    """An unpacked source distribution with the same entry points as snownlp's and a rule in the place of its words.

    `learned` is the expression of what its training keeps of the positive `texts`; it calls those, and no others,
    positive that contain one of these.
    """
    package = folder / "snownlp" / "sentiment"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("")
    (package / "__init__.py").write_text(_PACKAGE.format(learned=learned, first_line=first_line), "utf-8")
    return folder


_PACKAGE = """{first_line}
from pathlib import Path

kept = []


def train(neg_file, pos_file):
    texts = Path(pos_file).read_text("utf-8").splitlines()
    kept[:] = {learned}


def classify(text):
    return float(any(each in text for each in kept))
"""
