"""The interval of a difference between two settings, over people and over starts.

A difference is a mean over starts of a mean over rows. It would be another with other people and with other starts, so
both are drawn anew: people with replacement and, independently, starts with replacement (the bootstrap of crossed
factors: Owen 2007, "The pigeonhole bootstrap"). Few starts drawn with replacement vary too little, by
sqrt((S - 1) / S), and an interval of S numbers needs Student's t: what a resample owes to its starts is widened by
sqrt(S / (S - 1)) t(0.975, S - 1) / z(0.975), 1.58 for five. A test holds how often such intervals hold the truth.

Shape legend: S starts, P people, R resamples.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, t

from models.evaluation.resampling import RESAMPLES, Doubles, Figure, figure


def over_people_and_starts(sums: Doubles, rows: npt.NDArray[np.int64], seed: int, resamples: int = RESAMPLES) -> Figure:
    """The mean over rows and starts of values whose sums by start and person are `sums` (S, P), with its interval.

    rows (P,): how many rows each person has, the same in every start. Equal seeds draw the same people and starts, so
    figures of the same shape are paired.
    """
    held = rows > 0
    sums, rows = sums[:, held], rows[held]
    starts, people = sums.shape
    if not people:
        return Figure(math.nan, math.nan, math.nan)
    value = float((sums.sum(axis=1) / rows.sum()).mean())
    random = np.random.default_rng(seed)
    times = random.multinomial(people, np.full(people, 1 / people), size=resamples if people > 1 else 0)
    drawn = random.multinomial(starts, np.full(starts, 1 / starts), size=len(times)) / starts
    by_start = (times @ sums.T) / (times @ rows)[:, None]
    centre = by_start.mean(axis=1)
    return figure(value, centre + widening(starts) * ((by_start * drawn).sum(axis=1) - centre))


def widening(starts: int) -> float:
    """What makes the spread of resampled means of so few starts that of Student's t."""
    return math.sqrt(starts / (starts - 1)) * float(t.ppf(0.975, starts - 1) / norm.ppf(0.975))
