"""People are born: traits and first states, drawn by number, so that anyone's can be drawn alone."""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.draws import uniform
from simulation.core import purposes
from simulation.core.person import PERSON
from simulation.core.rows import Rows
from simulation.core.traits import archetype_of, standings
from simulation.scenarios.changes import Nights
from simulation.scenarios.model import Scenario

Floats = NDArray[np.float64]
_DAY = 1440


def circle_count(scenario: Scenario) -> int:
    """How many circles of friends there are; the last one takes in the people left over."""
    return max(1, scenario.people // scenario.circle_size)


def born(scenario: Scenario, seed: int, numbers: NDArray[np.int64]) -> Rows:
    """The people of these internal numbers on the morning of the first day: one PERSON record each."""
    birth = _Birth(seed, numbers)
    people = np.zeros(len(numbers), PERSON)
    people["number"] = numbers
    people["circle"] = np.minimum(numbers // scenario.circle_size, circle_count(scenario) - 1)
    offsets = np.asarray(scenario.utc_offsets, dtype=np.int32)
    people["offset"] = offsets[(birth.flat(0) * len(offsets)).astype(np.int64)]
    _give_traits(people, birth)
    _give_nights(people, birth)
    _move_nights(people, birth, scenario.nights)
    _give_states(people, birth, scenario.first_tick)
    return people


class _Birth:
    """Draws at birth: uniform and near-normal."""

    def __init__(self, seed: int, numbers: NDArray[np.int64]) -> None:
        self._seed, self._numbers = seed, numbers

    def flat(self, index: int) -> Floats:
        return uniform(self._seed, purposes.BIRTH, self._numbers, 0, index)

    def bell(self, index: int) -> Floats:
        # Four uniforms: near normal, within ±3.5 standard deviations.
        parts = sum(self.flat(index * 10 + 100 + part) for part in range(4))
        centred: Floats = (parts - 2.0) * np.sqrt(3.0)
        return centred


def _give_traits(people: Rows, birth: _Birth) -> None:
    """Correlated standings (a Gaussian copula), shifted by archetype, become traits with their own distributions."""
    people["archetype"] = archetype_of(birth.flat(4))
    stand = standings(birth, people["archetype"])
    people["control"] = np.clip(0.72 + 0.09 * stand["control"], 0.4, 0.98)
    people["restless"] = np.clip(_factor(stand["restless"], 0.42), 0.25, 4.0)
    people["reactive"] = np.clip(_factor(stand["reactive"], 0.33), 0.3, 3.0)
    people["cheer"] = np.clip(0.18 + 0.18 * stand["cheer"], -0.6, 0.8)
    people["eager"] = 0.7 * stand["eager"]
    # Most people are drawn to one tone or the other, few to neither.
    side = birth.flat(6) * 2.0 - 1.0
    people["taste"] = np.sign(side) * np.sqrt(np.abs(side))
    people["receptive"] = 0.8 * stand["receptive"]
    people["gain"] = np.clip(_factor(stand["gain"], 0.4), 0.2, 3.0)
    people["chronotype"] = np.clip(1.2 * stand["chronotype"], -3.0, 3.5)
    people["gaze_bias"] = 0.07 * birth.bell(10)
    people["tempo"] = np.clip(_factor(stand["tempo"], 0.10), 0.7, 1.6)
    people["ability"] = np.clip(0.5 + 0.18 * stand["ability"], 0.05, 0.95)
    people["trust"] = np.clip(0.5 + 0.15 * stand["trust"], 0.05, 0.95)


def _factor(standing: Floats, spread: float) -> Floats:
    """Log-normal with mean about 1."""
    drawn: Floats = np.exp(spread * standing - 0.5 * spread * spread)
    return drawn


def _give_nights(people: Rows, birth: _Birth) -> None:
    """Mid-sleep at about 3:20, later for late types, and 7.5 hours of sleep, give or take 50 minutes."""
    middle = 200.0 + 60.0 * people["chronotype"]
    half = 0.5 * np.clip(450.0 + 50.0 * birth.bell(13), 300.0, 600.0)
    people["bed"] = np.mod(middle - half, 1440.0).astype(np.int32)
    people["wake"] = np.mod(middle + half, 1440.0).astype(np.int32)


def _move_nights(people: Rows, birth: _Birth, nights: Nights) -> None:
    """Some sleep at other hours than their body would; its clock (`chronotype`) stays where it is."""
    moved = birth.flat(90) < nights.share
    for name in ("bed", "wake"):
        people[name][moved] = np.mod(people[name][moved] + round(60 * nights.shift_hours), 1440)


def _give_states(people: Rows, birth: _Birth, first_tick: int) -> None:
    """Everyone starts rested enough, outside every world, comes within the first hours awake, and has had lessons."""
    people["focus"] = 0.5
    people["fatigue"] = 0.3
    people["pressure"] = 0.25 + 0.2 * birth.flat(1)
    people["effort"] = 0.1
    people["stress"] = 0.24 + 0.1 * birth.flat(2)
    people["mood"] = people["cheer"]
    people["debt"] = 0.38
    people["gloom"] = -people["cheer"]
    people["worry"] = people["stress"]
    people["memory"] = 0.4 + 5.0 * birth.flat(91)
    people["studied_at"] = first_tick - 1 - (2.0 * _DAY * birth.flat(92)).astype(np.int32)
    people["joined"] = first_tick
    people["open_until"] = first_tick
    people["due_at"] = -1
    people["due_peer"] = -1
    people["next_session"] = first_tick + (180.0 * birth.flat(3)).astype(np.int32)
