"""The population against the literature: one file a fact, found by listing `facts/`."""

import importlib
import pkgutil
from functools import cache

from simulation.calibration import facts
from simulation.calibration.fact import Fact


@cache
def discover() -> dict[str, Fact]:
    """Every fact by its id, in the order of the rows of the calibration table."""
    found = {}
    for module in pkgutil.iter_modules(facts.__path__):
        fact: Fact = importlib.import_module(f"{facts.__name__}.{module.name}").FACT
        found[fact.id] = fact
    return dict(sorted(found.items(), key=lambda item: item[1].row))
