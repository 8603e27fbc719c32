"""Rules of the figures of one head."""

import math

import numpy as np

from models.evaluation.evaluate import Compared, summarise

_RANDOM = np.random.default_rng(4)
_TRUE = _RANDOM.random(4_000)
_LABEL = (_RANDOM.random(4_000) < _TRUE).astype(np.float32)
_PERSON = np.repeat(np.arange(200, dtype=np.uint64), 20)


def compared(model: np.ndarray, oracle: np.ndarray = _TRUE) -> Compared:
    half = np.full(len(_LABEL), 0.5)
    return Compared(
        label=_LABEL, person=_PERSON, model=model, base=half, logistic=0.5 * half + 0.5 * _TRUE, oracle=oracle
    )


def test_the_true_probabilities_close_the_whole_gap_and_the_base_rate_none() -> None:
    best, worst = summarise(compared(_TRUE), 1), summarise(compared(np.full(len(_LABEL), 0.5)), 1)
    assert math.isclose(best["gap_closed"], 1.0)
    assert math.isclose(worst["gap_closed"], 0.0, abs_tol=1e-12)
    assert 0 < best["logistic_gap_closed"] < 1
    assert best["log_loss"] == best["latent_oracle_log_loss"]


def test_a_difference_above_zero_means_that_the_model_is_better() -> None:
    best, worst = summarise(compared(_TRUE), 1), summarise(compared(1 - _TRUE), 1)
    assert best["difference_to_logistic"]["ci_low"] > 0
    assert best["beats_logistic"]
    assert best["beats_base"]
    assert worst["difference_to_base"]["ci_high"] < 0
    assert not worst["beats_base"]
    expected = best["logistic_log_loss"] - best["log_loss"]
    assert math.isclose(best["difference_to_logistic"]["mean"], expected, rel_tol=1e-9)


def test_a_model_equal_to_the_base_rate_does_not_beat_it() -> None:
    assert not summarise(compared(np.full(len(_LABEL), 0.5)), 1)["beats_base"]


def test_without_truth_the_oracle_is_unknown() -> None:
    figures = summarise(compared(_TRUE, np.full(len(_LABEL), np.nan)), 1)
    assert figures["latent_oracle_log_loss"] is None
    assert figures["gap_closed"] is None
    assert figures["truth_share"] == 0.0


def test_rows_without_truth_are_left_out_of_the_gap_on_all_sides() -> None:
    oracle = _TRUE.copy()
    oracle[::2] = np.nan
    figures = summarise(compared(_TRUE, oracle), 1)
    assert figures["truth_share"] == 0.5
    assert math.isclose(figures["gap_closed"], 1.0)
