"""What a kernel knows besides the person: the moment, and what all people have in common at it."""

from typing import Any, NamedTuple

FIXED_POINT = float(2**20)
"""Scale of sums across people: integers add up the same in any order, on any number of shards."""
WORLDS = 6
"""Places: outside (0) and the five worlds."""


class Moment(NamedTuple):
    """The tick being simulated. `tick` counts minutes since the epoch, `minute` is of the UTC day."""

    seed: int
    tick: int
    minute: int
    truth_every: int


class Common(NamedTuple):
    """What is the same for many people.

    `attraction`: float64 [place, local hour], how much a place draws people, 24 hours of weekdays, then of weekends.
    `circles`: int32 [circle, 3]: people in a session at the end of the last tick, their mood and stress in fixed point.
    A circle has 1,000 people (the last one up to 1,999), whose sums stay below 2^31.
    Both are looked up by pairs: arrays for compiled loops, dictionaries in the reference.
    `circle_size`: people in a circle; circle c holds the internal numbers from c · circle_size on.
    """

    attraction: Any
    circles: Any
    circle_size: int
