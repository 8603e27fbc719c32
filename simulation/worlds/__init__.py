"""The worlds, found by discovery: a world is a folder here with `spec.py`, `kernel.py`, `agent.py` and `watch.py`."""

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from infra.contracts.worlds import World

if TYPE_CHECKING:
    from simulation.core.world_agent import WorldAgent


@cache
def discover() -> dict[World, type["WorldAgent"]]:
    """Agent class of every world, in the order of their codes."""
    from simulation.core.world_agent import WorldAgent  # noqa: PLC0415  the model imports this package: no cycle

    found: dict[World, type[WorldAgent]] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.ispkg:
            continue
        agent = importlib.import_module(f"{__name__}.{module.name}.agent")
        for value in vars(agent).values():
            if isinstance(value, type) and issubclass(value, WorldAgent) and value is not WorldAgent:
                found[value.spec.world] = value
    return dict(sorted(found.items()))


@cache
def watchers() -> dict[World, Callable[..., Any]]:
    """`watch_all` of every world: how an observer weighs what happens in it (the observable oracle)."""
    return {world: importlib.import_module(f"{__name__}.{world.label}.watch").watch_all for world in discover()}
