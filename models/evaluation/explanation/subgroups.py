"""A model by the world that its events come from: whether it serves some people's moments worse than others'."""

from typing import Any

import numpy as np

from models.evaluation import metrics
from models.evaluation.explanation.subject import Doubles, Flags, Indices
from models.evaluation.figures import verdict
from models.evaluation.resampling import Resampling
from models.features.worlds import WORLD_COLUMNS
from models.training.dataset import Dataset


def world_of(dataset: Dataset, rows: Indices) -> dict[str, Flags]:
    """(r,) which rows belong to each world that has any, `none` for those from outside every world."""
    found = {name: dataset.tokens.features[rows, column] > 0 for name, column in WORLD_COLUMNS.items()}
    found["none"] = ~np.any(list(found.values()), axis=0)
    return {name: own for name, own in found.items() if own.any()}


def by_world(dataset: Dataset, rows: Indices, probability: Doubles, seed: int) -> dict[str, dict[str, dict[str, Any]]]:
    """{head: {world: figures}} of rows (r,) and the model's probabilities (r, H); intervals resample people.

    `base_difference` is the log loss of the base rate of training less the model's, `verdict` what it says.
    """
    worlds, rates = world_of(dataset, rows), dataset.base_rates()
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for index, head in enumerate(dataset.heads):
        known = dataset.known[rows, index]
        found[head] = {}
        for world, own in worlds.items():
            here = np.flatnonzero(known & own)
            if not len(here):
                continue
            label, said = dataset.value[rows[here], index], probability[here, index]
            drawn = Resampling(dataset.person[rows[here]], seed)
            losses = metrics.log_losses(label, said)
            difference = drawn.mean(metrics.log_losses(label, np.full(len(label), rates[index])) - losses)
            found[head][world] = {
                "rows": len(here),
                "people": drawn.people,
                "rate": float(label.mean(dtype=np.float64)),
                "log_loss": drawn.mean(losses).as_dict(),
                "ece": drawn.ece(label, said).as_dict(),
                "base_difference": difference.as_dict(),
                "verdict": verdict(difference),
            }
    return found
