"""Which world a token's event happened in, read off its features."""

from typing import Final

import numpy as np
import numpy.typing as npt

from infra.contracts.worlds import World
from models.features.columns import Flags, Floats
from models.features.tokens import FEATURES

WORLD_COLUMNS: Final = {
    world.label: FEATURES.index(f"world_{world.label}") for world in World if world is not World.NONE
}
"""The feature that is above 0 for each world; all are 0 for an event from outside every world."""


def in_worlds(features: Floats, names: tuple[str, ...]) -> Flags:
    """(n,) which tokens, of features (n, F), are of one of the worlds `names`."""
    found: npt.NDArray[np.bool_] = np.zeros(len(features), dtype=np.bool_)
    for name in names:
        found |= features[:, WORLD_COLUMNS[name]] > 0
    return found
