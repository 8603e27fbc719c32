"""Each person's last tokens, and the exposures that they may still answer: the state of record of the scorer.

A ring of R tokens a person in contiguous columns; token number n of a person stands at n mod R. Exposures have a ring
of their own. So the state is a function of the person's events alone.

Shape legend: n tokens, p people, R tokens of a ring, e exposures, K exposures of a ring, V values of an exposure.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.answered import REMEMBERED, VALUES, Exposures, Seen
from models.features.tokens import FEATURE_COUNT, NO_TIME, Tokens
from models.people import Column, PeopleTable

Indices = NDArray[np.int64]
COLUMNS = ("kind", "time_us", "features", "item")


@dataclass(frozen=True)
class Groups:
    """Runs of equal people in n rows: where each of p runs starts, how long it is, and each row's place in its run."""

    first: Indices  # (p,)
    length: Indices  # (p,)
    ordinal: Indices  # (n,)

    @classmethod
    def of(cls, persons: NDArray[Any]) -> "Groups":
        """The runs of `persons`, shape (n,)."""
        change = np.ones(len(persons), dtype=np.bool_)
        change[1:] = persons[1:] != persons[:-1]
        first = np.flatnonzero(change)
        length = np.diff(np.append(first, len(persons)))
        return cls(first, length, np.arange(len(persons)) - np.repeat(first, length))


class TokenRing:
    """The last `context` tokens of everyone, with the number of tokens so far and the last `seq`."""

    def __init__(self, context: int) -> None:
        self._size = context
        self.people = PeopleTable(
            {
                "kind": Column(dtype="<i2", shape=(context,)),
                "time_us": Column(dtype="<i8", shape=(context,)),
                "features": Column(dtype="<f4", shape=(context, FEATURE_COUNT)),
                "item": Column(dtype="<i4", shape=(context,)),
                "count": Column(dtype="<i8"),
                "last_seq": Column(dtype="<i8", fill=-1),
                "exposures": Column(dtype="<i8"),
                "exposure_id": Column(dtype="<u8", shape=(REMEMBERED,)),
                "exposure_time_us": Column(dtype="<i8", shape=(REMEMBERED,)),
                "exposure_values": Column(dtype="<f4", shape=(REMEMBERED, len(VALUES))),
            }
        )

    def last_time_us(self, rows: Indices) -> NDArray[np.int64]:
        """Time of each person's last token, `NO_TIME` where there is none, shape (p,)."""
        count = self.people["count"][rows]
        last = self.people["time_us"][rows, (count - 1) % self._size]
        return np.where(count > 0, last, NO_TIME)

    def push(self, rows: Indices, tokens: Tokens) -> None:
        """Append tokens; `rows` (n,) names each token's person, equal people side by side and in order."""
        groups = Groups.of(rows)
        people = rows[groups.first]
        start = np.repeat(self.people["count"][people], groups.length)
        # Only the last R tokens of each person survive: written twice, a place would hold either one.
        keep = np.repeat(groups.length, groups.length) - groups.ordinal <= self._size
        place = (start + groups.ordinal)[keep] % self._size
        for name in COLUMNS:
            self.people[name][rows[keep], place] = getattr(tokens, name)[keep]
        self.people["count"][people] += groups.length

    def seen(self, persons: NDArray[np.uint64], rows: Indices) -> Seen:
        """Exposures that are remembered of the people of n events; persons and rows (n,), equal people side by side."""
        first = Groups.of(rows).first
        people, count = rows[first], self.people["exposures"][rows[first]]
        places = np.arange(REMEMBERED)
        number = count[:, None] - 1 - (count[:, None] - 1 - places) % REMEMBERED
        whose, place = np.nonzero(number >= 0)
        exposures = Exposures(
            person=persons[first][whose],
            event_id=self.people["exposure_id"][people[whose], place],
            number=number[whose, place],
            time_us=self.people["exposure_time_us"][people[whose], place],
            values=self.people["exposure_values"][people[whose], place],
        )
        return Seen(count=self.people["exposures"][rows], exposures=exposures)

    def remember(self, exposures: Exposures) -> None:
        """Take in exposures, equal people side by side and in order; the people are known."""
        rows = self.people.find(exposures.person)
        groups = Groups.of(rows)
        keep = np.repeat(groups.length, groups.length) - groups.ordinal <= REMEMBERED
        place = exposures.number[keep] % REMEMBERED
        self.people["exposure_id"][rows[keep], place] = exposures.event_id[keep]
        self.people["exposure_time_us"][rows[keep], place] = exposures.time_us[keep]
        self.people["exposure_values"][rows[keep], place] = exposures.values[keep]
        self.people["exposures"][rows[groups.first]] += groups.length

    def past(self, rows: Indices, back: Indices) -> Tokens:
        """The token `back` places before each person's next one (1 is the last); it must be there. Shapes (n,)."""
        place = (self.people["count"][rows] - back) % self._size
        return Tokens(**{name: self.people[name][rows, place] for name in COLUMNS})

    def depth(self, rows: Indices) -> Indices:
        """How many past tokens the ring holds of each person, shape as given."""
        depth: Indices = np.minimum(self.people["count"][rows], self._size)
        return depth
