"""The rules of the kernels, one person at a time."""

from dataclasses import replace

import pytest

from infra.contracts.commands import Practice
from simulation.cognition.checks import reaction_centre, reaction_stretch, slowing
from simulation.cognition.feelings import drift, feeling, remember
from simulation.cognition.kinds import BY_PRACTICE
from simulation.cognition.mind import NEUTRAL, PLEASANT, UNPLEASANT, tire
from simulation.cognition.parameters import Parameters
from simulation.cognition.practice import (
    acceptance,
    benefit,
    dose,
    fade,
    interrupt,
    leave_rate,
    lose_thread,
    own_rate,
    turn,
)
from simulation.cognition.reports import EMOTIONS, intensity
from simulation.cognition.rhythm import MOOD_OF_DAY, asleep, body_minute, is_weekend, place_hour
from simulation.cognition.scales import anxiety_severity, depression_severity
from simulation.core.moment import Moment
from simulation.core.person import Person
from simulation.scenarios import load

K = Parameters()
DAY = 1440
MONDAY = 4 * DAY
"""Tick of a Monday's first minute: the epoch began on a Thursday."""


def somebody(**values: float) -> Person:
    """A plain person with these attributes."""
    person = Person(tempo=1.0, gain=1.0, trust=0.5, control=0.7, reactive=1.0, fatigue=0.2, debt=0.38)
    for name, value in values.items():
        setattr(person, name, value)
    return person


def moment(tick: int) -> Moment:
    return Moment(7, tick, tick % DAY, 30)


def test_a_thought_changes_the_feeling_at_once_and_the_mood_not_at_all() -> None:
    person = somebody(mood=0.2)
    felt = {}
    for topic in (PLEASANT, NEUTRAL, UNPLEASANT):
        person.wandering, person.topic = 1, topic
        felt[topic] = feeling(person, K)
    assert person.mood == 0.2
    assert felt[UNPLEASANT] < felt[NEUTRAL] < felt[PLEASANT] < 0.2
    # Row 3: -23.9 points of 100 are -0.478 of the feeling.
    assert felt[UNPLEASANT] - 0.2 == pytest.approx(-0.478)


def test_mood_keeps_half_of_a_push_for_hours() -> None:
    person = somebody(mood=1.0, cheer=0.0, stress=K.stress_rest)
    still = replace(K, mood_day=0.0)
    for _ in range(round(K.mood_return)):
        drift(person, still, 0, 0.0, 1)
    assert person.mood == pytest.approx(0.368, abs=0.01)


def test_at_weekends_the_body_runs_two_hours_later() -> None:
    person = somebody()
    weekday, saturday = moment(MONDAY + 600), moment(MONDAY + 5 * DAY + 600)
    assert (is_weekend(person, weekday), is_weekend(person, saturday)) == (False, True)
    assert (body_minute(person, K, weekday), body_minute(person, K, saturday)) == (600, 480)
    assert (place_hour(person, weekday), place_hour(person, saturday)) == (10, 34)


def test_a_weekend_begins_where_the_person_lives() -> None:
    friday_evening = moment(MONDAY + 5 * DAY - 60)
    assert is_weekend(somebody(offset=480), friday_evening)
    assert not is_weekend(somebody(), friday_evening)


@pytest.mark.parametrize(("bed", "wake"), [(1380, 420), (60, 500)])
def test_nights_span_midnight_or_not_and_a_limit_cuts_them_short(bed: int, wake: int) -> None:
    person = somebody(bed=bed, wake=wake)
    night = (wake - bed) % DAY
    assert sum(asleep(person, K, minute) for minute in range(DAY)) == night
    short = replace(K, bed_limit=180.0)
    assert sum(asleep(person, short, minute) for minute in range(DAY)) == 180
    assert asleep(person, short, (bed + 179) % DAY)
    assert not asleep(person, short, (bed + 180) % DAY)


def test_mood_of_the_day_has_its_tops_in_the_morning_and_the_evening() -> None:
    morning, evening, afternoon = MOOD_OF_DAY[6 * 60], MOOD_OF_DAY[21 * 60], MOOD_OF_DAY[14 * 60]
    assert min(morning, evening) > afternoon + 0.5


def nights_of(minutes_asleep: int, days: int) -> Person:
    """Somebody after so many days with nights of this length."""
    person = somebody(pressure=0.3, debt=0.38)
    for minute in range(0, days * DAY, 10):
        tire(person, K, minute % DAY, minute % DAY < minutes_asleep, 10)
    return person


def test_short_nights_add_up_to_a_debt_that_slows_reactions() -> None:
    rested, after_three, after_nine = nights_of(450, 9), nights_of(180, 3), nights_of(180, 9)
    assert rested.debt < K.debt_rested < after_three.debt < after_nine.debt
    assert slowing(rested, K) < slowing(after_three, K) < slowing(after_nine, K)
    assert reaction_stretch(after_nine, K) / reaction_stretch(rested, K) > reaction_centre(
        after_nine, K
    ) / reaction_centre(rested, K)


def test_debt_slows_also_whom_the_hour_does_not_tire() -> None:
    assert slowing(somebody(debt=0.6), K) == pytest.approx(1.0 + 0.2 * K.reaction_debt)
    assert slowing(somebody(debt=0.38), K) == 1.0
    assert slowing(somebody(skill=1.0), K) == pytest.approx(1.0 - K.skill_quick)


