"""Discovery of methods: to add one is to write one file in `methods/` with a constant `METHOD`."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from infra.contracts.errors import BadInput
from models.evaluation.explanation.subject import Doubles, Subject

RANDOM, RECENCY = "random", "recency"
CONTROLS = (RANDOM, RECENCY)
"""Methods that know nothing of the model: what every other one is held against."""
_PACKAGE = "models.evaluation.explanation.methods"


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to say how much each past token matters for a score.

    importance: (n,) of the n past tokens, the oldest first; random numbers come from the generator alone. signed: above
    0 raises the logit, below lowers it; unsigned importances say nothing of the direction. gap: for a method whose
    importances add up to something, their sum less what it should be, in the logit.
    """

    title: str
    meaning: str
    signed: bool
    importance: Callable[[Subject, np.random.Generator], Doubles]
    gap: Callable[[Subject, Doubles], float] | None = None


@cache
def methods() -> tuple[str, ...]:
    """Names of all methods, the controls last."""
    package = importlib.import_module(_PACKAGE)
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return (*(name for name in names if name not in CONTROLS), *CONTROLS)


def method(name: str) -> Method:
    """The method called `name`. Raises BadInput where there is none."""
    if name not in methods():
        raise BadInput(f"no method of explanation is called '{name}'; there are: {', '.join(methods())}")
    found: Method = importlib.import_module(f"{_PACKAGE}.{name}").METHOD
    return found
