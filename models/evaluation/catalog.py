"""Discovery of baselines: to add one is to write one file in `baselines/` with a constant `BASELINE`."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from infra.contracts.errors import BadInput
from models.attention.model import AttentionConfig
from models.training.dataset import Dataset
from models.training.settings import TrainingConfig

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
_PACKAGE = "models.evaluation.baselines"


@dataclass(frozen=True, kw_only=True)
class BaselineSettings:
    """What a baseline may know of the model that it is held against: its size, and how it was trained."""

    model: AttentionConfig
    training: TrainingConfig


class Predictor(Protocol):
    """A fitted baseline."""

    def predict(self, dataset: Dataset, rows: Indices) -> Doubles:
        """(r, H) probabilities of every head of `dataset` at `rows`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A predictor to be held against: what pages call it, what it is in a line, and how it is fitted.

    `fit` looks at the TRAIN and VALIDATION events of the data set alone, for all its heads.
    """

    title: str
    meaning: str
    fit: Callable[[Dataset, BaselineSettings], Predictor]


@dataclass(frozen=True)
class ByHead:
    """Predictors of one head each, in the order of the data set's heads, as one."""

    of_heads: tuple[Callable[[Dataset, Indices], Doubles], ...]

    def predict(self, dataset: Dataset, rows: Indices) -> Doubles:
        """(r, H) probabilities."""
        return np.stack([one(dataset, rows) for one in self.of_heads], axis=1)


@cache
def baselines() -> tuple[str, ...]:
    """Names of all baselines."""
    package = importlib.import_module(_PACKAGE)
    return tuple(sorted(module.name for module in pkgutil.iter_modules(package.__path__)))


def baseline(name: str) -> Baseline:
    """The baseline called `name`. Raises BadInput where there is none."""
    if name not in baselines():
        raise BadInput(f"no baseline is called '{name}'; there are: {', '.join(baselines())}")
    found: Baseline = importlib.import_module(f"{_PACKAGE}.{name}").BASELINE
    return found
