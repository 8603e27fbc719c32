"""The sentiment model from corpus to verdict: train, compare with the package's classifier, look where it looks."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.contracts.errors import BadInput
from models.evaluation.accuracy import accuracy, difference
from models.evaluation.package_classifier import PackageClassifier
from models.features.sentiment.classifier import SentimentClassifier, save
from models.features.sentiment.text import units
from models.training.reviews import Corpus, Review, read_corpus
from models.training.sentiment import Epoch, SentimentTraining, fit

TEXT, WORD = "这部电影很无聊", "无聊"
"""“This film is very boring”, and what makes it negative."""
MARGIN = 0.03
"""By how much the accuracy must lie above that of the package's own classifier."""
Right = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class SentimentRequest:
    """What to train on, and what to compare with; without `distribution` there is no comparison and no verdict."""

    corpus: Path
    out_dir: Path
    distribution: Path | None = None
    training: SentimentTraining = field(default_factory=SentimentTraining)
    say: Callable[[str], None]


def run_sentiment(request: SentimentRequest) -> dict[str, Any]:
    """Train, test once, save the model; the figures as plain values. Raises BadInput (missing file, too few texts)."""
    package = None if request.distribution is None else PackageClassifier(request.distribution)
    corpus = read_corpus(request.corpus)
    test = corpus.part("test")
    if not test:
        raise BadInput(f"no text of {request.corpus} falls into the test part: give a larger corpus")
    request.say(_corpus_line(corpus))
    started = time.perf_counter()
    fitted = fit(corpus.part("train"), corpus.part("validation"), request.training, _teller(request.say))
    seconds = time.perf_counter() - started
    classifier = SentimentClassifier(fitted.model)
    right = (classifier.sentiment([each.text for each in test]) > 0) == _labels(test)
    document = {
        "corpus": corpus.counts(),
        "test_rows": len(test),
        **_figures("accuracy", right),
        **(_comparison(package, corpus, right, request) if package else {}),
        "attention": attention_on(classifier, TEXT, WORD),
        "epochs": [asdict(each) for each in fitted.epochs],
        "training_seconds": seconds,
        "seed": request.training.seed,
    }
    document["ok"] = verdict(document)
    about = {key: document[key] for key in ("corpus", "test_rows", "accuracy", "seed")}
    return {**document, "version": save(request.out_dir, fitted.model, about), "checkpoint": str(request.out_dir)}


def attention_on(classifier: SentimentClassifier, text: str, word: str) -> dict[str, Any]:
    """Tone of a text, the share of every character, and every run as long as `word` with what its removal does."""
    plain, share = classifier.attention(text)
    return {
        "text": plain,
        "word": word,
        "sentiment": float(classifier.sentiment([text])[0]),
        "characters": [[character, float(part)] for character, part in zip(plain, share, strict=True)],
        "windows": [asdict(each) for each in classifier.windows(text, len(units(word)))],
        "points_at_word": classifier.points_at(text, word),
    }


def verdict(document: dict[str, Any]) -> bool | None:
    """Whether model and attention are as promised; None where there was nothing to compare with."""
    if "difference" not in document:
        return None
    return bool(document["difference"]["value"] >= MARGIN and document["attention"]["points_at_word"])


def _comparison(package: PackageClassifier, corpus: Corpus, right: Right, request: SentimentRequest) -> dict[str, Any]:
    request.say("training the package's own classifier on the same texts")
    train, test = corpus.part("train"), corpus.part("test")
    package.train(
        negative=[each.text for each in train if not each.positive],
        positive=[each.text for each in train if each.positive],
    )
    theirs = package.positive([each.text for each in test]) == _labels(test)
    compared = difference(right, theirs, request.training.seed)
    return {**_figures("baseline_accuracy", theirs), "difference": compared.as_dict()}


def _figures(name: str, right: Right) -> dict[str, Any]:
    found = accuracy(right)
    return {name: found.value, f"{name}_interval": [found.ci_low, found.ci_high]}


def _labels(reviews: Sequence[Review]) -> Right:
    return np.array([each.positive for each in reviews], dtype=np.bool_)


def _corpus_line(corpus: Corpus) -> str:
    parts = [f"{len(corpus.part(part)):,} {part}" for part in ("train", "validation", "test")]
    return (
        f"{corpus.lines:,} lines, {len(corpus.reviews):,} different texts ({', '.join(parts)}); left out: "
        f"{corpus.repeated:,} repeated, {corpus.contradictory:,} with both labels, {corpus.empty:,} without a letter"
    )


def _teller(say: Callable[[str], None]) -> Callable[[Epoch], None]:
    def tell(epoch: Epoch) -> None:
        say(
            f"epoch {epoch.number}: log loss {epoch.training_loss:.4f} in training, {epoch.validation_loss:.4f} in "
            f"validation, where {epoch.validation_accuracy:.1%} are right"
        )

    return tell
