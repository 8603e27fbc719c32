"""Intervals by bootstrap over people: people are resampled whole, with all their moments."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.calibration.fact import Estimate

Floats = NDArray[np.float64]
RESAMPLES = 500
_SEED = 20_261
_ENDS = (2.5, 97.5)


def per_person(person: NDArray[np.integer], people: int, values: NDArray[Any] | None = None) -> Floats:
    """Sum of `values` (or how many there are) of each person, float64 [people]."""
    return np.asarray(np.bincount(person, values, people), np.float64)


def weights(people: int, resamples: int = RESAMPLES) -> Floats:
    """How often each person is in each resample: float64 [resample, people], rows sum to `people`."""
    generator = np.random.default_rng(_SEED)
    return generator.multinomial(people, np.full(people, 1.0 / people), size=resamples).astype(np.float64)


def ratio(numerator: Floats, denominator: Floats) -> Estimate:
    """Sum over sum, both [people]: a share of pooled moments."""
    w = weights(len(numerator))
    below = w @ denominator
    drawn = np.divide(w @ numerator, below, out=np.full(len(w), np.nan), where=below > 0)
    total = float(denominator.sum())
    return _estimate(float(numerator.sum()) / total if total else float("nan"), drawn)


def mean(values: Floats) -> Estimate:
    """Mean over people who have a value."""
    kept = values[np.isfinite(values)]
    return ratio(kept, np.ones(len(kept)))


def of_people(statistic: Callable[[Floats], float], people: int, resamples: int = 200) -> Estimate:
    """Any statistic of weights per person, [people]; weights of one give the value itself."""
    drawn = np.array([statistic(row) for row in weights(people, resamples)])
    return _estimate(statistic(np.ones(people)), drawn)


def risk_ratio(treated: tuple[Floats, Floats], control: tuple[Floats, Floats], *, log: bool = False) -> Estimate:
    """Ratio of two shares, each (events, occasions) per person, [people]."""
    w = weights(len(treated[0]))
    ones = np.ones((1, len(treated[0])))
    value, drawn = (_risk_ratio(each, treated, control) for each in (ones, w))
    return _estimate(float(np.log(value[0])), np.log(drawn)) if log else _estimate(float(value[0]), drawn)


def effect_size(treated: Floats, control: Floats) -> Estimate:
    """Hedges' g of the same people in two arms, [people]: mean difference over the control arm's spread, in resamples.

    The arms share their random numbers, so that the difference is paired; its scale is the spread between people.
    """

    def g(w: Floats) -> float:
        total = w.sum()
        middle = (w @ control) / total
        spread = np.sqrt((w @ (control - middle) ** 2) / (total - 1.0))
        return float((w @ (treated - control)) / total / spread) if spread > 0 else float("nan")

    return of_people(g, len(treated), RESAMPLES)


def fit(x: Floats, y: Floats, person: NDArray[np.int64], people: int) -> Estimate:
    """Least-squares slope of y on x within people (each person's means taken off)."""
    x, y = (within(values, person, people) for values in (x, y))
    return ratio(per_person(person, people, x * y), per_person(person, people, x * x))


def within(values: Floats, person: NDArray[np.int64], people: int) -> Floats:
    """Values less each person's mean."""
    count = np.maximum(per_person(person, people), 1.0)
    centred: Floats = values - (per_person(person, people, values) / count)[person]
    return centred


def _risk_ratio(w: Floats, treated: tuple[Floats, Floats], control: tuple[Floats, Floats]) -> Floats:
    one, other = ((w @ events) / (w @ occasions) for events, occasions in (treated, control))
    result: Floats = one / other
    return result


def _estimate(value: float, drawn: Floats) -> Estimate:
    finite = drawn[np.isfinite(drawn)]
    if not len(finite):
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.percentile(finite, _ENDS)
    return Estimate(value, float(low), float(high))
