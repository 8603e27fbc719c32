"""Discovery of what can be learned without labels: to add one is to write one file with a constant `OBJECTIVE`."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from infra.contracts.errors import BadInput

if TYPE_CHECKING:
    from torch import nn

    from models.attention.model import AttentionModel
    from models.training.loop import Objective, Place
    from models.training.pretraining.unlabelled import Unlabelled
    from models.training.settings import TrainingConfig

NONE = "none"
_PACKAGE = "models.training.pretraining.objectives"


@dataclass(frozen=True, kw_only=True)
class Pretraining:
    """What is learned, in a line, and how it is begun.

    `begin` gets events without labels and an attention model without heads, and returns a module that has the model as
    its `trunk`, on the device of the place, and the objective that trains it. Raises BadInput for a mechanism that it
    cannot teach.
    """

    meaning: str
    begin: "Callable[[Unlabelled, AttentionModel, TrainingConfig, Place], tuple[nn.Module, Objective]]"


@cache
def pretrainings() -> tuple[str, ...]:
    """Names of all objectives without labels."""
    package = importlib.import_module(_PACKAGE)
    return tuple(sorted(module.name for module in pkgutil.iter_modules(package.__path__)))


def pretraining(name: str) -> Pretraining:
    """The objective called `name`. Raises BadInput where there is none."""
    check(name)
    found: Pretraining = importlib.import_module(f"{_PACKAGE}.{name}").OBJECTIVE
    return found


def check(name: str) -> None:
    """Raises BadInput where `name` is neither an objective nor `none`."""
    if name not in {*pretrainings(), NONE}:
        raise BadInput(
            f"pretrain={name}: no pretraining is called that; there are: {', '.join(pretrainings())}, {NONE}"
        )
