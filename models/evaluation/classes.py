"""Heads of several classes on unseen people: against the frequencies of the classes in training."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from models.attention import catalog
from models.attention.model import AttentionModel
from models.evaluation import metrics
from models.evaluation.bootstrap import mean_by_person
from models.training.batches import cut
from models.training.dataset import Dataset
from models.training.loop import predict_columns
from models.training.losses import class_log_losses, class_probabilities
from models.training.settings import TrainingConfig
from models.training.split import Role

Doubles = npt.NDArray[np.float64]


def evaluate_classes(model: AttentionModel, dataset: Dataset, training: TrainingConfig) -> dict[str, dict[str, Any]]:
    """Figures of each head of more than two classes on the test people; one without test labels gets {"rows": 0}."""
    names = [name for name in dataset.heads if not catalog.head(name).binary]
    if not names:
        return {}
    tested = dataset.scored(Role.TEST)
    pieces = cut(dataset.person, tested, model.config.context, training.sequence_tokens)
    logits = predict_columns(model, dataset, pieces, training.batch_tokens)
    columns = catalog.columns(dataset.heads)
    figures: dict[str, dict[str, Any]] = {}
    for name in names:
        index = dataset.heads.index(name)
        rows = np.flatnonzero(tested & dataset.known[:, index])
        figures[name] = {"rows": 0, "people": 0}
        if len(rows):
            probability = class_probabilities(logits[rows, columns[name]])
            label, base = dataset.value[rows, index], dataset.class_rates(index)
            figures[name] = summarise_classes(label, dataset.person[rows], probability, base, training.seed) | {
                "classes": list(catalog.head(name).classes)
            }
    return figures


def summarise_classes(
    label: npt.NDArray[np.float32], person: npt.NDArray[np.uint64], probability: Doubles, base: Doubles, seed: int
) -> dict[str, Any]:
    """The figures of one head: label (n,) class indices, probability (n, classes), base (classes,) from training.

    `auc` is the mean over classes of one against the rest, by how often each occurs. What is known of heads of two
    classes only (a logistic regression, the true probabilities) is None.
    """
    losses = class_log_losses(label, probability)
    base_losses = class_log_losses(label, np.broadcast_to(base, probability.shape))
    to_base = mean_by_person(base_losses - losses, person, seed)
    return {
        "rows": len(label),
        "people": len(np.unique(person)),
        "rates": (np.bincount(label.astype(np.int64), minlength=len(base)) / len(label)).tolist(),
        "log_loss": float(losses.mean()),
        "base_log_loss": float(base_losses.mean()),
        "accuracy": float((probability.argmax(axis=1) == label).mean()),
        "base_accuracy": float((label == base.argmax()).mean()),
        "auc": _auc(label, probability),
        "difference_to_base": to_base.as_dict(),
        "beats_base": to_base.ci_low > 0,
        "logistic_log_loss": None,
        "latent_oracle_log_loss": None,
        "gap_closed": None,
    }


def _auc(label: npt.NDArray[np.float32], probability: Doubles) -> float | None:
    total = 0.0
    for index in np.unique(label).astype(np.int64):
        one = (label == index).astype(np.float32)
        total += float(one.mean()) * metrics.auc(one, probability[:, index])
    return None if math.isnan(total) else total
