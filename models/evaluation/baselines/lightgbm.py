"""LightGBM on windowed features: boosted trees, which find thresholds and interactions by themselves.

They see the token and its means over the last 4, W and 8·W tokens, so further back than the model does. How many trees
is decided on the validation people, as the model's early stopping is.
"""

from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np

from infra.contracts.draws import Purpose, bits
from models.evaluation.catalog import Baseline, BaselineSettings, ByHead, Doubles, Indices
from models.evaluation.windows import windowed
from models.training.dataset import Dataset
from models.training.split import Role

MOST_ROWS = 400_000
"""Training rows at most, drawn by a hash; some 300 columns of so many rows are half a gigabyte."""
_MOST_TO_STOP_BY = 100_000
_ROWS_AT_ONCE = 200_000
_SHORT_WINDOW, _LONG_WINDOW = 4, 8
_ROUNDS, _PATIENCE, _ROUNDS_WITHOUT_VALIDATION = 1_000, 50, 100
_PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 50,
    "feature_fraction": 0.5,
    "lambda_l2": 1.0,
    "max_bin": 127,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}


@dataclass(frozen=True)
class BoostedTrees:
    """The trees of one head, and the windows of their inputs."""

    booster: lightgbm.Booster
    windows: tuple[int, ...]

    def predict(self, dataset: Dataset, rows: Indices) -> Doubles:
        """(r,) probabilities, some rows at a time: inputs of all rows at once may not fit."""
        parts = [rows[first : first + _ROWS_AT_ONCE] for first in range(0, len(rows), _ROWS_AT_ONCE)]
        found = [self.booster.predict(windowed(dataset.tokens, dataset.person, part, self.windows)) for part in parts]
        return np.concatenate([np.asarray(each, dtype=np.float64) for each in found]) if found else np.zeros(0)


def fit(dataset: Dataset, settings: BaselineSettings) -> ByHead:
    """Trees for each head; a function of the data, the seed and the number of threads."""
    return ByHead(tuple(_fit_head(dataset, head, settings).predict for head in range(len(dataset.heads))))


def _fit_head(dataset: Dataset, head: int, settings: BaselineSettings) -> BoostedTrees:
    training, window = settings.training, settings.model.window
    windows = (_SHORT_WINDOW, window, _LONG_WINDOW * window)
    parameters = _PARAMETERS | {"seed": training.seed, "num_threads": training.threads}
    learned = _data(dataset, head, _drawn(dataset, head, Role.TRAIN, MOST_ROWS, training.seed), windows)
    held_out = _drawn(dataset, head, Role.VALIDATION, _MOST_TO_STOP_BY, training.seed)
    if not len(held_out):
        return BoostedTrees(lightgbm.train(parameters, learned, _ROUNDS_WITHOUT_VALIDATION), windows)
    booster = lightgbm.train(
        parameters,
        learned,
        _ROUNDS,
        valid_sets=[_data(dataset, head, held_out, windows, learned)],
        callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False)],
    )
    return BoostedTrees(booster, windows)


def _data(
    dataset: Dataset, head: int, rows: Indices, windows: tuple[int, ...], reference: lightgbm.Dataset | None = None
) -> lightgbm.Dataset:
    inputs = windowed(dataset.tokens, dataset.person, rows, windows)
    return lightgbm.Dataset(inputs, dataset.value[rows, head], reference=reference, params={"verbosity": -1})


def _drawn(dataset: Dataset, head: int, role: Role, most: int, seed: int) -> Indices:
    """At most `most` labelled rows of `role`, drawn by a hash of (seed, row), in order."""
    rows = np.flatnonzero(dataset.known[:, head] & (dataset.role == role))
    order = np.argsort(bits(seed, int(Purpose.SPLIT), rows, 1, 0), kind="stable")[:most]
    drawn: Indices = np.sort(rows[order])
    return drawn


BASELINE = Baseline(
    title="LightGBM",
    meaning="boosted trees on the token and on means over its person's last tokens",
    fit=fit,
)
