"""What the page shows of a population at one moment: a handful of numbers, whatever the number of people."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from infra.contracts.time import TICK_US, isoformat
from infra.contracts.worlds import World
from simulation.core.model import Metaverse
from simulation.trials.offering import Mask

_STATES = ("focus", "stress", "mood")


def snapshot(model: Metaverse, treated: Mask) -> dict[str, Any]:
    """Worlds (people there, mean states, share of wandering minds), both halves of the circles, practices so far.

    `contagion` is the correlation between one's stress and the mean stress of the others of the circle, over those in a
    session with others; None where there are too few. Costs a few columns of the array.
    """
    people, where = model.people, model.whereabouts.where
    inside = np.flatnonzero(where > 0)
    return {
        "tick": model.tick,
        "time": isoformat(model.tick * TICK_US)[:16].replace("T", " "),
        "people": len(people),
        "worlds": {
            world.label: _means(model, np.flatnonzero(where == world)) for world in World if world is not World.NONE
        },
        "halves": {
            "offered": _means(model, inside[treated[inside]]),
            "not_offered": _means(model, inside[~treated[inside]]),
        },
        "contagion": contagion(people["circle"][inside], people["stress"][inside]),
        "interventions": {
            "offers": int(people["offers"].sum()),
            "practising": int(np.count_nonzero(people["practice"])),
            "practice_minutes": int(people["practice_minutes"].sum()),
        },
    }


def contagion(circle: NDArray[np.integer], stress: NDArray[np.float64]) -> float | None:
    """Correlation of each one's stress with the mean of the others of the same circle; shapes (N,)."""
    size = np.bincount(circle) if len(circle) else np.zeros(1, np.int64)
    with_others = size[circle] > 1
    if np.count_nonzero(with_others) < 3:
        return None
    total = np.bincount(circle, stress)
    others = (total[circle] - stress)[with_others] / (size[circle][with_others] - 1)
    own = stress[with_others]
    spread = float(own.std() * others.std())
    return None if spread == 0.0 else float(((own - own.mean()) * (others - others.mean())).mean() / spread)


def _means(model: Metaverse, places: NDArray[np.integer]) -> dict[str, float | int | None]:
    here = model.people[places] if len(places) else None
    means = {name: None if here is None else round(float(here[name].mean()), 4) for name in (*_STATES, "wandering")}
    return {"people": len(places)} | means
