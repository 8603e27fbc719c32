"""Rules of the sentence that a model card begins with."""

from typing import Any

import pytest

from infra.pages import Outcome
from models.evaluation.explanation.page import p_text, verdict

BEST = "The largest deletion area is that of Shapley values."
NAIVE = "no better than taking the latest first"


def document(**methods: tuple[bool, bool]) -> dict[str, Any]:
    """What the verdict looks at: for each method whether it is faithful, and better than taking the latest first."""
    found = {
        name: {"faithful": faithful, "beats_recency": beats, "deletion": {"value": float(beats)}}
        for name, (faithful, beats) in methods.items()
    }
    return {"head": "lapse", "methods": found}


@pytest.mark.parametrize(
    ("methods", "outcome", "sentence"),
    [
        (
            {"shapley": (True, True), "lime": (True, True)},
            Outcome.OK,
            "Faithful to 'lapse': Shapley values and LIME. " + BEST,
        ),
        (
            {"rollout": (False, False), "shapley": (True, True), "lime": (True, False)},
            Outcome.UNKNOWN,
            f"Faithful to 'lapse': Shapley values and LIME; not faithful: attention rollout; LIME {NAIVE}. " + BEST,
        ),
        (
            {"rollout": (False, False)},
            Outcome.BAD,
            "Faithful to 'lapse': no method; not faithful: attention rollout.",
        ),
    ],
)
def test_the_verdict_names_who_is_faithful_and_who_is_not(
    methods: dict[str, tuple[bool, bool]], outcome: Outcome, sentence: str
) -> None:
    found = verdict(document(**methods))
    assert found.outcome == outcome
    assert found.sentence == sentence


def test_small_p_values_have_a_bound() -> None:
    assert p_text(3e-12) == "<0.0001"
    assert p_text(0.0314) == "0.0314"
