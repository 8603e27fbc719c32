"""Finding policies by name, and refusing what is none."""

import pytest

from infra.contracts.errors import BadInput
from models.policies import catalog
from models.policies.points import parameters_of, policy_id
from models.policies.rules import DecisionRules


def test_every_policy_file_is_found_under_its_own_name() -> None:
    assert {"never", "random", "threshold"} <= set(catalog.discover())
    assert all(policy.name == name for name, policy in catalog.discover().items())


def test_an_unknown_policy_names_the_known_ones_and_the_closest() -> None:
    with pytest.raises(BadInput, match=r"known are never, random, threshold; did you mean 'threshold'\?"):
        catalog.create("treshhold")
    with pytest.raises(BadInput) as caught:
        catalog.create("xyz")
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("random", {"probability": 0}, "strictly between"),
        ("random", {"probability": 1.5}, "out of range"),
        ("random", {"chance": 0.1}, "no parameter 'chance'"),
        ("random", {"probability": "often"}, "not a number"),
        ("random", {"probability": True}, "not a number"),
        ("random", {"probability": float("nan")}, "not a number"),
        ("threshold", {"treshold": 0.5}, "did you mean 'threshold'"),
        ("threshold", {"epsilon": 0}, "strictly between"),
        ("threshold", {"threshold": -0.1}, "from 0 to 1"),
        ("never", {"probability": 0.5}, "known are none"),
    ],
)
def test_a_wrong_parameter_is_refused_by_name(name: str, parameters: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        catalog.create(name, parameters)


def test_a_policy_id_tells_the_parameters_apart() -> None:
    made = catalog.create("random", {"probability": "0.25"})
    assert parameters_of(made) == {"main_share": 1 / 5, "probability": 0.25}
    assert policy_id(made) == "random(main_share=0.2,probability=0.25)"
    assert policy_id(made) != policy_id(catalog.create("random"))


def test_the_catalog_describes_itself() -> None:
    described = catalog.describe()
    assert set(described) == set(catalog.discover())
    assert described["random"]["parameters"]["probability"] == 0.02
    assert all(entry["about"] for entry in described.values())


@pytest.mark.parametrize(
    "values",
    [{"daily_cap": -1}, {"quiet_start_hour": 24}, {"cool_down_minutes": -1}, {"practice_minutes": 0}, {"cap": 3}],
)
def test_rules_out_of_range_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(BadInput, match=next(iter(values))):
        DecisionRules.of(values)


def test_rules_come_from_plain_numbers() -> None:
    assert DecisionRules.of({"daily_cap": 2.0, "practice_minutes": 3}) == DecisionRules(
        daily_cap=2, practice_minutes=3.0
    )
