"""Rules of a head's figures: fractions by hand, on the oracle's own rows; baselines on people they have not seen."""

from dataclasses import replace

import numpy as np
import pytest

from models.evaluation.figures import HeadRows, figures, fraction
from models.evaluation.resampling import Resampling

PEOPLE, EACH = 80, 25
RANDOM = np.random.default_rng(6)
TRUE = np.clip(RANDOM.beta(1, 2, PEOPLE * EACH), 0.02, 0.98)
LABEL = (RANDOM.random(PEOPLE * EACH) < TRUE).astype(np.float32)
RATE = np.full(PEOPLE * EACH, float(LABEL.mean()))
HALF_WAY = 0.5 * TRUE + 0.5 * RATE
ROWS = HeadRows(
    label=LABEL,
    person=np.repeat(np.arange(PEOPLE, dtype=np.uint64), EACH),
    unseen=np.ones(PEOPLE * EACH, dtype=np.bool_),
    model=HALF_WAY,
    base=RATE,
    observable=TRUE,
    latent=TRUE,
    baselines={"best": TRUE, "same": HALF_WAY, "rate": RATE},
)


def test_the_fraction_is_what_is_gained_of_what_can_be() -> None:
    drawn = Resampling(np.array([1, 1, 2, 3], dtype=np.uint64), seed=1)
    base, model, best = (np.array(each) for each in ([0.7, 0.7, 0.6, 0.8], [0.6, 0.5, 0.6, 0.7], [0.2, 0.3, 0.5, 0.6]))
    got = fraction(drawn, base, model, best)
    assert got.value == pytest.approx((0.7 - 0.6) / (0.7 - 0.4))
    by_person = {0: (2, 1.4, 1.1, 0.5), 1: (1, 0.6, 0.6, 0.5), 2: (1, 0.8, 0.7, 0.6)}
    sums = drawn.times.astype(float) @ np.array([by_person[each] for each in range(3)])
    _, bases, models, bests = sums.T
    assert (got.ci_low, got.ci_high) == pytest.approx(np.quantile((bases - models) / (bases - bests), [0.025, 0.975]))


def test_the_oracle_itself_goes_all_the_way_and_the_base_rate_none() -> None:
    assert figures(replace(ROWS, model=TRUE), 1)["oracle_fraction"] == {"value": 1.0, "ci_low": 1.0, "ci_high": 1.0}
    assert figures(replace(ROWS, model=RATE), 1)["latent_fraction"] == {"value": 0.0, "ci_low": 0.0, "ci_high": 0.0}
    between = figures(ROWS, 1)["oracle_fraction"]
    assert 0.5 < between["ci_low"] < between["value"] < between["ci_high"] < 1


def test_a_fraction_is_of_the_rows_alone_that_the_oracle_has() -> None:
    known = np.arange(len(LABEL)) < 30 * EACH
    sample = replace(ROWS, observable=np.where(known, TRUE, np.nan), model=np.where(known, TRUE, RATE))
    found = figures(sample, 1)
    assert found["oracle_fraction"]["value"] == 1.0
    assert (found["oracle"]["rows"], found["oracle"]["people"]) == (30 * EACH, 30)
    assert found["latent_fraction"]["value"] < 0.9
    assert found["latent"]["people"] == PEOPLE


def test_without_an_oracle_there_is_no_fraction() -> None:
    found = figures(replace(ROWS, observable=np.full(len(LABEL), np.nan)), 1)
    assert found["oracle_fraction"] is None
    assert found["oracle"] is None
    assert found["latent_fraction"] is not None


def test_baselines_are_told_better_worse_or_open_by_paired_differences() -> None:
    found = figures(ROWS, 1)["baselines"]
    assert {name: each["verdict"] for name, each in found.items()} == {
        "best": "worse",
        "same": "open",
        "rate": "better",
    }
    assert found["same"]["difference"] == {"value": 0.0, "ci_low": 0.0, "ci_high": 0.0}
    assert found["rate"]["difference"]["ci_low"] > 0
    assert found["rate"]["auc"]["value"] == 0.5
    assert [found[name]["oracle_fraction"]["value"] for name in ("best", "rate")] == [1.0, 0.0]
    assert found["same"]["oracle_fraction"] == figures(ROWS, 1)["oracle_fraction"]


def test_baselines_are_judged_on_people_alone_that_they_were_not_fitted_on() -> None:
    unseen = ROWS.person < 20
    cheats = {"cheat": np.where(unseen, RATE, LABEL.astype(np.float64))}
    found = figures(replace(ROWS, unseen=unseen, baselines=cheats), 1)
    assert found["people"] == PEOPLE
    assert found["baselines"]["cheat"]["people"] == 20
    assert found["baselines"]["cheat"]["auc"]["value"] == 0.5


def test_a_head_without_rows_says_so() -> None:
    assert figures(ROWS.where(np.zeros(len(LABEL), dtype=np.bool_)), 1) == {"rows": 0, "people": 0}
