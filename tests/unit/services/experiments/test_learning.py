"""Rules of a run's learning plan."""

import pytest

from infra.contracts.errors import BadInput
from services.experiments.learning import LearningPlan


def test_a_scenario_cannot_train_what_a_run_could_not_serve() -> None:
    with pytest.raises(BadInput, match="'causal' is for training and comparison, it cannot score events"):
        LearningPlan.of_scenario({"name": "never"}, {"mechanism": "causal"}, 1)
    plan = LearningPlan.of_scenario({"name": "never"}, {"mechanism": "dynamic"}, 1)
    assert plan.attention.mechanism == "dynamic"
