"""What is kept of one training of an ablation: its losses on unseen people, person by person, and what it took.

Shape legend: P test people, H heads, r rows of one head.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.contracts.errors import BadInput, EnvironmentFailed
from models.attention import catalog
from models.attention.model import AttentionModel
from models.evaluation import metrics
from models.training.batches import cut
from models.training.dataset import Dataset
from models.training.loop import predict_columns
from models.training.losses import class_log_losses, class_probabilities
from models.training.settings import TrainingConfig
from models.training.split import Role

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """rows (P, H): labels of each test person; loss, base (P, H): sums of log losses (nats) of the model, and of the
    base rate of its training labels. about: plain values, such as the seconds that fitting took.
    """

    people: npt.NDArray[np.uint64]
    heads: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    loss: Doubles
    base: Doubles
    about: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write it at once: a reader sees all of it or nothing. Raises EnvironmentFailed."""
        scratch = path.with_suffix(".tmp")
        arrays = {"people": self.people, "rows": self.rows, "loss": self.loss, "base": self.base}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with scratch.open("wb") as file:
                about = json.dumps({"heads": self.heads, **self.about})
                np.savez(file, allow_pickle=False, about=np.array(about), **arrays)
            os.replace(scratch, path)  # noqa: PTH105  the same as Path.replace, which hides that it is one step
        except OSError as problem:
            raise EnvironmentFailed(
                f"cannot keep the training in {path}: {problem}; free space, and run again"
            ) from problem

    @classmethod
    def load(cls, path: Path) -> "Judged":
        """What `save` wrote. Raises BadInput where it is damaged."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                about = json.loads(str(stored["about"]))
                arrays = {name: stored[name] for name in ("people", "rows", "loss", "base")}
            return cls(heads=tuple(about.pop("heads")), about=about, **arrays)
        except Exception as problem:  # a damaged archive raises whatever its reader does
            raise BadInput(
                f"the kept training {path} cannot be read ({problem}): remove it, and run again"
            ) from problem


def judge(model: AttentionModel, dataset: Dataset, training: TrainingConfig, about: dict[str, Any]) -> Judged:
    """The losses of `model` on the test people of `dataset`."""
    tested = dataset.scored(Role.TEST)
    pieces = cut(dataset.person, tested, model.config.context, training.sequence_tokens)
    logits = predict_columns(model, dataset, pieces, training.batch_tokens)
    people = np.unique(dataset.person[dataset.role == Role.TEST])
    rows = np.zeros((len(people), len(dataset.heads)), dtype=np.int64)
    loss, base = np.zeros(rows.shape), np.zeros(rows.shape)
    for index in range(len(dataset.heads)):
        own = np.flatnonzero(tested & dataset.known[:, index])
        whose = np.searchsorted(people, dataset.person[own])
        for target, losses in zip((loss, base), _losses(dataset, index, own, logits), strict=True):
            target[:, index] = np.bincount(whose, losses, len(people))
        rows[:, index] = np.bincount(whose, minlength=len(people))
    return Judged(people=people, heads=dataset.heads, rows=rows, loss=loss, base=base, about=about)


def _losses(
    dataset: Dataset, head: int, rows: npt.NDArray[np.int64], logits: npt.NDArray[np.float32]
) -> tuple[Doubles, Doubles]:
    """(r,) log losses of the model and of the base rate at `rows`; logits (n, C)."""
    name, label = dataset.heads[head], dataset.value[rows, head]
    own = logits[rows, catalog.columns(dataset.heads)[name]]
    if catalog.head(name).binary:
        probability = 1 / (1 + np.exp(-own[:, 0].astype(np.float64)))
        rate = np.full(len(rows), dataset.base_rates()[head])
        return metrics.log_losses(label, probability), metrics.log_losses(label, rate)
    rates = np.broadcast_to(dataset.class_rates(head), own.shape)
    return class_log_losses(label, class_probabilities(own)), class_log_losses(label, rates)
