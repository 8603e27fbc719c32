"""Rules of naming a policy on the command line."""

from services.experiments.cli import with_policy
from simulation.scenarios import load


def test_a_named_policy_replaces_the_scenarios_and_a_set_changes_a_key_of_it() -> None:
    given = with_policy("random", ["policy.probability=0.2", "people=50"])
    scenario = load("demo", given)
    assert scenario.policy == {"name": "random", "probability": 0.2}
    assert scenario.people == 50


def test_without_a_name_the_scenarios_policy_stays() -> None:
    assert load("demo", with_policy(None, ["policy.threshold=0.3"])).policy == {"name": "threshold", "threshold": 0.3}
