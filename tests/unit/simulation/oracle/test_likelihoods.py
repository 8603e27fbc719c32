"""Likelihoods against what the simulation draws."""

import math

import numpy as np
import pytest

from simulation.cognition.answering import LONGEST_DELAY, answer_delay, answered_within, delay_mean
from simulation.core.draws import spread
from simulation.core.person import Person
from simulation.core.witness import Hidden, Seen, answer_after, noisy, silent_for, spread_below, spread_density
from simulation.oracle.comings import length_beyond
from simulation.oracle.timeline import Timeline
from simulation.scenarios import load
from simulation.worlds.watching import see_look, see_words
from tests.unit.simulation.oracle.conftest import Consulted

DRAWS = (np.arange(20_000) * 0.6180339887498949) % 1.0


def test_the_density_of_noise_is_that_of_the_noise_that_is_drawn() -> None:
    drawn = np.array([spread(float(u)) for u in np.random.default_rng(2).random(40_000)])
    for low, high in ((-3.0, -1.5), (-1.5, -0.4), (-0.4, 0.6), (0.6, 2.0), (2.0, 3.0)):
        share = ((drawn >= low) & (drawn < high)).mean()
        assert spread_below(high) - spread_below(low) == pytest.approx(share, abs=0.01)
        points = np.linspace(low, high, 400)
        assert np.trapezoid([spread_density(x) for x in points], points) == pytest.approx(
            spread_below(high) - spread_below(low), abs=1e-4
        )


def test_a_cut_reading_has_its_mass_at_the_ends() -> None:
    inside = np.linspace(0.0, 1.0, 2001)[1:-1]
    total = np.trapezoid([math.exp(noisy(x, 0.95, 0.08, 0.0, 1.0)) for x in inside], inside)
    ends = sum(math.exp(noisy(x, 0.95, 0.08, 0.0, 1.0)) for x in (0.0, 1.0))
    assert total + ends == pytest.approx(1.0, abs=0.01)
    assert math.exp(noisy(1.0, 0.95, 0.08, 0.0, 1.0)) > 0.2


def test_an_answer_comes_after_so_many_minutes_as_often_as_it_is_drawn_to() -> None:
    person, k = Person(fatigue=0.4), load("tiny").parameters()
    minutes = np.array([answer_delay(person, k, float(u)) for u in DRAWS])
    mean = delay_mean(person, k)
    for most in range(LONGEST_DELAY + 1):
        assert answered_within(mean, most) == pytest.approx((minutes <= most).mean(), abs=0.005)


def test_waiting_and_answering_share_out_all_that_may_happen() -> None:
    hidden = Hidden(chance=0.4, delay=2.0)
    silent = 0.0
    answered = 0.0
    for minute in range(LONGEST_DELAY + 1):
        answered += math.exp(silent + answer_after(hidden, minute))
        silent += silent_for(hidden, minute)
    assert answered == pytest.approx(0.4)
    assert math.exp(silent) == pytest.approx(0.6)


def test_a_long_look_speaks_for_a_wandering_mind() -> None:
    away, here = Person(wandering=1), Person(wandering=0)
    long, short = Seen(kind=4, duration=60.0), Seen(kind=4, duration=6.0)
    assert see_look(away, long, 0.5) - see_look(here, long, 0.5) > 5.0
    assert see_look(here, short, 0.5) - see_look(away, short, 0.5) > 5.0


def test_words_far_from_ones_mood_are_all_but_excluded() -> None:
    assert see_words(Person(mood=0.1), 0.3, 0.6) == pytest.approx(math.log(1 / 0.6))
    assert see_words(Person(mood=0.1), 0.5, 0.6) < -10


def test_what_is_left_of_a_session_is_drawn_from_those_that_lasted_so_long() -> None:
    lengths = np.array([length_beyond(29.0, 0.85, 0.0, float(u)) for u in DRAWS])
    beyond = np.array([length_beyond(29.0, 0.85, 30.0, float(u)) for u in DRAWS])
    assert beyond.min() >= 30
    assert np.mean(beyond) == pytest.approx(np.mean(lengths[lengths >= 30]), rel=0.03)


def lapses_by_hand(line: Timeline, place: int, end_us: int) -> tuple[bool, bool]:
    """Label of one row, the long way."""
    at = line.rows["tick"].astype(np.int64) * 60_000_000 + line.rows["clock"]
    inside = (line.rows["kind"] == 40) & (at > at[place]) & (at <= at[place] + 600_000_000)
    failed = bool((line.rows["passed"][inside] == 0).any())
    return failed, bool(inside.any() and at[place] + 600_000_000 <= end_us and not line.is_check[place])


def test_a_lapse_is_a_failed_check_in_the_ten_minutes_after(consulted: Consulted) -> None:
    end_us = max(
        int((line.rows["tick"].astype(np.int64) * 60_000_000 + line.rows["clock"]).max())
        for line in consulted.recording.lines
    )
    for line in consulted.recording.lines[:4]:
        for place in range(len(line.rows) - 40):
            failed, known = lapses_by_hand(line, place, end_us)
            assert line.known["lapse"][place] == known
            assert not known or line.label["lapse"][place] == failed
