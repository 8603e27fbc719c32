"""Offers with one probability at every open point, whatever the score: the experiment to check estimators on."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from models.policies.points import Points, require_share
from models.policies.practices import with_offer


@dataclass(frozen=True, kw_only=True)
class Random:
    """Offer with `probability`; the practice that suits the scene gets `main_share` of the offers."""

    name: ClassVar[str] = "random"
    needs_scores: ClassVar[bool] = False

    probability: float = 0.02
    main_share: float = 1 / 5

    def __post_init__(self) -> None:
        require_share(self.name, {"probability": self.probability, "main_share": self.main_share}, inner=True)

    def probabilities(self, points: Points) -> NDArray[np.float64]:
        """The same chance of an offer everywhere, shape (n, a)."""
        return with_offer(points, np.full(len(points), self.probability), self.main_share)


POLICY = Random
