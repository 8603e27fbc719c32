"""How probable traits are together: the density of the copula that people are born from (`core.traits`)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, ndtr, ndtri

from simulation.core.traits import ARCHETYPES, TRAITS, correlation

Floats = NDArray[np.float64]
_GRID: Final = np.linspace(-7.0, 7.0, 1401)
_SHARES: Final = np.array([archetype.share for archetype in ARCHETYPES]) / sum(a.share for a in ARCHETYPES)
_SHIFTS: Final = np.array([[archetype.shift.get(name, 0.0) for name in TRAITS] for archetype in ARCHETYPES])
_ROOT: Final = np.linalg.inv(np.linalg.cholesky(correlation()))


def _tables() -> tuple[Floats, Floats]:
    """By trait and grid point of the standing: its normal score in the population, and log(dscore / dstanding)."""
    away = _GRID - _SHIFTS[:, :, None]
    below = np.tensordot(_SHARES, ndtr(away), 1)
    above = np.tensordot(_SHARES, ndtr(-away), 1)
    scores = np.where(below < above, ndtri(below), -ndtri(above))
    density = logsumexp(-0.5 * away**2, axis=0, b=_SHARES[:, None, None])
    return scores, density + 0.5 * scores**2


_SCORES, _STRETCH = _tables()


def standing_density(scores: Floats) -> Floats:
    """float64 [people]: log-density of scores float64 [people, `core.traits.TRAITS`], but for a constant.

    A score is Φ⁻¹ of the share of the population with less of the trait, whatever their archetype; a standing is normal
    within an archetype. So the density is a mixture of normal ones of the standings, times how they stretch.
    """
    standings, stretched = np.empty_like(scores), np.zeros(len(scores))
    for column in range(scores.shape[1]):
        standings[:, column] = np.interp(scores[:, column], _SCORES[column], _GRID)
        stretched += np.interp(standings[:, column], _GRID, _STRETCH[column])
    within = ((standings[:, None, :] - _SHIFTS) @ _ROOT.T) ** 2
    density: Floats = logsumexp(-0.5 * within.sum(axis=2), axis=1, b=_SHARES) - stretched
    return density
