"""Rules of the sentiment model: it learns what decides, it looks there, and equal seeds give equal weights."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from infra.contracts.errors import BadInput
from models.features.sentiment.classifier import SentimentClassifier, load, save
from models.features.sentiment.model import SentimentConfig, SentimentModel, TokenBatch
from models.features.sentiment.text import tokenise, units
from models.training.reviews import Review
from models.training.sentiment import Epoch, Fitted, SentimentTraining, fit
from tests.support.opinions import opinions

SMALL = SentimentConfig(buckets=2**12, width=8, hidden=8)


def ignore(_: Epoch) -> None:
    """Nobody listens."""


def trained(seed: int, epochs: int = 12) -> Fitted:
    settings = SentimentTraining(seed=seed, epochs=epochs, learning_rate=1e-2, model=SMALL)
    return fit(opinions(300, seed=1), opinions(60, seed=2), settings, ignore)


@cache
def classifier() -> SentimentClassifier:
    return SentimentClassifier(trained(seed=1).model)


def test_it_learns_the_word_that_decides() -> None:
    unseen = opinions(200, seed=3)
    tones = classifier().sentiment([each.text for each in unseen])
    assert np.mean((tones > 0) == [each.positive for each in unseen]) > 0.98
    assert np.abs(tones).max() <= 1.0


@pytest.mark.parametrize(("text", "word"), [("这部电影很无聊", "无聊"), ("the hotel was really BORING", "boring")])
def test_it_looks_at_the_word_that_decides(text: str, word: str) -> None:
    assert classifier().points_at(text, word)
    assert not classifier().points_at(text, text[:3])
    windows = classifier().windows(text, len(units(word)))
    held = next(each for each in windows if each.characters == word)
    assert held.change > 0.5
    assert held.share == max(each.share for each in windows)


def test_a_word_that_is_not_in_the_text_is_not_looked_at() -> None:
    assert not classifier().points_at("好", "无聊")
    assert not classifier().points_at("这本书很精彩", "无聊")


def test_rare_tokens_are_not_read() -> None:
    texts = [Review(f"{word} 好", word == "一") for word in "一二三" for _ in range(2)] + [Review("四 好", True)]
    model = fit(texts, texts, SentimentTraining(epochs=1, least_texts=2, model=SMALL), ignore).model
    read = [model.tokens(text) for text in ("一", "四", "四 好")]
    assert [len(tokens.bucket) for tokens in read] == [1, 1, 1]
    assert read[1].bucket.tolist() == [0]
    assert (read[2].text[read[2].first[0]], read[2].past[0]) == ("好", 3)


def test_attention_of_a_text_sums_to_one() -> None:
    plain, share = classifier().attention("这部电影 很无聊！")
    assert plain == "这部电影 很无聊!"
    assert share.sum() == pytest.approx(1.0, abs=1e-6)


def test_texts_of_a_batch_do_not_see_each_other() -> None:
    texts = ["这部电影很无聊", "", "wonderful", "好" * 2_000]
    alone = [float(classifier().sentiment([text])[0]) for text in texts]
    assert classifier().sentiment(texts) == pytest.approx(alone, abs=1e-6)
    assert classifier().sentiment([]).shape == (0,)


def test_the_attention_is_the_softmax_of_additive_logits() -> None:
    model = SentimentModel(SMALL).eval()
    tokens = [tokenise(text, SMALL.buckets, 100) for text in ("很无聊", "good")]
    logits, attention = model(TokenBatch.of(tokens))
    embedded = model.embedding(torch.from_numpy(tokens[0].bucket))
    expected = torch.softmax(model.importance(torch.tanh(model.question(embedded)))[:, 0], dim=0)
    torch.testing.assert_close(attention[: len(expected)], expected)
    torch.testing.assert_close(logits[0], model.output(expected @ embedded))


def test_equal_seeds_give_equal_weights_and_leave_the_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second, other = (trained(seed, epochs=2).model.state_dict() for seed in (3, 3, 4))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["output.weight"], other["output.weight"])


def test_the_best_epoch_is_kept_and_training_stops_soon_after() -> None:
    train = opinions(40, seed=9)
    turned = [Review(each.text, not each.positive) for each in train]  # the more is learned, the worse
    settings = SentimentTraining(epochs=60, learning_rate=1e-2, model=SMALL)
    fitted = fit(train, turned, settings, ignore)
    losses = [each.validation_loss for each in fitted.epochs]
    assert len(losses) == int(np.argmin(losses)) + 1 + settings.patience


def test_one_class_is_refused() -> None:
    positive = [each for each in opinions(40, seed=1) if each.positive]
    with pytest.raises(BadInput, match="the validation part needs positive and negative texts"):
        fit(opinions(40, seed=1), positive, SentimentTraining(model=SMALL), ignore)


def test_a_saved_model_gives_the_same_tones(tmp_path: Path) -> None:
    texts = ["这部电影很无聊", "wonderful"]
    version = save(tmp_path, classifier().model, {"seed": 1})
    assert version == save(tmp_path / "again", classifier().model, {"seed": 2})
    assert load(tmp_path).sentiment(texts).tolist() == classifier().sentiment(texts).tolist()


def test_a_folder_without_a_model_and_a_damaged_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no sentiment model in"):
        load(tmp_path)
    save(tmp_path, classifier().model, {})
    (tmp_path / "sentiment.npz").write_bytes(b"PK")
    with pytest.raises(BadInput, match="cannot be loaded"):
        load(tmp_path)
