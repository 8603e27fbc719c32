"""The base rate: the share of ones among the training labels, whoever it is and whatever they did."""

from dataclasses import dataclass

import numpy as np

from models.evaluation.catalog import Baseline, BaselineSettings, Doubles, Indices
from models.training.dataset import Dataset


@dataclass(frozen=True)
class BaseRate:
    """rates (H,): one probability for everything."""

    rates: Doubles

    def predict(self, dataset: Dataset, rows: Indices) -> Doubles:  # noqa: ARG002  it looks at nothing
        """(r, H) the rates."""
        return np.tile(self.rates, (len(rows), 1))


def fit(dataset: Dataset, settings: BaselineSettings) -> BaseRate:  # noqa: ARG001  there is nothing to set
    """The rates of `dataset`'s training labels."""
    return BaseRate(dataset.base_rates())


BASELINE = Baseline(title="base rate", meaning="the share of ones among training labels", fit=fit)
