"""The figures of one head: the model, its baselines and both oracles on the same rows, each figure with its interval.

Differences are log losses of the other less the model's: above 0, the model is better. A fraction is
(base - model) / (base - oracle) in log loss, on exactly the rows that the oracle has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.evaluation import metrics
from models.evaluation.resampling import Figure, Resampling, figure

Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class HeadRows:
    """r rows of one head: labels, whose they are, and predictions (r,).

    base: the base rate of training. observable, latent: the oracles, NaN where there is none. unseen: rows of people
    that baselines were not fitted on; `baselines` are judged on these alone.
    """

    label: npt.NDArray[np.float32]
    person: npt.NDArray[np.uint64]
    unseen: Flags
    model: Doubles
    base: Doubles
    observable: Doubles
    latent: Doubles
    baselines: Mapping[str, Doubles]

    def where(self, rows: Flags) -> "HeadRows":
        """The rows of a mask (r,)."""
        return HeadRows(
            label=self.label[rows],
            person=self.person[rows],
            unseen=self.unseen[rows],
            model=self.model[rows],
            base=self.base[rows],
            observable=self.observable[rows],
            latent=self.latent[rows],
            baselines={name: values[rows] for name, values in self.baselines.items()},
        )


def figures(rows: HeadRows, seed: int) -> dict[str, Any]:
    """Everything about one head, plain values for JSON; a head without rows gets {"rows": 0, "people": 0}."""
    if not len(rows.label):
        return {"rows": 0, "people": 0}
    drawn = Resampling(rows.person, seed)
    return {
        "rows": len(rows.label),
        "people": drawn.people,
        "rate": float(rows.label.mean(dtype=np.float64)),
        "log_loss": drawn.mean(metrics.log_losses(rows.label, rows.model)).as_dict(),
        "auc": drawn.auc(rows.label, rows.model).as_dict(),
        "ece": drawn.ece(rows.label, rows.model).as_dict(),
        "calibration": drawn.calibration(rows.label, rows.model),
        **_against(rows, "observable", "oracle", seed),
        **_against(rows, "latent", "latent", seed),
        "baselines": _baselines(rows.where(rows.unseen), seed),
    }


def _against(rows: HeadRows, oracle: str, name: str, seed: int) -> dict[str, Any]:
    """`<name>_fraction`, and under `name` the log losses it is made of, with how many rows and people they have."""
    known: Flags = ~np.isnan(getattr(rows, oracle))
    if not known.any():
        return {f"{name}_fraction": None, name: None}
    own = rows.where(known)
    drawn = Resampling(own.person, seed)
    best = metrics.log_losses(own.label, getattr(own, oracle))
    base, model = (metrics.log_losses(own.label, each) for each in (own.base, own.model))
    return {
        f"{name}_fraction": fraction(drawn, base, model, best).as_dict(),
        name: {
            "rows": len(own.label),
            "people": drawn.people,
            "log_loss": drawn.mean(best).as_dict(),
            "base_log_loss": drawn.mean(base).as_dict(),
            "model_log_loss": drawn.mean(model).as_dict(),
            "auc": drawn.auc(own.label, getattr(own, oracle)).as_dict(),
        },
    }


def fraction(drawn: Resampling, base: Doubles, model: Doubles, best: Doubles) -> Figure:
    """(base - model) / (base - best) of mean losses (r,) each; NaN where the oracle is no better than the base rate."""
    gap = float(base.mean() - best.mean())
    value = float(base.mean() - model.mean()) / gap if gap > 0 else float("nan")
    bases, gaps = drawn.means(base), drawn.means(base) - drawn.means(best)
    with np.errstate(invalid="ignore", divide="ignore"):
        resampled = np.where(gaps > 0, (bases - drawn.means(model)) / gaps, np.nan)
    return figure(value, resampled)


def _baselines(rows: HeadRows, seed: int) -> dict[str, Any]:
    """Each baseline by itself, and paired with the model; empty where nobody is unseen."""
    if not len(rows.label):
        return {}
    drawn = Resampling(rows.person, seed)
    model = metrics.log_losses(rows.label, rows.model)
    fractions = _fractions(rows.where(~np.isnan(rows.observable)), seed)
    found = {}
    for name, probability in rows.baselines.items():
        losses = metrics.log_losses(rows.label, probability)
        difference = drawn.mean(losses - model)
        found[name] = {
            "log_loss": drawn.mean(losses).as_dict(),
            "auc": drawn.auc(rows.label, probability).as_dict(),
            "difference": difference.as_dict(),
            "verdict": verdict(difference),
            "oracle_fraction": fractions.get(name),
            "rows": len(rows.label),
            "people": drawn.people,
        }
    return found


def _fractions(rows: HeadRows, seed: int) -> dict[str, dict[str, float | None]]:
    """`oracle_fraction` of each baseline on the oracle's rows; empty where there are none."""
    if not len(rows.label):
        return {}
    drawn = Resampling(rows.person, seed)
    base, best = (metrics.log_losses(rows.label, each) for each in (rows.base, rows.observable))
    return {
        name: fraction(drawn, base, metrics.log_losses(rows.label, probability), best).as_dict()
        for name, probability in rows.baselines.items()
    }


def verdict(difference: Figure) -> str:
    """`better`: the model is, by an interval above 0; `worse`: below 0; `open`: the interval holds 0."""
    if difference.ci_low > 0:
        return "better"
    return "worse" if difference.ci_high < 0 else "open"
