"""Discovery of ways to compress: to add one is to write one file in `ways/` with a constant `WAY`."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from infra.contracts.errors import BadInput
from models.attention.checkpoint import Weights
from models.attention.model import AttentionConfig, AttentionModel
from models.training.dataset import Dataset
from models.training.finetuning.catalog import NoSettings
from models.training.settings import Progress, TrainingConfig

_PACKAGE = "models.training.compression.ways"


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a way may work with: the model, events of training and validation people, how it trains, who is told.

    dataset: nobody who tests is in it.
    """

    base: AttentionModel
    dataset: Dataset
    training: TrainingConfig
    report: Callable[[Progress], None] = lambda _: None


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A compressed model as it is stored: arrays by name, of a model of `config`; and what was done, for people.

    epochs: of training. about: figures for the document.
    """

    config: AttentionConfig
    arrays: Weights
    epochs: int = 0
    about: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to compress: what pages call it, what it is in a line, and its settings.

    settings: a frozen dataclass with a default for each; `--set KEY=VALUE` changes them. loop: settings of the training
    loop that are other than a fine-tuning's; None where nothing is trained. pack: from the material and such settings
    to what is stored; leaves the base as it is. restore: from config, arrays and settings to a model in evaluation
    mode. ordinary: the same function as a plain model of float32 weights, which a checkpoint can hold; None where there
    is none. Pack raises BadInput where model and settings do not fit each other.
    """

    title: str
    meaning: str
    pack: Callable[[Material, Any], Packed]
    restore: Callable[[AttentionConfig, Weights, Any], AttentionModel]
    settings: object = NoSettings()
    loop: Mapping[str, Any] | None = None
    ordinary: Callable[[AttentionModel], AttentionModel] | None = None


@cache
def ways() -> tuple[str, ...]:
    """Names of all ways."""
    package = importlib.import_module(_PACKAGE)
    return tuple(sorted(module.name for module in pkgutil.iter_modules(package.__path__)))


def way(name: str) -> Way:
    """The way called `name`. Raises BadInput where there is none."""
    if name not in ways():
        raise BadInput(f"no way to compress is called '{name}'; there are: {', '.join(ways())}")
    found: Way = importlib.import_module(f"{_PACKAGE}.{name}").WAY
    return found
