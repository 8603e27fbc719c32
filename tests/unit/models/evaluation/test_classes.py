"""Rules of the figures of a head of several classes."""

import math

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from models.evaluation.classes import summarise_classes

_RANDOM = np.random.default_rng(4)
_TRUE = _RANDOM.dirichlet([1.0, 0.5, 2.0], 3_000)
_LABEL = (_RANDOM.random((3_000, 1)) > _TRUE.cumsum(axis=1)).sum(axis=1).astype(np.float32)
_PERSON = np.repeat(np.arange(150, dtype=np.uint64), 20)
_BASE = np.bincount(_LABEL.astype(np.int64)) / len(_LABEL)


def test_they_equal_those_of_scikit_learn() -> None:
    figures = summarise_classes(_LABEL, _PERSON, _TRUE, _BASE, 1)
    assert figures["log_loss"] == pytest.approx(log_loss(_LABEL, _TRUE))
    assert figures["base_log_loss"] == pytest.approx(-(_BASE * np.log(_BASE)).sum())
    assert figures["auc"] == pytest.approx(roc_auc_score(_LABEL, _TRUE, multi_class="ovr", average="weighted"))
    assert figures["accuracy"] == pytest.approx(np.mean(_TRUE.argmax(axis=1) == _LABEL))
    assert figures["base_accuracy"] == pytest.approx(_BASE.max())
    assert figures["rates"] == pytest.approx(_BASE.tolist())
    assert (figures["rows"], figures["people"]) == (3_000, 150)


def test_the_true_probabilities_beat_the_frequencies_and_others_do_not() -> None:
    best = summarise_classes(_LABEL, _PERSON, _TRUE, _BASE, 1)
    assert best["beats_base"]
    assert math.isclose(best["difference_to_base"]["mean"], best["base_log_loss"] - best["log_loss"], rel_tol=1e-9)
    same = summarise_classes(_LABEL, _PERSON, np.broadcast_to(_BASE, _TRUE.shape), _BASE, 1)
    assert not same["beats_base"]
    assert same["auc"] == pytest.approx(0.5)


def test_a_class_that_does_not_occur_changes_nothing() -> None:
    wider = np.column_stack([_TRUE, np.zeros(len(_TRUE))])
    base = np.append(_BASE, 0.0)
    figures = summarise_classes(_LABEL, _PERSON, wider, base, 1)
    narrow = summarise_classes(_LABEL, _PERSON, _TRUE, _BASE, 1)
    assert figures["rates"][3] == 0
    assert figures | {"rates": None} == narrow | {"rates": None}


def test_with_one_class_there_is_no_auc() -> None:
    assert summarise_classes(np.zeros(40, np.float32), _PERSON[:40], _TRUE[:40], _BASE, 1)["auc"] is None
