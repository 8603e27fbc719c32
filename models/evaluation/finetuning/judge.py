"""Log losses of several models on the same unseen people, inside a world and outside it, with shared resamples.

Every figure of one `Judge` is paired: resample b draws the same people for all models, heads and worlds, and the same
seeds for all ways, so that differences and shares have their intervals from the resamples of their parts.

Shape legend: r rows, H heads, R resamples, S seeds.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.evaluation import metrics
from models.evaluation.resampling import Doubles, Figure, Resampling, figure
from models.training.dataset import Dataset

INSIDE: Final = "inside"
OUTSIDE: Final = "outside"
ALL: Final = "all"
"""Stands for the mean over heads, each of which counts the same."""
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sampled:
    """A figure's value, and its value in each resample (R,)."""

    value: float
    resamples: Doubles

    def __sub__(self, other: "Sampled") -> "Sampled":
        return Sampled(self.value - other.value, self.resamples - other.resamples)

    def of(self, other: "Sampled") -> "Sampled":
        """The fraction of `other` that this is; NaN where the other is 0 or less."""
        share = self.value / other.value if other.value > 0 else float("nan")
        whole = np.where(other.resamples > 0, other.resamples, np.nan)
        return Sampled(share, self.resamples / whole)

    def figure(self) -> Figure:
        """With its interval."""
        return figure(self.value, self.resamples)


def mean_of(each: list[Sampled]) -> Sampled:
    """The mean of figures, resample by resample."""
    return Sampled(float(np.mean([one.value for one in each])), np.mean([one.resamples for one in each], axis=0))


Losses = dict[tuple[str, str], Sampled]
"""Log losses by (INSIDE or OUTSIDE, head or ALL); what has no rows is not there."""


class Judge:
    """Rows (r,) of `dataset`, of unseen people; `inside` (r,) says which are of the world."""

    def __init__(self, dataset: Dataset, rows: Indices, inside: npt.NDArray[np.bool_], seed: int) -> None:
        self._dataset, self._rows, self._inside, self._seed = dataset, rows, inside, seed
        self._person = dataset.person[rows]
        self._drawn = Resampling(self._person, seed)
        self._parts = {
            (part, head): dataset.known[rows, index] & (inside if part == INSIDE else ~inside)
            for part in (INSIDE, OUTSIDE)
            for index, head in enumerate(dataset.heads)
        }
        self._parts = {place: known for place, known in self._parts.items() if known.any()}
        self._shares = {place: self._drawn.means(known.astype(np.float64)) for place, known in self._parts.items()}
        self._of_heads = {place: self._drawn.of(known) for place, known in self._parts.items() if place[0] == INSIDE}

    def losses(self, probability: Doubles) -> Losses:
        """Of probabilities (r, H)."""
        found: Losses = {}
        for place, known in self._parts.items():
            index = self._dataset.heads.index(place[1])
            loss = np.zeros(len(self._rows))
            loss[known] = metrics.log_losses(self._labels(known, index), probability[known, index])
            found[place] = Sampled(float(loss[known].mean()), self._drawn.means(loss) / self._shares[place])
        for part in (INSIDE, OUTSIDE):
            heads = [one for (where, _), one in found.items() if where == part]
            if heads:
                found[part, ALL] = mean_of(heads)
        return found

    def aucs(self, probability: Doubles) -> dict[str, Sampled]:
        """Of probabilities (r, H), by head, inside the world."""
        found = {}
        for place, drawn in self._of_heads.items():
            known, index = self._parts[place], self._dataset.heads.index(place[1])
            label, said = self._labels(known, index), probability[known, index]
            found[place[1]] = Sampled(metrics.auc(label, said), drawn.aucs(label, said))
        return found

    def over_seeds(self, of_seeds: list[Sampled]) -> Sampled:
        """The mean over S seeds, which are drawn with replacement as people are: the same draws for all figures."""
        count = len(of_seeds)
        values = np.stack([one.resamples for one in of_seeds])
        drawn = np.random.default_rng([self._seed, count]).integers(count, size=(values.shape[1], count))
        resamples = values[drawn, np.arange(values.shape[1])[:, None]].mean(axis=1)
        return Sampled(float(np.mean([one.value for one in of_seeds])), resamples)

    def counts(self) -> dict[str, dict[str, dict[str, int]]]:
        """How many rows and people each head has, inside and outside."""
        found: dict[str, dict[str, dict[str, int]]] = {INSIDE: {}, OUTSIDE: {}}
        for (part, head), known in self._parts.items():
            people = len(np.unique(self._person[known]))
            found[part][head] = {"rows": int(known.sum()), "people": people}
        return found

    def _labels(self, known: npt.NDArray[np.bool_], index: int) -> npt.NDArray[np.float32]:
        labels: npt.NDArray[np.float32] = self._dataset.value[self._rows[known], index]
        return labels
