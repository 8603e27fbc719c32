"""What lessons leave in memory, and what quizzes show of it."""

from dataclasses import replace

import numpy as np
import pytest

from infra.contracts.kinds import EventKind
from simulation.cognition.memory import attend, attention_paid, hardness, learn, retention
from simulation.cognition.parameters import Parameters
from simulation.core.model import Metaverse
from simulation.core.moment import Moment
from simulation.core.person import PERSON, Person
from simulation.scenarios import load
from simulation.scenarios.model import Scenario
from simulation.worlds.learning.kernel import follow, known, lesson_score, quiz_score

K = Parameters()
DAY = 1440
LESSON = int(EventKind.LESSON_STARTED)


class QuizzesCount(Scenario):
    """A scenario in which an answered quiz counts for so many minutes."""

    quiz_minutes: float

    def parameters(self) -> Parameters:
        return replace(super().parameters(), quiz_minutes=self.quiz_minutes)


def moment(tick: int) -> Moment:
    return Moment(7, tick, tick % DAY, 30)


def taught(*days: float, attention: float = 1.0, hard: float = 0.5) -> Person:
    """Somebody who had their lessons on these days."""
    person = Person(ability=0.5)
    for day in days:
        learn(person, K, round(day * DAY), attention, hard)
    return person


def test_a_tenth_is_forgotten_after_the_days_that_memory_says_and_half_after_nine_times_as_many() -> None:
    person = Person(memory=2.0, studied_at=0)
    assert retention(person, 0) == 1.0
    assert retention(person, 2 * DAY) == pytest.approx(0.9)
    assert retention(person, 18 * DAY) == pytest.approx(0.5)
    assert retention(Person(), 5 * DAY) == 0.0


def test_forgetting_is_fast_at_first_and_slow_later() -> None:
    person = taught(0.0)
    left = [retention(person, day * DAY) for day in range(31)]
    lost = -np.diff(left)
    assert (lost > 0).all()
    assert (np.diff(lost) < 0).all()


def test_a_second_lesson_is_worth_what_the_model_of_memory_says() -> None:
    # FSRS version 4 by hand: S (1 + e^1.49 (11 - D) S^-.14 (e^(.94 (1 - R)) - 1)), D 5.5, S 2.4, R .9.
    person = taught(0.0, 2.4)
    growth = 4.43710 * 5.5 * 2.4**-0.14 * (np.exp(0.094) - 1.0)
    assert person.memory == pytest.approx(2.4 * (1.0 + growth), rel=1e-4)


def test_lessons_that_are_spaced_last_longer_than_lessons_in_one_go() -> None:
    massed, spaced = taught(0.0, 0.02, 0.04, 0.06), taught(0.0, 3.0, 6.0, 9.0)
    after_massed, after_spaced = (retention(p, p.studied_at + 30 * DAY) for p in (massed, spaced))
    assert after_spaced > after_massed + 0.1
    assert massed.memory < 1.5 * taught(0.0).memory


def test_more_lessons_better_attended_and_easier_ones_last_longer() -> None:
    assert taught(0.0, 3.0, 6.0).memory > taught(0.0, 3.0).memory > taught(0.0).memory
    assert taught(0.0, 3.0, attention=0.9).memory > taught(0.0, 3.0, attention=0.2).memory
    assert taught(0.0, 3.0, hard=0.1).memory > taught(0.0, 3.0, hard=0.9).memory


def test_a_lesson_that_nobody_listens_to_refreshes_nothing() -> None:
    before, after = taught(0.0), taught(0.0)
    learn(after, K, 3 * DAY, 0.0, 0.5)
    assert (after.memory, after.studied_at) == (before.memory, before.studied_at)
    learn(after, K, 3 * DAY, 0.5, 0.5)
    assert after.studied_at == 3 * DAY // 2


def test_a_minute_counts_only_with_the_mind_on_the_lesson() -> None:
    minutes = {
        "there": Person(doing=LESSON),
        "away": Person(doing=LESSON, wandering=1),
        "practising": Person(doing=LESSON, practice=1),
        "idle": Person(),
    }
    for person in minutes.values():
        for _ in range(10):
            follow(person, K)
    assert {name: person.attended for name, person in minutes.items()} == {
        "there": 10,
        "away": 0,
        "practising": 0,
        "idle": 0,
    }
    assert attention_paid(minutes["there"], 10) > 0.9
    assert attention_paid(minutes["away"], 10) < 0.1
    attend(minutes["there"], 10_000)
    assert minutes["there"].attended < 127


def at_quiz(**values: float) -> Person:
    """Somebody ten minutes into a lesson, a day after the last one."""
    person = Person(ability=0.5, focus=0.4, memory=2.0, studied_at=0, doing_since=DAY - 10, attended=5)
    for name, value in values.items():
        setattr(person, name, value)
    return person


def test_a_quiz_shows_retention_difficulty_and_attention() -> None:
    def score(level: float = 0.5, **values: float) -> float:
        return quiz_score(at_quiz(**values), K, moment(DAY), level)

    assert score() > score(studied_at=-60 * DAY)
    assert score(level=0.2) > score() > score(level=0.8)
    assert score(attended=9) > score() > score(attended=0)
    assert score(focus=0.7) > score()
    # The three act on each other: what is known counts for less where it is hard.
    gained = score(level=0.0) - score(level=0.0, studied_at=-60 * DAY)
    assert gained > score(level=1.0) - score(level=1.0, studied_at=-60 * DAY) > 0.0
    assert known(at_quiz(), K, moment(DAY)) < 1.0
    assert hardness(Person(ability=0.9), 0.1) == 0.0


def test_a_lesson_scores_what_was_attended_to() -> None:
    assert lesson_score(at_quiz(attended=9), moment(DAY), 0.5) > lesson_score(at_quiz(attended=1), moment(DAY), 0.5)


@pytest.fixture(scope="module")
def school() -> Metaverse:
    """A day and a half of the tiny population."""
    model = Metaverse(load("tiny", {"people": "400", "days": "1.5"}))
    for _ in range(model.scenario.ticks):
        model.step()
    return model


def test_people_learn_in_the_simulation_and_score_in_the_middle_of_the_range(school: Metaverse) -> None:
    people = school.people
    pupils = people["quizzes"] > 0
    assert pupils.sum() > 100
    mean = people["quiz_sum"][pupils].sum() / people["quizzes"][pupils].sum()
    assert 0.35 < mean < 0.65
    newborn = Metaverse(school.scenario).people
    assert (people["memory"] > newborn["memory"]).sum() > 100
    assert (people["memory"] >= newborn["memory"]).all()
    assert (people["studied_at"] <= school.tick).all()


def test_answering_quizzes_makes_lessons_last_longer() -> None:
    scenario = load("tiny", {"people": "400", "days": "0.7"})
    grown = {}
    for minutes in (0.0, 3.0):
        model = Metaverse(QuizzesCount.model_validate(scenario.model_dump() | {"quiz_minutes": minutes}))
        for _ in range(scenario.ticks):
            model.step()
        grown[minutes] = float(np.log(model.people["memory"]).mean())
    assert grown[3.0] > grown[0.0]


def test_memory_costs_a_person_no_byte() -> None:
    assert PERSON.itemsize <= 480
