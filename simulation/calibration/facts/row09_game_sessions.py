"""Row 9: how long games last."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from simulation.calibration.fact import OVERLAP, Curve, Fact, Finding, Part, Published
from simulation.calibration.intervals import of_people
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.moments import Moments, moments

Floats = NDArray[np.float64]
_RESAMPLES = 100


def measure(lab: Lab) -> Finding:
    """Weibull by maximum likelihood, of lengths that are known to the minute."""
    noted = lab.once(moments)
    person, lengths = stays(noted)
    bins = lengths.astype(np.int64) - 1

    def fitted(which: int) -> Part:
        def statistic(weights: Floats) -> float:
            return weibull(np.bincount(bins, weights[person]).astype(np.float64))[which]

        estimate = of_people(statistic, noted.people, _RESAMPLES)
        name, unit, published = (
            ("shape", "", Published(0.5, 0.45, 0.55)),
            ("scale", "min", Published(20.0, 16.0, 24.0)),
        )[which]
        return Part(name, unit, estimate, published)

    at = np.arange(5.0, 181.0, 5.0)
    survived = tuple(float((lengths > x).mean()) for x in at)
    expected = tuple(float(np.exp(-((x / 20.0) ** 0.5))) for x in at)
    ticks = tuple(float(x) for x in at)
    lines = {"simulated": (ticks, survived), "published": (ticks, expected)}
    return Finding((fitted(0), fitted(1)), Curve("Games that last longer", "minutes", "share", lines))


def stays(noted: Moments) -> tuple[NDArray[np.int64], Floats]:
    """Person and length in minutes of every stay in the gaming world that ended."""
    order = np.lexsort((noted.moves["seq"], noted.moves["person"]))
    person, gaming, minute = (noted.moves[name][order] for name in ("person", "gaming", "minute"))
    ended = np.flatnonzero(gaming[:-1] & (person[1:] == person[:-1]))
    return person[ended].astype(np.int64), (minute[ended + 1] - minute[ended]).astype(np.float64)


def weibull(counts: Floats) -> tuple[float, float]:
    """Shape and scale of greatest likelihood; `counts[n]` games lasted more than n and at most n + 1 minutes."""
    edges = np.arange(1.0, len(counts))

    def loss(logs: Floats) -> float:
        shape, scale = np.exp(logs)
        survived = np.concatenate([[1.0], np.exp(-((edges / scale) ** shape)), [0.0]])
        return float(-(counts @ np.log(np.maximum(survived[:-1] - survived[1:], 1e-300))))

    shape, scale = np.exp(minimize(loss, np.log([0.6, 18.0]), method="Nelder-Mead").x)
    return float(shape), float(scale)


FACT = Fact(
    id="game-sessions",
    row=9,
    title="Game sessions are Weibull distributed: many short ones, some very long",
    source="Chang & Feng 2003; the unit is recalled; margins of .05 and 4 min are allowed",
    protocol="600 people, 14 days, all stays in the gaming world",
    rule=f"for shape and scale, {OVERLAP}",
    measure=measure,
    recalled=True,
)
