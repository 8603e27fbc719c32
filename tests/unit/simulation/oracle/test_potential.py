"""Potential outcomes: one hour under every action, all else equal."""

import numpy as np
import polars as pl
import pytest

from infra.contracts.commands import Practice
from simulation.core.model import Metaverse
from simulation.oracle.lake import Offers
from simulation.oracle.potential import ACTIONS, HOUR, potential_outcomes
from simulation.scenarios import load
from simulation.scenarios.model import Scenario

WATCHED = ("minutes", "focus_minutes", "stress_sum")


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    """A small population whose decision points are sampled densely."""
    return load("tiny", {"people": "80", "warmup_days": "0", "potential_rate": "0.02", "effects": "{preset: strong}"})


def outcomes(scenario: Scenario) -> pl.DataFrame:
    """The table of a population that is left alone."""
    span = range(scenario.first_tick, scenario.first_tick + scenario.ticks)
    return pl.DataFrame(pl.from_arrow(potential_outcomes(scenario, Offers.none(), span, lambda _: None)))


@pytest.fixture(scope="module")
def table(scenario: Scenario) -> pl.DataFrame:
    """The table, once."""
    return outcomes(scenario)


def test_without_an_action_the_hour_is_the_one_that_was_lived(scenario: Scenario, table: pl.DataFrame) -> None:
    model, tallies = Metaverse(scenario), {}
    while model.tick < scenario.first_tick + scenario.ticks:
        model.step()
        tallies[model.tick - 1] = model.people[list(WATCHED)].copy()
    numbers = {int(person): place for place, person in enumerate(model.persons)}
    left_alone = table.filter(pl.col("action") == Practice.NONE)
    assert len(left_alone) > 50
    for row in left_alone.iter_rows(named=True):
        before, after = (tallies[tick][numbers[row["person"]]] for tick in (row["tick"], row["tick"] + HOUR))
        assert row["session_minutes"] == after["minutes"] - before["minutes"]
        assert row["focus_minutes"] == after["focus_minutes"] - before["focus_minutes"]
        if row["session_minutes"]:
            mean = (after["stress_sum"] - before["stress_sum"]) / row["session_minutes"]
            assert row["stress"] == pytest.approx(mean, abs=1e-9)


def test_every_point_has_one_row_an_action_and_only_offers_are_accepted(table: pl.DataFrame) -> None:
    points = table.group_by("person", "tick").agg(pl.col("action").sort())
    assert all(actions == sorted(int(action) for action in ACTIONS) for actions in points["action"].to_list())
    assert table.filter(pl.col("action") == Practice.NONE)["accepted"].sum() == 0
    offered = table.filter(pl.col("action") != Practice.NONE)
    # Whether an offer is taken up is one draw: the same under every kind of practice, and as likely as stated.
    taken = offered.group_by("person", "tick").agg(pl.col("accepted").mean(), pl.col("receptivity").mean())
    assert set(taken["accepted"].unique()) == {0.0, 1.0}
    assert taken["accepted"].mean() == pytest.approx(taken["receptivity"].mean(), abs=4 * 0.5 / np.sqrt(len(taken)))


def test_relaxing_eases_stress_in_those_who_did_it(table: pl.DataFrame) -> None:
    wide = table.pivot("action", index=["person", "tick"], values=["stress", "accepted"])
    done = wide.filter((pl.col(f"accepted_{int(Practice.BREATHING)}") == 1) & pl.col("stress_0").is_finite())
    difference = (done[f"stress_{int(Practice.BREATHING)}"] - done["stress_0"]).to_numpy()
    assert len(done) > 15
    assert np.nanmean(difference) < -0.002


def test_a_rate_of_zero_gives_no_rows(scenario: Scenario) -> None:
    assert outcomes(scenario.model_copy(update={"potential_rate": 0.0, "days": 0.06})).is_empty()
