"""What lies behind each supposition: whom it was born as, whose draws it lived by, and when its mind wandered."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulation.core.rows import Rows

Integers = NDArray[np.int64]


class Epoch(NamedTuple):
    """From the tick `since` to the next resampling: `parents` int64 [P], who each was before, and by tick whether each
    mind wandered at its end, bool [P]."""

    since: int
    parents: Integers
    wandered: dict[int, NDArray[np.bool_]]


class Past:
    """The epochs since the beginning, one more with each resampling. `births` PERSON [newborns] are never changed.

    Draws are counter-based and go by a supposition's place in its epoch. So the places that its ancestors had say
    which draws it has lived by, and its past can be lived again.
    """

    def __init__(self, births: Rows) -> None:
        self.births = births
        self.epochs = [Epoch(0, np.arange(len(births)), {})]

    def noted(self, tick: int) -> NDArray[np.bool_]:
        """Room to note which minds wander after a minute, bool [P]."""
        epoch = self.epochs[-1]
        return epoch.wandered.setdefault(tick, np.zeros(len(epoch.parents), np.bool_))

    def branch(self, tick: int, chosen: Integers) -> None:
        """After this tick the suppositions are those chosen, int64 [P]."""
        self.epochs.append(Epoch(tick + 1, chosen, {}))

    def minutes(self) -> int:
        """Minutes of sessions so far."""
        return sum(len(epoch.wandered) for epoch in self.epochs)

    def places(self) -> list[Integers]:
        """By epoch, int64 [P]: the place of the ancestor of each of today's suppositions; the first are newborns."""
        place = np.arange(len(self.epochs[-1].parents))
        found = [place]
        for epoch in reversed(self.epochs[1:]):
            place = epoch.parents[place]
            found.append(place)
        return found[::-1]
