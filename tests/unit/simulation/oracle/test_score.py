"""What chance alone does to a calibration error, and that it is told apart from a bias."""

import numpy as np
import pytest
from numpy.typing import NDArray

from simulation.oracle.score import BINS, calibration, ece, ece_by_chance, equal_mass, equal_width, judge

PEOPLE, ROWS = 150, 40
Floats = NDArray[np.float64]


def drawn(seed: int) -> tuple[NDArray[np.bool_], Floats, Floats, NDArray[np.int64]]:
    """Labels of a calibrated predictor; people share a state that it does not see, four rows a label (a check)."""
    draws = np.random.default_rng(seed)
    probability = np.repeat(draws.uniform(0.1, 0.9, (PEOPLE, ROWS // 4)), 4)
    state = np.repeat(np.where(draws.random(PEOPLE) < 0.5, 0.1, -0.1), ROWS)
    truth = probability + state
    label = np.repeat(draws.random(PEOPLE * ROWS // 4), 4) < truth
    return label, probability, truth, np.repeat(np.arange(PEOPLE), ROWS)


@pytest.mark.parametrize("binning", [equal_width, equal_mass])
def test_a_calibrated_predictor_errs_as_much_as_chance_is_said_to_give(binning: object) -> None:
    found, said, high = [], [], []
    for seed in range(30):
        label, probability, _, person = drawn(seed)
        found.append(ece(label, probability, binning))  # type: ignore[arg-type]  # a function of the parameters above
        chance = ece_by_chance(label, probability, person, binning)  # type: ignore[arg-type]  # the same
        said.append(chance["mean"])
        high.append(chance["high"])
    assert np.mean(said) == pytest.approx(np.mean(found), rel=0.12)
    assert np.mean(np.array(found) > np.array(high)) < 0.2


def test_labels_taken_for_independent_would_give_too_little() -> None:
    label, probability, _, person = drawn(1)
    alone = ece_by_chance(label, probability, np.arange(len(label)))
    assert alone["mean"] < 0.75 * ece_by_chance(label, probability, person)["mean"]


def test_a_predictor_that_is_too_sure_errs_more_than_chance_gives() -> None:
    _, probability, truth, person = drawn(2)
    sure = 1.0 / (1.0 + ((1.0 - probability) / probability) ** 2)
    assert ece(truth, sure) > 2.0 * ece_by_chance(truth, sure, person)["high"]
    assert ece(truth, probability) < 1.5 * ece_by_chance(truth, probability, person)["high"]


def test_equal_bins_hold_equal_numbers_and_equal_width_is_what_the_bins_show() -> None:
    label, probability, _, _ = drawn(3)
    counts = np.bincount(equal_mass(probability), minlength=BINS)
    assert counts.max() < 1.1 * counts.min() + 8
    bins = calibration(label, probability)
    by_hand = sum(each["count"] * abs(each["predicted"] - each["observed"]) for each in bins) / len(label)
    assert ece(label, probability) == pytest.approx(by_hand)


def test_a_verdict_gives_every_error_beside_what_chance_gives() -> None:
    label, probability, truth, person = drawn(4)
    found = judge(label, probability, truth, person)
    for name in ("ece", "ece_equal_mass"):
        errors = found[name]
        assert set(errors["by_chance"]) == {"observable", "latent", "observable_against_truth"}
        assert all(0.0 < each["mean"] < each["high"] < 0.2 for each in errors["by_chance"].values())
    assert found["ece"]["observable"] == ece(label, probability)
