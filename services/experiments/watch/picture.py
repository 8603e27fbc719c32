"""One look at a population: what the page shows of a minute. No I/O."""

from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from infra.contracts.time import TICK_US
from infra.contracts.worlds import World
from simulation.core.model import Metaverse
from simulation.core.moment import FIXED_POINT

MOST_CIRCLES: Final = 400
"""Circles that a page can show as squares one can still tell apart."""
_STATES: Final = ("focus", "stress", "mood", "wandering")


def look(population: Metaverse, offers: int) -> dict[str, Any]:
    """The last minute of a population as plain values for JSON; `offers` is how many were made since it is watched.

    Shares and states are in the units of `simulation.core.person`; None where nobody is.
    """
    people = population.people
    inside = people["world"] > 0
    minute = datetime.fromtimestamp((population.tick - 1) * TICK_US / 1e6, UTC)
    return {
        "tick": population.tick - 1,
        "time": minute.isoformat(timespec="minutes"),
        "people": len(people),
        "inside": int(inside.sum()),
        "wandering": _mean(people["wandering"], inside),
        "practising": int((people["practice"] > 0).sum()),
        "practice_minutes": int(people["practice_minutes"].sum()),
        "offers": offers,
        "worlds": [_world(population, world) for world in World if world is not World.NONE],
        "circles": _circles(population),
    }


def _world(population: Metaverse, world: World) -> dict[str, Any]:
    here = population.people["world"] == world
    means = {state: _mean(population.people[state], here) for state in _STATES}
    return {"name": world.label, "people": int(here.sum()), **means}


def _mean(values: NDArray[Any], where: NDArray[np.bool_]) -> float | None:
    return round(float(values[where].mean()), 4) if where.any() else None


def _circles(population: Metaverse) -> dict[str, Any]:
    """Mean stress of the first circles (None where nobody is in a session), and how much circles explain of it."""
    count, _, stress = population.common.circles.T
    means = np.divide(stress, FIXED_POINT * count, out=np.full(len(count), np.nan), where=count > 0)
    shown = [None if np.isnan(mean) else round(float(mean), 3) for mean in means[:MOST_CIRCLES]]
    return {"total": len(count), "stress": shown, "explained": explained_by_circles(population)}


def explained_by_circles(population: Metaverse) -> float | None:
    """Intraclass correlation of stress within circles, of people in a session; None where no two of a circle are.

    One-way analysis of variance: (between - within) / (between + (n0 - 1) within), mean squares, n0 the effective
    size of a group (Shrout & Fleiss 1979, ICC(1,1); Donner 1986 for unequal groups). 0: circles do not matter.
    """
    people = population.people
    inside = people["world"] > 0
    _, group = np.unique(people["circle"][inside], return_inverse=True)
    stress = people["stress"][inside].astype(np.float64)
    size = np.bincount(group).astype(np.float64)
    groups, total = len(size), float(size.sum())
    if groups < 2 or total <= groups:
        return None
    mean = np.bincount(group, stress) / size
    between = float((size * (mean - stress.mean()) ** 2).sum()) / (groups - 1)
    within = float(((stress - mean[group]) ** 2).sum()) / (total - groups)
    effective = (total - float((size**2).sum()) / total) / (groups - 1)
    spread = between + (effective - 1) * within
    return round((between - within) / spread, 4) if spread > 0 else None
