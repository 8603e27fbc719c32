"""The page of an evaluation: its verdict follows from the differences, and what is unknown is said to be."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from infra.pages import Outcome, render_page
from models.evaluation.figures import HeadRows, figures
from models.evaluation.page import evaluation_page, percentage, verdict
from tests.unit.models.evaluation.test_figures import LABEL, RATE, ROWS, TRUE


def document(rows: HeadRows) -> dict[str, Any]:
    """What `comparison.compare` gives for one head of `rows`."""
    return {
        "model": {"version": "0123456789ab", "checkpoint": "model", "trained_on_this_lake": True},
        "people": "unseen",
        "seed": 1,
        "horizon_min": 30.0,
        "baselines_fitted_on": "training people",
        "heads": {"interaction": figures(rows, 1), "lapse": {"rows": 0, "people": 0}},
        "notes": ["lapse: no row of these people has a label"],
        "command": "calmverse evaluate --run RUN",
        "environment": {"versions": {"calmverse": "0.1.0"}},
    }


@pytest.mark.parametrize(
    ("predictions", "outcome", "said"),
    [
        ({"base_rate": RATE, "logistic": RATE}, Outcome.OK, "better than base rate and logistic regression"),
        ({"base_rate": RATE, "gru": ROWS.model}, Outcome.UNKNOWN, "better than base rate, not told from GRU"),
        ({"base_rate": RATE, "gru": TRUE}, Outcome.BAD, "better than base rate, worse than GRU"),
        ({}, Outcome.UNKNOWN, "of the way from the base rate to the best that can be known"),
    ],
)
def test_the_verdict_names_whom_the_model_beats(predictions: dict[str, Any], outcome: Outcome, said: str) -> None:
    found = verdict(document(replace(ROWS, baselines=predictions)))
    assert found.outcome is outcome
    assert said in found.sentence


def test_a_fraction_is_written_in_per_cent_with_its_interval() -> None:
    assert percentage({"value": 0.874, "ci_low": 0.81, "ci_high": 0.93}) == "87% [81, 93]"
    assert percentage(None) == "–"


def test_the_page_says_what_it_rests_on_and_what_it_lacks() -> None:
    unknown = np.full(len(LABEL), np.nan)
    rows = replace(ROWS, observable=unknown, baselines={"base_rate": RATE})
    page = render_page(evaluation_page(document(rows)))
    assert "2,000 rows of 80 people that no baseline was fitted on" in page
    assert "Lapse: no row of these people has a label." in page
    assert "see above for how to find it out" in page
    assert "calmverse evaluate --run RUN" in page
