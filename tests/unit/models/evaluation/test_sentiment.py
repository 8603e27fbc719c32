"""Rules of the verdict on the sentiment model: compared on the same test texts, judged by margin and attention."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.contracts.errors import BadInput, EnvironmentFailed
from models.evaluation.package_classifier import PackageClassifier
from models.evaluation.sentiment import SentimentRequest, run_sentiment, verdict
from models.features.sentiment.classifier import load
from models.features.sentiment.model import SentimentConfig
from models.training.reviews import read_corpus
from models.training.sentiment import SentimentTraining
from tests.support.opinions import distribution, opinions, write

TRAINING = SentimentTraining(learning_rate=1e-2, model=SentimentConfig(buckets=2**12, width=8, hidden=8))


@pytest.fixture(autouse=True)
def _not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test imports its own distribution."""
    for name in ("snownlp", "snownlp.sentiment"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.fixture
def request_for(tmp_path: Path) -> Callable[..., SentimentRequest]:
    def make(package: Path | None = None) -> SentimentRequest:
        corpus = write(tmp_path / "corpus", opinions(400, seed=1))
        return SentimentRequest(
            corpus=corpus, out_dir=tmp_path / "out", distribution=package, training=TRAINING, say=lambda _: None
        )

    return make


def test_a_model_well_above_the_package_that_looks_at_the_word_is_as_promised(
    request_for: Callable[..., SentimentRequest], tmp_path: Path
) -> None:
    request = request_for(distribution(tmp_path / "package", "[text for text in texts if '精彩' in text]"))
    document = run_sentiment(request)
    assert document["accuracy"] > 0.95
    assert document["baseline_accuracy"] < 0.9
    assert document["difference"]["value"] == pytest.approx(document["accuracy"] - document["baseline_accuracy"])
    assert document["test_rows"] == len(read_corpus(request.corpus).part("test"))
    assert document["ok"] is True
    assert load(request.out_dir).points_at("这部电影很无聊", "无聊")


def test_the_package_is_trained_on_the_training_texts_alone(
    request_for: Callable[..., SentimentRequest], tmp_path: Path
) -> None:
    request = request_for(distribution(tmp_path / "package", "texts"))  # positive is what was positive in training
    document = run_sentiment(request)
    test = read_corpus(request.corpus).part("test")
    assert document["baseline_accuracy"] == sum(not each.positive for each in test) / len(test)


def test_without_a_package_there_is_no_comparison_and_no_verdict(request_for: Callable[..., SentimentRequest]) -> None:
    document = run_sentiment(request_for())
    assert document["ok"] is None
    assert "baseline_accuracy" not in document


@pytest.mark.parametrize(
    ("ahead", "points", "ok"), [(0.031, True, True), (0.029, True, False), (0.2, False, False), (-0.1, True, False)]
)
def test_the_verdict_wants_three_points_and_the_attention(ahead: float, points: bool, ok: bool) -> None:
    assert verdict({"difference": {"value": ahead}, "attention": {"points_at_word": points}}) is ok


def test_attention_is_told_by_character_and_by_window(request_for: Callable[..., SentimentRequest]) -> None:
    attention = run_sentiment(request_for())["attention"]
    assert "".join(character for character, _ in attention["characters"]) == "这部电影很无聊"
    assert sum(share for _, share in attention["characters"]) == pytest.approx(1.0)
    assert [each["characters"] for each in attention["windows"]] == ["这部", "部电", "电影", "影很", "很无", "无聊"]


def test_a_folder_that_is_no_distribution_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not an unpacked source distribution of snownlp"):
        PackageClassifier(tmp_path)


def test_a_package_that_breaks_is_somebody_elses_failure(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="cannot be imported"):
        PackageClassifier(distribution(tmp_path, "texts", first_line="import no_such_library"))


def test_a_corpus_that_is_too_small_is_refused(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "pos.txt").write_text("好\n")
    (corpus / "neg.txt").write_text("坏\n")
    with pytest.raises(BadInput, match="give a larger corpus"):
        run_sentiment(SentimentRequest(corpus=corpus, out_dir=tmp_path / "out", say=lambda _: None))
