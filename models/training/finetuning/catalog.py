"""Discovery of ways to fine-tune: to add one is to write one file in `ways/` with a constant `WAY`."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from infra.contracts.errors import BadInput
from models.attention.model import AttentionModel

FULL = "full"
"""The way that the others are held against."""
_PACKAGE = "models.training.finetuning.ways"


@dataclass(frozen=True, kw_only=True)
class NoSettings:
    """Of a way that has nothing to set."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to fine-tune: what pages call it, what it is in a line, its learning rate and its settings.

    settings: a frozen dataclass with a default for each; `--set KEY=VALUE` changes them. start: from a copy of the
    base and such settings to the model that is trained, which says what the base said; what is not to be trained wants
    no gradient. Random numbers come from torch, whose seed is set. finish: from the trained model to one that a
    checkpoint can hold. Both raise BadInput where model and settings do not fit each other.
    """

    title: str
    meaning: str
    learning_rate: float
    start: Callable[[AttentionModel, Any], AttentionModel]
    settings: object = NoSettings()
    finish: Callable[[AttentionModel], AttentionModel] = lambda model: model


@cache
def ways() -> tuple[str, ...]:
    """Names of all ways, `full` first."""
    package = importlib.import_module(_PACKAGE)
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return (FULL, *(name for name in names if name != FULL))


def way(name: str) -> Way:
    """The way called `name`. Raises BadInput where there is none."""
    if name not in ways():
        raise BadInput(f"no way to fine-tune is called '{name}'; there are: {', '.join(ways())}")
    found: Way = importlib.import_module(f"{_PACKAGE}.{name}").WAY
    return found
