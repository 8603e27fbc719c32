"""Row 25, held out: the shape of rested reaction times."""

import numpy as np
from scipy.stats import exponnorm

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.intervals import mean
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.restriction import restriction

_PEOPLE = 60


def measure(lab: Lab) -> Finding:
    """Ex-Gaussian of each person's times on day 0, by maximum likelihood, averaged over people."""
    times = lab.once(restriction).times[0][:_PEOPLE]
    fits = np.array([_ex_gaussian(own) for own in times])
    names = (("mu", 230.0, 280.0), ("sigma", 25.0, 40.0), ("tau", 50.0, 100.0))
    return Finding(
        tuple(
            Part(name, "ms", mean(fits[:, place]), Published(None, low, high))
            for place, (name, low, high) in enumerate(names)
        )
    )


def _ex_gaussian(times: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float, float]:
    """Mu, sigma and tau in ms."""
    spread = float(times.std())
    shape, mu, sigma = exponnorm.fit(times, 1.5, loc=float(times.mean()) - 0.7 * spread, scale=0.6 * spread)
    return float(mu), float(sigma), float(shape * sigma)


FACT = Fact(
    id="reaction-times",
    row=25,
    title="Rested reaction times are ex-Gaussian",
    source="recalled ranges",
    protocol="60 people, 200 reactions each over the rested day of row 26",
    rule=f"for mu, sigma and tau, {OVERLAP}",
    measure=measure,
    recalled=True,
    held_out=True,
)