@pytest.mark.parametrize("kind", list(Practice)[1:])
def test_ten_minutes_are_a_full_dose_and_who_is_still_arriving_has_none(kind: Practice) -> None:
    assert dose(kind, 10.0) == pytest.approx(1.0)
    assert dose(kind, BY_PRACTICE[kind].arriving) == 0.0
    assert 1.0 < dose(kind, 20.0) < 1.7
    assert dose(kind, 4.0) - dose(kind, 3.0) > dose(kind, 10.0) - dose(kind, 9.0)


def test_practices_build_up_skill_and_trust_that_fade() -> None:
    person = somebody(prompted=1.0)
    for _ in range(20):
        benefit(person, K, Practice.MINDFULNESS_OF_BREATH, 10.0, 10.0)
    assert 0.2 < person.skill < 1.0
    assert 0.5 < person.trust < 1.0
    before = person.skill
    for _ in range(30 * 24):
        fade(person, K, 60)
    assert person.skill == pytest.approx(before * 0.472, rel=0.02)


def test_without_effects_neither_practices_nor_offers_move_skill_trust_or_leaving() -> None:
    nothing = load("null").parameters()
    person = somebody(burden=0.8)
    benefit(person, nothing, 1, 20.0, 20.0)
    lose_thread(person, nothing)
    interrupt(person, nothing)
    assert (person.skill, person.trust, person.ease, person.broken) == (0.0, 0.5, 0.0, 0.0)
    assert leave_rate(person, nothing, 5000) == leave_rate(somebody(), nothing, 5000)


def test_offers_on_top_of_offers_cost_trust_and_willingness() -> None:
    person = somebody()
    fresh = acceptance(person, K)
    for _ in range(20):
        interrupt(person, K)
    assert person.trust < 0.5
    assert acceptance(person, K) < 0.4 * fresh


def test_prompts_are_forgotten_over_weeks_and_burden_over_days() -> None:
    person = somebody()
    interrupt(person, K)
    for _ in range(7 * 24):
        fade(person, K, 60)
    assert person.burden < 0.001
    assert person.prompted == pytest.approx(0.79, abs=0.02)


def test_breaks_come_in_stretches_of_minutes_to_tens_of_minutes() -> None:
    person = somebody(number=3)
    flips, was, open_minutes = [], person.open, 0
    for tick in range(20_000):
        turn(person, K, moment(tick))
        open_minutes += person.open
        if person.open != was:
            flips.append(tick)
            was = person.open
    mean_stretch = 20_000 / len(flips)
    assert 6 < mean_stretch < 20
    assert open_minutes / 20_000 == pytest.approx(K.open_minutes / (K.open_minutes + K.closed_minutes), abs=0.05)
    open_person, closed_person = somebody(open=1), somebody(open=0)
    assert acceptance(open_person, K) > 1.5 * acceptance(closed_person, K)


def test_who_has_left_or_is_busy_does_not_practise_unasked() -> None:
    assert own_rate(somebody(), K, 10**6) > 0.0
    for busy in ({"left": 1}, {"practice": 1}, {"doing": 301}, {"due_at": 5}):
        assert own_rate(somebody(**busy), K, 10**6) == 0.0


def test_one_practice_is_enough_for_a_while() -> None:
    just_now, yesterday = somebody(practice_since=10**6 - 30), somebody(practice_since=10**6 - DAY)
    assert own_rate(just_now, K, 10**6) < 0.1 * own_rate(yesterday, K, 10**6)


def test_installers_leave_at_once_and_the_enrolled_seldom() -> None:
    wild = replace(K, enrolled=0.0)
    person = somebody(joined=MONDAY)
    first, later = leave_rate(person, wild, MONDAY), leave_rate(person, wild, MONDAY + 20 * DAY)
    assert first > 0.5
    assert later < 0.05
    assert leave_rate(person, K, MONDAY) < 0.1 * first
    assert leave_rate(somebody(joined=MONDAY, trust=0.9), K, MONDAY) < leave_rate(person, K, MONDAY)


def test_scales_follow_the_last_weeks_not_the_moment() -> None:
    person = somebody(mood=-1.0, stress=1.0, gloom=-0.2, worry=0.28)
    low, tense = depression_severity(person), anxiety_severity(person)
    remember(person, K, 60)
    assert depression_severity(person) == pytest.approx(low, abs=0.01)
    for _ in range(14 * 24):
        remember(person, K, 60)
    assert depression_severity(person) > low + 0.3
    assert anxiety_severity(person) > tense + 0.3


def test_good_feelings_and_bad_ones_are_opposites_and_stress_makes_anxious() -> None:
    good, bad, tense = somebody(mood=0.6, stress=0.2), somebody(mood=-0.6, stress=0.2), somebody(mood=0.0, stress=0.8)
    for place, name in enumerate(EMOTIONS):
        more = intensity(good, K, place) > intensity(bad, K, place)
        assert more == (name in {"happy", "excited", "relaxed"})
    assert intensity(tense, K, EMOTIONS.index("anxious")) > intensity(
        somebody(stress=0.2), K, EMOTIONS.index("anxious")
    )
