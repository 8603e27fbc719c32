"""The look ahead: stays are those that have lasted, and what has been seen since counts."""

import numpy as np
import pytest

from simulation.cognition.parameters import Parameters
from simulation.core.moment import Moment
from simulation.core.person import Person
from simulation.core.sessions import LEAST_SESSION
from simulation.oracle.comings import stays_on
from simulation.oracle.forecast import Outlook
from simulation.oracle.laws import LawBook
from simulation.scenarios import load

SINCE = 29_548_800


def stays(book: LawBook, world: int, last: int, moves: float, count: int = 4000) -> list[int]:
    """Lengths of stays that were not left up to minute `last` of them, minutes."""
    k = Parameters(stay_moves=moves)
    common = book.at(SINCE).common
    now = Moment(5, SINCE + last, (SINCE + last) % 1440, 30)
    return [
        stays_on(Person(number=number, world=world, stay_since=SINCE), k, now, common, SINCE + last) - SINCE
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def book() -> LawBook:
    """Of the demo."""
    return LawBook(load("demo"))


@pytest.mark.parametrize("world", [1, 4])
def test_what_is_left_of_a_stay_is_drawn_from_those_that_lasted_so_long(book: LawBook, world: int) -> None:
    lengths, beyond = np.array(stays(book, world, 0, 0.0)), np.array(stays(book, world, 15, 0.0))
    assert lengths.min() >= LEAST_SESSION if world == 1 else lengths.min() >= 1
    assert beyond.min() > 15
    if world == 1:
        # Nobody moves: who was to go before has begun another stay, of a set length.
        again = LEAST_SESSION + int(Parameters().stay_scale)
        lasted = np.where(lengths > 15, lengths, lengths + again)
    else:
        lasted = lengths[lengths > 15]
    assert np.median(beyond) == pytest.approx(np.median(lasted), rel=0.08)


def test_a_stay_that_people_move_at_the_end_of_is_a_first_one_more_often(book: LawBook) -> None:
    kept, moved = stays(book, 1, 30, 0.0), stays(book, 1, 30, 1.0)
    first = np.array(stays(book, 1, 0, 0.0))
    # Were everybody to move, those who are still there are in their first stay, or came back to where they were.
    assert abs(np.mean(moved) - first[first > 30].mean()) < abs(np.mean(kept) - first[first > 30].mean())


def test_what_is_seen_after_a_look_ahead_weighs_its_suppositions() -> None:
    then = np.array([0.0, -3.0, 0.0, -1.0])
    outlook = Outlook(np.full(2, 0.5), np.array([0.4, 0.1]), np.array([0, 3]), then[[0, 3]])
    assert outlook.probability(then) == pytest.approx(0.5)
    assert outlook.probability(then + np.array([np.log(3.0), 0.0, 0.0, 0.0])) == pytest.approx(0.65)


def test_people_move_between_worlds_within_a_look_ahead(book: LawBook) -> None:
    lengths = np.array(stays(book, 1, 40, Parameters().stay_moves))
    # Of those who have stayed for long some are done within ten minutes, and most are not.
    assert 0.1 < (lengths <= 50).mean() < 0.7
