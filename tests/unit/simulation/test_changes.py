"""What scenarios change in how life goes: limits, and that both forms obey in the same way."""

import numpy as np
import pytest

from infra.contracts.errors import BadInput
from infra.contracts.worlds import World
from simulation.core.model import Metaverse
from simulation.core.timetable import MOST, Conditions, Timetable
from simulation.reference import PlainMetaverse
from simulation.scenarios import Scenario, load, preset_names
from tests.unit.simulation.test_twins import assert_same

PHASE = "{name: rush, from_hour: 1, to_hour: 2, worlds: {work: 5}, rates: {strain: 2, exposures: {work: 2}}}"


def conditions(scenario: Scenario, hour: float) -> Conditions:
    """What holds at an hour of the run."""
    timetable = Timetable(scenario)
    return timetable.at(timetable.key(scenario.run_first_tick + round(60 * hour)))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("phases", "[{name: a, from_hour: 3, to_hour: 2}]", "ends at hour 2, before it begins at 3"),
        (
            "phases",
            "[{name: a, from_hour: 0, to_hour: 5}, {name: b, from_hour: 4, to_hour: 6}]",
            "'b' begins at hour 4, before 'a' ends at 5: only one phase at a time",
        ),
        ("phases", "[{name: a, from_hour: 0, to_hour: 5, rates: {strain: -1}}]", "greater than or equal to 0"),
        ("phases", "[{name: a, from_hour: 0, to_hour: 5, rates: {exposures: {moon: 1}}}]", "there is no world 'moon'"),
        ("phases", "[{name: a, from_hour: 0, to_hour: 5, wrlds: {}}]", "there is no such key"),
        ("rates.exposures", "{work: -3}", "work is -3, factors lie between 0 and 20"),
        ("rates.contagion", "6", "less than or equal to 5"),
        ("drift.strain", "3", "less than or equal to 2"),
        ("nights", "{share: 0.5}", "share and shift_hours go together"),
        ("nights", "{share: 1.5, shift_hours: 3}", "less than or equal to 1"),
        ("hours", "{work: {6: 1}}", "hour 0 is missing"),
        ("hours", "{work: {0: 1, 25: 1}}", "hours are 0 to 23"),
        ("hours", "{moon: {0: 1}}", "there is no world 'moon'"),
    ],
)
def test_a_change_that_cannot_be_is_refused(key: str, value: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        load("tiny", {key: value})
    assert str(caught.value).startswith(f"--set {key}=")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_phase_that_closes_every_world_is_an_impossible_mix() -> None:
    closed = (
        "[{name: dark, from_hour: 0, to_hour: 1, worlds: {social: 0, learning: 0, work: 0, gaming: 0, medical: 0}}]"
    )
    with pytest.raises(BadInput, match="impossible mix: every world is closed in the phase 'dark'"):
        load("tiny", {"phases": closed})


def test_a_phase_holds_from_its_beginning_to_its_end() -> None:
    scenario = load("tiny", {"phases": f"[{PHASE}]"})
    before, within, after = (conditions(scenario, hour) for hour in (0.98, 1.0, 2.0))
    assert (before.cognition, before.worlds) == (after.cognition, after.worlds)
    assert within.cognition.strain_onset == 2 * before.cognition.strain_onset
    assert within.worlds[World.WORK].messages == 2 * before.worlds[World.WORK].messages
    assert np.array_equal(within.attraction[World.WORK], 5 * before.attraction[World.WORK])
    assert np.array_equal(within.attraction[World.SOCIAL], before.attraction[World.SOCIAL])
    assert np.array_equal(after.attraction, before.attraction)


def test_nothing_changes_in_the_warm_up() -> None:
    scenario = load("tiny", {"phases": f"[{PHASE}]", "drift": "{strain: 1.5}"})
    timetable = Timetable(scenario)
    assert {timetable.key(tick) for tick in range(scenario.first_tick, scenario.run_first_tick)} == {(-1, 0)}


def test_a_drift_compounds_to_its_factor_a_day() -> None:
    scenario = load("tiny", {"drift": "{strain: 1.5, exposures: 1.2}", "days": "3"})
    first, later = conditions(scenario, 0), conditions(scenario, 48)
    assert later.cognition.strain_onset == pytest.approx(1.5**2 * first.cognition.strain_onset)
    assert later.worlds[World.SOCIAL].comments == pytest.approx(1.2**2 * first.worlds[World.SOCIAL].comments)


def test_however_large_the_factors_a_world_keeps_room_for_other_things() -> None:
    scenario = load("tiny", {"rates.exposures": "{work: 20, social: 20, learning: 20, gaming: 20, medical: 20}"})
    for world, parameters in conditions(scenario, 0).worlds.items():
        name = next(place.spec.exposures for place in Metaverse(scenario).places if place.code is world)
        assert getattr(parameters, name) == MOST


def test_without_changes_the_constants_are_those_of_the_scenario() -> None:
    scenario = load("tiny")
    assert conditions(scenario, 3).cognition == scenario.parameters()


def test_a_share_of_the_people_sleeps_at_other_hours() -> None:
    usual, moved = Metaverse(load("tiny")), Metaverse(load("tiny", {"nights": "{share: 0.5, shift_hours: 9}"}))
    shifted = np.mod(usual.people["bed"] + 9 * 60, 1440)
    changed = moved.people["bed"] != usual.people["bed"]
    assert 0.35 < changed.mean() < 0.65
    assert np.array_equal(moved.people["bed"][changed], shifted[changed])
    assert np.array_equal(moved.people["chronotype"], usual.people["chronotype"])


@pytest.mark.parametrize(
    "name", ["exam-week", "product-launch", "outage", "night-shift", "notification-storm", "clinic", "drift"]
)
def test_the_array_and_the_plain_form_obey_a_preset_alike(name: str) -> None:
    first = next((phase.from_hour for phase in load(name).phases), 0.0)
    start = {"people": "40", "warmup_days": "0", "start": "2026-03-02T09:00:00Z"}
    phases = [phase.model_dump() for phase in load(name).phases]
    for phase in phases:
        phase["from_hour"], phase["to_hour"] = phase["from_hour"] - first + 0.5, phase["to_hour"] - first + 0.5
    scenario = load(name, start).model_copy(update={"phases": tuple(type_of(phase) for phase in phases)})
    fast, plain = Metaverse(scenario), PlainMetaverse(scenario)
    for _ in range(90):
        fast.step()
        plain.step()
        assert_same(fast.drain(), plain.drain())


def type_of(phase: dict[str, object]) -> object:
    """A phase from its values."""
    return load("tiny", {"phases": f"[{phase}]"}).phases[0]


def test_no_two_presets_are_the_same_life() -> None:
    lives = {}
    for name in set(preset_names()) - {"tiny", "million"}:
        scenario = load(name)
        told = scenario.model_dump(exclude={"name", "description", "people", "days", "seed", "policy", "training"})
        lives[name] = str(told)
    assert len(set(lives.values())) == len(lives)
    assert len(preset_names()) >= 12
