"""Intervals of every figure by one bootstrap over people: rows of a person are not independent, people are.

Figures of one `Resampling` are paired: resample b draws the same people for all of them, so a figure that is made of
others (a difference, a fraction of a gap) has its interval from the resamples of its parts.

Shape legend: n rows, P people, R resamples, K bins.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.evaluation import metrics

RESAMPLES = 1_000
SCORE_BINS = 1_000
"""Bins of equal mass into which scores are put for the interval of an AUC. Scores of one bin count as ties, which moves
an AUC by less than 1e-5 (a test holds it): far less than any interval is wide."""
ECE_BINS = 15
_AT_ONCE = 100  # resamples that are multiplied together

Doubles = npt.NDArray[np.float64]
Labels = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Figure:
    """A figure with its 95% percentile interval; NaN where there is none (a single person, a single class)."""

    value: float
    ci_low: float
    ci_high: float

    def as_dict(self) -> dict[str, float | None]:
        """Plain values for JSON; NaN becomes None."""
        values = {"value": self.value, "ci_low": self.ci_low, "ci_high": self.ci_high}
        return {name: float(value) if np.isfinite(value) else None for name, value in values.items()}


def figure(value: float, resampled: Doubles) -> Figure:
    """The figure whose values over resamples are `resampled` (R,); resamples without a value are left out."""
    held = resampled[np.isfinite(resampled)]
    if not len(held):
        return Figure(value, float("nan"), float("nan"))
    low, high = np.quantile(held, [0.025, 0.975])
    return Figure(value, float(low), float(high))


class Resampling:
    """People of n rows, drawn with replacement R times. `times` (R, P) uint8: how often each is in a resample."""

    def __init__(self, person: npt.NDArray[np.uint64], seed: int, resamples: int = RESAMPLES) -> None:
        _, self.whose = np.unique(person, return_inverse=True)
        self.people = int(self.whose.max(initial=-1)) + 1
        random = np.random.default_rng(seed)
        draws = resamples if self.people > 1 else 0  # one person gives figures without intervals
        self.times = np.empty((draws, self.people), dtype=np.uint8)
        for first in range(0, draws, _AT_ONCE):
            part = self.times[first : first + _AT_ONCE]
            part[:] = random.multinomial(self.people, np.full(self.people, 1 / self.people), size=len(part))

    def of(self, rows: npt.NDArray[np.bool_]) -> "Resampling":
        """The same draws of the same people, for the rows of the mask (n,) alone."""
        some = copy.copy(self)
        some.whose = self.whose[rows]
        return some

    def means(self, values: Doubles) -> Doubles:
        """(R,) the mean over rows of `values` (n,) in each resample: people with many rows count by their rows."""
        sums = np.stack([np.bincount(self.whose, values, self.people), np.bincount(self.whose, minlength=self.people)])
        total, rows = self._totals(sums.T.astype(np.float64)).T
        return np.asarray(total / rows)

    def mean(self, values: Doubles) -> Figure:
        """The mean over rows of `values` (n,)."""
        return figure(float(values.mean()) if len(values) else float("nan"), self.means(values))

    def auc(self, label: Labels, probability: Doubles) -> Figure:
        """Area under the ROC curve; the value is exact, the resamples' are of scores in bins of equal mass."""
        return figure(metrics.auc(label, probability), self.aucs(label, probability))

    def aucs(self, label: Labels, probability: Doubles) -> Doubles:
        """(R,) the areas in each resample, as in `auc`."""
        positive = label > 0.5
        place, bins = _score_bins(probability)
        ones = self._histogram(place[positive], self.whose[positive], bins)
        zeros = self._histogram(place[~positive], self.whose[~positive], bins)
        found = [
            _binned_auc(times @ ones, times @ zeros) for times in self._some(np.float32)
        ]  # whole numbers below 2^24, which float32 holds exactly
        return _joined(found)

    def ece(self, label: Labels, probability: Doubles) -> Figure:
        """Expected calibration error over 15 bins of equal width, as `metrics.ece`."""
        place = np.minimum((probability * ECE_BINS).astype(np.int64), ECE_BINS - 1)
        gap = self._by_bin(place, label - probability)
        rows = np.bincount(self.whose, minlength=self.people).astype(np.float64)[:, None]
        totals = self._totals(np.concatenate([gap, rows], axis=1))
        errors = np.abs(totals[:, :-1]).sum(axis=1) / totals[:, -1]
        return figure(metrics.ece(label, probability, ECE_BINS), np.asarray(errors))

    def calibration(self, label: Labels, probability: Doubles) -> list[dict[str, float | None]]:
        """The bins of `metrics.calibration`, each with the interval `low`, `high` of what was observed."""
        place = np.minimum((probability * ECE_BINS).astype(np.int64), ECE_BINS - 1)
        ones, rows = self._by_bin(place, label.astype(np.float64)), self._by_bin(place, np.ones(len(label)))
        with np.errstate(invalid="ignore"):
            rates = self._totals(ones) / self._totals(rows)  # NaN where a resample has nothing in a bin
        found: list[dict[str, float | None]] = []
        held = np.flatnonzero(np.bincount(place, minlength=ECE_BINS))
        for index, bin_ in zip(held, metrics.calibration(label, probability, ECE_BINS), strict=True):
            interval = figure(bin_["observed"], rates[:, index]).as_dict()
            found.append({**bin_, "low": interval["ci_low"], "high": interval["ci_high"]})
        return found

    def _by_bin(self, place: npt.NDArray[np.int64], values: Doubles) -> Doubles:
        """(P, ECE_BINS) sums of `values` (n,) by person and bin."""
        flat = np.bincount(self.whose * ECE_BINS + place, values, self.people * ECE_BINS).astype(np.float64)
        return flat.reshape(self.people, ECE_BINS)

    def _histogram(
        self, place: npt.NDArray[np.int64], whose: npt.NDArray[np.int64], bins: int
    ) -> npt.NDArray[np.float32]:
        """(P, bins) how many rows each person has in each bin."""
        counts = np.bincount(whose * bins + place, minlength=self.people * bins)
        return counts.reshape(self.people, bins).astype(np.float32)

    def _totals(self, by_person: Doubles) -> Doubles:
        """(R, C) sums over the people of each resample of `by_person` (P, C)."""
        parts = [times @ by_person for times in self._some(np.float64)]
        return np.concatenate(parts) if parts else np.zeros((0, by_person.shape[1]))

    def _some(self, dtype: type[np.floating]) -> Iterator[npt.NDArray[np.floating]]:
        for first in range(0, len(self.times), _AT_ONCE):
            yield self.times[first : first + _AT_ONCE].astype(dtype)


def _joined(parts: list[Doubles]) -> Doubles:
    return np.concatenate(parts) if parts else np.zeros(0)


def _score_bins(probability: Doubles) -> tuple[npt.NDArray[np.int64], int]:
    """The bin of each score, ascending, and how many bins there are; equal scores share one."""
    values = np.unique(probability)
    if len(values) > SCORE_BINS:
        values = np.unique(np.quantile(probability, np.arange(1, SCORE_BINS) / SCORE_BINS, method="lower"))
    return np.searchsorted(values, probability, side="left"), len(values) + 1


def _binned_auc(ones: npt.NDArray[Any], zeros: npt.NDArray[Any]) -> Doubles:
    """(r,) AUC of each row's counts by ascending bin (r, K), ties counted half. NaN with one class."""
    one, zero = ones.astype(np.float64), zeros.astype(np.float64)
    below = np.cumsum(zero, axis=1) - zero
    with np.errstate(invalid="ignore"):
        areas = (one * (below + 0.5 * zero)).sum(axis=1) / (one.sum(axis=1) * zero.sum(axis=1))
    return np.asarray(areas)
