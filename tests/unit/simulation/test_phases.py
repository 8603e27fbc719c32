"""Phases of a practice: what accrues when, and what breaking off leaves and costs."""

from dataclasses import replace
from itertools import pairwise

import pytest

from simulation.cognition.parameters import Parameters
from simulation.cognition.practice import (
    CLOSING,
    CORE,
    FOCUS,
    MINDFULNESS,
    RELAX,
    SETTLING,
    accrued,
    benefit,
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
KINDS = (RELAX, MINDFULNESS, FOCUS)
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
    begins, ends = core_of(K, kind)
    assert 0.0 < begins < ends < 1.0
    found = [phase(K, kind, share / 100) for share in range(101)]
    assert found == sorted(found)
    assert found.count(SETTLING) == pytest.approx(100 * begins, abs=1)
    assert found.count(CORE) > found.count(SETTLING) + found.count(CLOSING)


@each_kind
def test_most_of_the_effect_accrues_in_the_core_and_never_is_lost_again(kind: int) -> None:
    begins, ends = core_of(K, kind)
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
    assert person.skill == K.skill_step * dose(K, float(minutes))


def test_kinds_have_phases_of_their_own() -> None:
    assert len({core_of(K, kind) for kind in KINDS}) == len(KINDS)
    assert accrued(K, FOCUS, 0.3) > accrued(K, RELAX, 0.3) > accrued(K, MINDFULNESS, 0.3)


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
