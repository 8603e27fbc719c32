"""Which practice suits a scene: a stated rule with stated probabilities, shared by the policies that offer.

The world's practice gets `main_share`, the others what is left in equal parts. A tense person (last reading
unpleasant and excited) is offered breathing first in every world. A convention of this testbed, not a finding: among
others who react and compare, look at it from some distance; where a task asks for attention, train it; after long
stillness before a screen, come back to the body; in care, the practice that most trials have studied.
"""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.commands import Practice
from infra.contracts.worlds import World
from models.policies.points import ACTIONS, Points

MAIN_PRACTICE: dict[World, Practice] = {
    World.NONE: Practice.MINDFULNESS_OF_BREATH,
    World.SOCIAL: Practice.REFLECTION,
    World.LEARNING: Practice.FOCUS_TRAINING,
    World.WORK: Practice.FOCUS_TRAINING,
    World.GAMING: Practice.BODY_SCAN,
    World.MEDICAL: Practice.MINDFULNESS_OF_BREATH,
}
TENSE_VALENCE = -0.2
TENSE_AROUSAL = 0.2

_MAIN_OF_WORLD = np.array([MAIN_PRACTICE[world] for world in sorted(World)], dtype=np.int64)


def practice_shares(points: Points, main_share: float) -> NDArray[np.float64]:
    """Probability of each action given an offer, shape (n, a); column 0 is zero, rows sum to 1."""
    known = points.world < len(_MAIN_OF_WORLD)
    main = _MAIN_OF_WORLD[np.where(known, points.world, 0)]
    tense = (points.valence < TENSE_VALENCE) & (points.arousal > TENSE_AROUSAL)
    main = np.where(tense, int(Practice.BREATHING), main)
    shares = np.full((len(points), ACTIONS), (1.0 - main_share) / (ACTIONS - 2))
    shares[:, Practice.NONE] = 0.0
    shares[np.arange(len(points)), main] = main_share
    return shares


def with_offer(points: Points, offer: NDArray[np.float64], main_share: float) -> NDArray[np.float64]:
    """Probability of each action, shape (n, a), with offers made with probability `offer`, shape (n,)."""
    probabilities = practice_shares(points, main_share) * offer[:, None]
    probabilities[:, Practice.NONE] = 1.0 - offer
    return probabilities
