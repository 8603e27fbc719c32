"""Who people are together: archetypes, and traits that go with each other."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TRAITS: Final = (
    "control",
    "restless",
    "reactive",
    "cheer",
    "eager",
    "receptive",
    "gain",
    "chronotype",
    "tempo",
    "ability",
    "trust",
)
"""Traits of the joint distribution, in the order in which they are drawn."""

CORRELATIONS: Final = MappingProxyType(
    {
        # Directions from the literature, sizes chosen: attentional control against mind-wandering (Robison & Unsworth
        # 2018 ?); neuroticism against positive affect, and with wandering (Diener 1999 ?); late types and control
        # (Digdon & Howell 2008 ?); ability with control and speed (Kane 2004 ?).
        ("control", "restless"): -0.45,
        ("control", "reactive"): -0.20,
        ("control", "chronotype"): -0.15,
        ("control", "tempo"): -0.25,
        ("control", "ability"): 0.35,
        ("restless", "reactive"): 0.25,
        ("restless", "tempo"): 0.15,
        ("reactive", "cheer"): -0.40,
        ("cheer", "eager"): 0.20,
        ("ability", "tempo"): -0.25,
        ("receptive", "gain"): 0.25,
        ("receptive", "trust"): 0.30,
        ("gain", "trust"): 0.20,
    }
)
"""Correlations of the standings within an archetype; pairs that are not named are independent."""


@dataclass(frozen=True)
class Archetype:
    """A kind of person: its share of people, and by how many standard deviations its traits stand off."""

    name: str
    share: float
    shift: dict[str, float]


ARCHETYPES: Final = (
    Archetype("steady", 0.34, {"restless": -0.3, "reactive": -0.3, "eager": -0.2, "chronotype": -0.2}),
    Archetype("driven", 0.22, {"control": 0.5, "restless": -0.2, "reactive": 0.4, "eager": 0.3, "receptive": -0.3}),
    Archetype("dreamer", 0.18, {"control": -0.3, "restless": 0.6, "cheer": 0.1, "eager": -0.3, "chronotype": 0.4}),
    Archetype("sociable", 0.15, {"reactive": -0.3, "cheer": 0.4, "eager": 0.5, "receptive": 0.2}),
    # Adults with an attention deficit: 4.4% (Kessler 2006 ?); slower and more variable, late, easily carried away.
    Archetype("attention deficit", 0.045, {"control": -1.4, "restless": 1.4, "tempo": 0.6, "chronotype": 0.5}),
    # Share chosen, between generalised anxiety alone and any anxiety disorder.
    Archetype("anxious", 0.065, {"restless": 0.4, "reactive": 1.3, "cheer": -1.0, "receptive": 0.4}),
)
"""All kinds; a person's `archetype` is the place in here. Shifts leave the population's means about where they are."""


class Bells(Protocol):
    """Near-normal draws at birth, one array a number."""

    def bell(self, index: int) -> Floats:
        """Near-normal, float64 [people]."""


def archetype_of(u: Floats) -> NDArray[np.int8]:
    """Archetype by uniform draws, int8 [people]."""
    edges = np.cumsum([archetype.share for archetype in ARCHETYPES])
    return np.minimum(np.searchsorted(edges, u, side="right"), len(ARCHETYPES) - 1).astype(np.int8)


def correlation() -> Floats:
    """The correlation matrix, float64 [trait, trait]."""
    matrix = np.eye(len(TRAITS))
    for (one, other), value in CORRELATIONS.items():
        i, j = TRAITS.index(one), TRAITS.index(other)
        matrix[i, j] = matrix[j, i] = value
    return matrix


_LOADINGS = np.linalg.cholesky(correlation())
_SHIFTS = np.array([[archetype.shift.get(name, 0.0) for name in TRAITS] for archetype in ARCHETYPES])
_FIRST_BELL = 30


def standings(birth: Bells, archetypes: NDArray[np.int8]) -> dict[str, Floats]:
    """Standing in each trait, float64 [people], in standard deviations within an archetype, its shift added.

    Sums run trait by trait, not as a matrix product, whose rounding would depend on how many people there are.
    """
    bells = [birth.bell(_FIRST_BELL + place) for place in range(len(TRAITS))]
    result = {}
    for row, name in enumerate(TRAITS):
        total = _SHIFTS[archetypes, row]
        for column in range(row + 1):
            total = total + _LOADINGS[row, column] * bells[column]
        result[name] = total
    return result
