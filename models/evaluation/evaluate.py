"""A model on unseen people: metrics, baselines, the latent oracle, and what the differences are worth."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.attention import catalog
from models.attention.model import AttentionModel
from models.evaluation import metrics
from models.evaluation.bootstrap import Interval, mean_by_person
from models.evaluation.logistic import fit_logistic
from models.training.batches import cut
from models.training.dataset import Prepared
from models.training.labels import true_probabilities
from models.training.lake import TRUTH_COLUMNS, read_directly, read_stream
from models.training.loop import predict
from models.training.settings import TrainingConfig
from models.training.split import Role

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """r test rows of one head: labels, whose they are, and four predictions. `oracle` is NaN where truth is unknown."""

    label: npt.NDArray[np.float32]
    person: npt.NDArray[np.uint64]
    model: Floats
    base: Floats
    logistic: Floats
    oracle: Floats


def evaluate(
    model: AttentionModel, prepared: Prepared, truth: Path | None, training: TrainingConfig
) -> dict[str, dict[str, Any]]:
    """Metrics of each head of two classes on the test people of `prepared`; one without test labels gets {"rows": 0}.

    truth: the root of the truth stream, opened here and nowhere else; without it oracle figures are None.
    """
    dataset = prepared.dataset
    tested = dataset.scored(Role.TEST)
    pieces = cut(dataset.person, tested, model.config.context, training.sequence_tokens)
    probability = _sigmoid(predict(model, dataset, pieces, training.batch_tokens))
    oracle = true_of_rows(prepared, truth)
    rates = dataset.base_rates()
    heads: dict[str, dict[str, Any]] = {}
    for index, name in enumerate(dataset.heads):
        if not catalog.head(name).binary:
            continue  # see `models.evaluation.classes`
        rows = np.flatnonzero(tested & dataset.known[:, index])
        if not len(rows):
            heads[name] = {"rows": 0, "people": 0}
            continue
        logistic = fit_logistic(dataset, index, model.config.window, training.seed)
        compared = Compared(
            label=dataset.value[rows, index],
            person=dataset.person[rows],
            model=probability[rows, index],
            base=np.full(len(rows), rates[index]),
            logistic=logistic.predict(dataset, rows),
            oracle=oracle[rows, index],
        )
        heads[name] = summarise(compared, training.seed)
    return heads


def summarise(compared: Compared, seed: int) -> dict[str, Any]:
    """The figures of one head. Differences are log losses of the other less ours: above 0, the model is better."""
    losses = {
        name: metrics.log_losses(compared.label, getattr(compared, name)) for name in ("model", "base", "logistic")
    }
    to_logistic = _difference(losses["logistic"] - losses["model"], compared.person, seed)
    to_base = _difference(losses["base"] - losses["model"], compared.person, seed)
    return {
        "rows": len(compared.label),
        "people": len(np.unique(compared.person)),
        "rate": float(compared.label.mean()),
        "auc": _or_none(metrics.auc(compared.label, compared.model)),
        "logistic_auc": _or_none(metrics.auc(compared.label, compared.logistic)),
        "ece": metrics.ece(compared.label, compared.model),
        "calibration": metrics.calibration(compared.label, compared.model),
        "log_loss": float(losses["model"].mean()),
        "base_log_loss": float(losses["base"].mean()),
        "logistic_log_loss": float(losses["logistic"].mean()),
        "difference_to_logistic": to_logistic.as_dict(),
        "beats_logistic": to_logistic.ci_low > 0,
        "difference_to_base": to_base.as_dict(),
        "beats_base": to_base.ci_low > 0,
        **_against_oracle(compared, losses),
    }


def _against_oracle(compared: Compared, losses: dict[str, Floats]) -> dict[str, Any]:
    """Log loss of the true probabilities and the share of (base - oracle) that model and logistic close.

    All on the rows whose truth is known; the share of such rows stands beside.
    """
    known = ~np.isnan(compared.oracle)
    if not known.any():
        return {"latent_oracle_log_loss": None, "gap_closed": None, "logistic_gap_closed": None, "truth_share": 0.0}
    oracle = float(metrics.log_losses(compared.label[known], compared.oracle[known]).mean())
    base = float(losses["base"][known].mean())
    closed = {name: (base - float(losses[name][known].mean())) / (base - oracle) for name in ("model", "logistic")}
    return {
        "latent_oracle_log_loss": oracle,
        "latent_oracle_auc": _or_none(metrics.auc(compared.label[known], compared.oracle[known])),
        "gap_closed": closed["model"],
        "logistic_gap_closed": closed["logistic"],
        "truth_share": float(known.mean()),
    }


def _difference(difference: Floats, person: npt.NDArray[np.uint64], seed: int) -> Interval:
    return mean_by_person(difference, person, seed)


def true_of_rows(prepared: Prepared, truth: Path | None) -> Floats:
    """(n, H) true probabilities of every event and head, NaN where unknown. `truth`: the root of the truth stream."""
    table = None if truth is None else read_stream(truth, "truth", TRUTH_COLUMNS, None, read_directly)
    if table is None:
        return np.full(prepared.dataset.value.shape, np.nan)
    return true_probabilities(prepared.source, table, prepared.dataset.heads)


def _sigmoid(logits: npt.NDArray[np.float32]) -> Floats:
    probability: Floats = 1 / (1 + np.exp(-logits.astype(np.float64)))
    return probability


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
