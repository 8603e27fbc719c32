"""Offers when the lapse score is high, and explores a little, so that every action stays possible."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from models.policies.points import Points, require_share
from models.policies.practices import with_offer


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """Offer with probability 1 - `epsilon` where the lapse score reaches `threshold`, else with `epsilon`.

    A score that is missing (NaN) counts as below the threshold.
    """

    name: ClassVar[str] = "threshold"

    threshold: float = 0.5
    epsilon: float = 0.02
    main_share: float = 0.7

    def __post_init__(self) -> None:
        require_share(self.name, {"threshold": self.threshold})
        require_share(self.name, {"epsilon": self.epsilon, "main_share": self.main_share}, inner=True)

    def probabilities(self, points: Points) -> NDArray[np.float64]:
        """Shape (n, a); none is 0 or 1."""
        offer = np.where(points.lapse >= self.threshold, 1.0 - self.epsilon, self.epsilon)
        return with_offer(points, offer, self.main_share)


POLICY = Threshold
