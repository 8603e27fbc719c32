"""Phases of a practice: what accrues when, and what breaking off leaves and costs."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import simulation.cognition
from infra.contracts.commands import AIMS, Practice
from simulation.cognition.kinds import BY_PRACTICE
from simulation.cognition.parameters import Parameters
from simulation.cognition.practice import (
    CLOSING,
    CORE,
    SETTLING,
    accrued,
    benefit,
    breaking_off,
    core_of,
    dose,
    phase,
)
from simulation.core.moment import Moment
from simulation.core.offers import begin_practice, conclude, own_minutes, practise
from simulation.core.person import Person
from simulation.core.rows import ListSink
from simulation.oracle.steps import planned_for
from simulation.scenarios import load

K = Parameters()
KINDS = tuple(practice for practice in Practice if practice is not Practice.NONE)
MINDFULNESS = Practice.MINDFULNESS_OF_BREATH
each_kind = pytest.mark.parametrize("kind", KINDS)


def somebody(**values: float) -> Person:
    """A person at rest, of average gain, in a world."""
    person = Person(gain=1.0, trust=0.5, world=1, stress=0.3)
    for name, value in values.items():
        setattr(person, name, value)
    return person


def stopped_after(minutes: int, kind: int = MINDFULNESS, k: Parameters = K, **values: float) -> Person:
    """Somebody who practised so many minutes of ten."""
    person = somebody(practice=kind, offer_minutes=10, **values)
    conclude(person, k, Moment(7, 100, 100, 30), float(minutes))
    return person


@each_kind
def test_phases_follow_each_other_and_cover_the_practice(kind: int) -> None:
    begins, ends = core_of(kind)
    assert 0.0 < begins < ends < 1.0
    found = [phase(kind, share / 100) for share in range(101)]
    assert found == sorted(found)
    assert found.count(SETTLING) == pytest.approx(100 * begins, abs=1)
    assert found.count(CORE) > found.count(SETTLING) + found.count(CLOSING)


@each_kind
def test_most_of_the_effect_accrues_in_the_core_and_never_is_lost_again(kind: int) -> None:
    begins, ends = core_of(kind)
    assert accrued(K, kind, ends) - accrued(K, kind, begins) > 0.8
    assert accrued(K, kind, begins) < 0.5 * begins
    course = [accrued(K, kind, share / 100) for share in range(101)]
    assert all(after > before for before, after in pairwise(course))
    assert course[0] == 0.0


@each_kind
@pytest.mark.parametrize("minutes", [1, 5, 10, 15, 60])
def test_a_completed_practice_gives_its_whole_dose_whatever_its_phases(kind: int, minutes: int) -> None:
    assert accrued(K, kind, 1.0) == 1.0
    person = somebody()
    benefit(person, K, kind, float(minutes), float(minutes))
    assert person.skill == K.skill_step * dose(kind, float(minutes))


def test_kinds_have_phases_of_their_own() -> None:
    assert len({core_of(kind) for kind in KINDS}) == len(KINDS)
    assert accrued(K, Practice.FOCUS_TRAINING, 0.3) > accrued(K, Practice.BREATHING, 0.3) > accrued(K, MINDFULNESS, 0.3)


def left_by(kind: Practice) -> dict[str, float]:
    """What ten whole minutes leave, as shares of the most of each."""
    person = stopped_after(10, kind)
    most = {
        "ease": K.practice_ease,
        "awareness": K.practice_awareness,
        "drive": K.practice_drive,
        "mood": K.practice_lift,
    }
    return {name: getattr(person, name) / size for name, size in most.items()}


def test_each_kind_does_most_of_what_it_is_for() -> None:
    left = [left_by(kind) for kind in KINDS]
    best = {state: KINDS[int(np.argmax([shares[state] for shares in left]))] for state in left[0]}
    assert best == {
        "ease": Practice.BREATHING,
        "awareness": MINDFULNESS,
        "drive": Practice.FOCUS_TRAINING,
        "mood": Practice.REFLECTION,
    }
    assert set(AIMS) == set(KINDS)


@each_kind
def test_what_a_kind_leaves_is_what_its_table_says(kind: Practice) -> None:
    known = BY_PRACTICE[kind]
    assert list(left_by(kind).values()) == pytest.approx([known.ease, known.awareness, known.drive, known.lift])


def test_the_readme_states_every_kind_as_it_is() -> None:
    page = (Path(simulation.cognition.__file__).parent / "README.md").read_text("utf-8")
    rows = {}
    for line in page.splitlines():
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        if name in {kind.label for kind in KINDS}:
            rows[name] = (cells[0], tuple(float(cell) for cell in cells[1:]))
    assert rows == {kind.label: (AIMS[kind].label, tuple(BY_PRACTICE[kind])) for kind in KINDS}


@each_kind
def test_without_effects_no_kind_leaves_anything(kind: Practice) -> None:
    person = stopped_after(10, kind, load("null").parameters())
    assert (person.ease, person.awareness, person.drive, person.mood, person.skill) == (0.0,) * 5


def test_a_few_minutes_of_breathing_give_more_of_it_than_of_a_body_scan() -> None:
    assert dose(Practice.BREATHING, 3.0) > dose(MINDFULNESS, 3.0) > dose(Practice.BODY_SCAN, 3.0)
    assert dose(Practice.BREATHING, 20.0) < dose(MINDFULNESS, 20.0) < dose(Practice.BODY_SCAN, 20.0)


def test_longer_practices_are_broken_off_more_often_and_each_kind_at_a_rate_of_its_own() -> None:
    assert breaking_off(K, MINDFULNESS, 10) == pytest.approx(K.abandon)
    assert breaking_off(K, MINDFULNESS, 20) == pytest.approx(1.0 - (1.0 - K.abandon) ** 2)
    chances = [breaking_off(K, kind, 10) for kind in (Practice.BREATHING, MINDFULNESS, Practice.BODY_SCAN)]
    assert chances == sorted(chances)
    assert all(breaking_off(replace(K, abandon=0.0), kind, 10) == 0.0 for kind in KINDS)


def test_who_breaks_off_keeps_what_had_accrued_and_no_more() -> None:
    whole = stopped_after(10).awareness
    for minutes in (1, 4, 8):
        assert stopped_after(minutes).awareness == pytest.approx(
            whole * accrued(K, MINDFULNESS, minutes / 10), rel=1e-12
        )
    # The same minutes give less of a practice that was meant to last longer: it is still settling in.
    longer = somebody()
    benefit(longer, K, MINDFULNESS, 20.0, 5.0)
    shorter = somebody()
    benefit(shorter, K, MINDFULNESS, 5.0, 5.0)
    assert longer.awareness < shorter.awareness


def test_breaking_off_before_the_closing_costs_the_thread() -> None:
    early, closing, whole = stopped_after(5), stopped_after(9), stopped_after(10)
    assert early.broken == pytest.approx(K.broken_step)
    assert early.stress == pytest.approx(0.3 + K.broken_stress)
    assert (closing.broken, whole.broken) == (0.0, 0.0)
    assert stopped_after(5, wandering=1).broken == 0.0
    assert stopped_after(5, k=load("null").parameters()).broken == 0.0


def test_a_practice_that_is_broken_off_in_the_simulation_gives_its_part() -> None:
    left = {}
    for name, abandon in (("whole", 0.0), ("broken off", 1.0)):
        k, person, sink = replace(K, abandon=abandon, own_rate=0.0), somebody(offer_minutes=10, wandering=1), ListSink()
        begin_practice(person, k, Moment(7, 0, 0, 30), MINDFULNESS)
        tick = 0
        while person.practice:
            tick += 1
            practise(person, k, Moment(7, tick, tick, 30), sink)
        left[name] = (tick, person.awareness)
    assert left["whole"][0] == 10
    minutes, awareness = left["broken off"]
    assert minutes < 10
    assert awareness == pytest.approx(left["whole"][1] * accrued(K, MINDFULNESS, minutes / 10), rel=1e-12)


def test_an_observer_supposes_lengths_that_fit_what_was_done_unasked() -> None:
    draws = [draw / 100 for draw in range(100)]
    assert {own_minutes(u) for u in draws} == {5, 10, 15, 20}
    assert {planned_for(7, True, u) for u in draws} == {10, 15, 20}
    assert {planned_for(4, True, u) for u in draws} == {5, 10, 15, 20}
    assert {planned_for(15, False, u) for u in draws} == {15}
