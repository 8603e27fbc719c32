"""Never offers anything: what the population does by itself."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from infra.contracts.commands import Practice
from models.policies.points import ACTIONS, Points


@dataclass(frozen=True, kw_only=True)
class Never:
    """No offer, with probability 1."""

    name: ClassVar[str] = "never"
    needs_scores: ClassVar[bool] = False

    def probabilities(self, points: Points) -> NDArray[np.float64]:
        """No offer at every point, shape (n, a)."""
        probabilities = np.zeros((len(points), ACTIONS))
        probabilities[:, Practice.NONE] = 1.0
        return probabilities


POLICY = Never
