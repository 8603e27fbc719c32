"""Plain Mesa, in the two ways a Mesa user might have written the model; the faster one is the baseline."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulation.bench.measuring import Measured, Span, measure
from simulation.core import draws
from simulation.reference import PlainMetaverse
from simulation.scenarios.model import Scenario


def measure_plain(scenario: Scenario, span: Span) -> Measured:
    """The reference: one object a person, the kernels uncompiled, the counter-based draws of the fast model."""
    return measure(PlainMetaverse(scenario), span, keep=True)


def measure_plain_with_python_random(scenario: Scenario, span: Span) -> Measured:
    """The same model, with `random.random` for every draw: other numbers, the same amount of life."""
    with python_random(scenario.seed):
        return measure(PlainMetaverse(scenario), span)


@contextmanager
def python_random(seed: int) -> Iterator[None]:
    """Replace the draw in every module of the simulation that uses it; compiled loops keep theirs."""
    own = random.Random(seed).random  # noqa: S311  a simulation's numbers, not a secret's

    def drawn(*_: Any) -> float:  # noqa: ANN401  the keys of a draw, which do not matter here
        return own()

    users = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("simulation.") and getattr(module, "uniform", None) is draws.uniform and module is not draws
    ]
    for module in users:
        module.uniform = drawn  # type: ignore[attr-defined]  # the very name that kernels look up
    try:
        yield
    finally:
        for module in users:
            module.uniform = draws.uniform  # type: ignore[attr-defined]  # as above
