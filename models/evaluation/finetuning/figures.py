"""The figures of each way: parameters, time, gain inside the world, its share of full fine-tuning's, and forgetting."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.evaluation.finetuning.judge import ALL, INSIDE, OUTSIDE, Judge, Losses, Sampled
from models.evaluation.resampling import Doubles
from models.training.finetuning.catalog import FULL
from models.training.finetuning.fit import FineTuned
from models.training.finetuning.settings import Plan

LEAST_GAIN: Final = 0.97
"""Of full fine-tuning's gain, what a way with few parameters must reach."""
MOST_PARAMETERS: Final = 0.05
"""Of the parameters that full fine-tuning trains, what such a way may train."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One way gone from one seed, and how it does on the judge's rows. checkpoint: its folder."""

    way: str
    seed: int
    tuned: FineTuned
    checkpoint: Path
    version: str
    losses: Losses
    aucs: dict[str, Sampled]


@dataclass(frozen=True)
class _Way:
    """The fits of one way, summed up over seeds."""

    fits: list[Fit]
    losses: Losses
    aucs: dict[str, Sampled]


def document_of(judge: Judge, before: Doubles, fits: list[Fit], chosen: dict[str, Plan]) -> dict[str, Any]:
    """The part of the document that says how good base and ways are. before: (r, H) probabilities of the base."""
    base, base_aucs = judge.losses(before), judge.aucs(before)
    ways = {name: _summed([fit for fit in fits if fit.way == name], judge) for name in chosen}
    full = ways.get(FULL)
    return {
        "rows": judge.counts(),
        "base": _losses(base) | {"auc": _aucs(base_aucs)},
        "ways": {
            name: _about(way.fits, chosen[name], full)
            | _losses(way.losses)
            | {"auc": _aucs(way.aucs)}
            | _compared(way, base, full)
            | {"fits": [_fit(fit, base, full) for fit in way.fits]}
            for name, way in ways.items()
        },
    }


def _summed(fits: list[Fit], judge: Judge) -> _Way:
    losses = {place: judge.over_seeds([fit.losses[place] for fit in fits]) for place in fits[0].losses}
    aucs = {head: judge.over_seeds([fit.aucs[head] for fit in fits]) for head in fits[0].aucs}
    return _Way(fits, losses, aucs)


def _about(fits: list[Fit], plan: Plan, full: _Way | None) -> dict[str, Any]:
    count = fits[0].tuned.trainable
    return {
        "settings": asdict(plan.settings),
        "learning_rate": plan.training.learning_rate,
        "trainable": count,
        "share_of_parameters": None if full is None else count / full.fits[0].tuned.trainable,
        "seconds": float(np.mean([fit.tuned.seconds for fit in fits])),
        "epochs": float(np.mean([len(fit.tuned.history) for fit in fits])),
        "validation_loss": float(np.mean([fit.tuned.validation_loss for fit in fits])),
    }


def _losses(losses: Losses) -> dict[str, Any]:
    """Log losses by place and head."""
    found: dict[str, dict[str, Any]] = {INSIDE: {}, OUTSIDE: {}}
    for (part, head), one in losses.items():
        found[part][head] = one.figure().as_dict()
    return {"log_loss": found}


def _aucs(aucs: dict[str, Sampled]) -> dict[str, Any]:
    return {head: one.figure().as_dict() for head, one in aucs.items()}


def _compared(way: _Way, base: Losses, full: _Way | None) -> dict[str, Any]:
    """Gain: log loss of the base less that of the way, inside. Forgotten: that of the way less the base's, outside."""
    gain = {head: base[part, head] - way.losses[part, head] for part, head in base if part == INSIDE}
    forgotten = {head: way.losses[part, head] - base[part, head] for part, head in base if part == OUTSIDE}
    share = None if full is None else gain[ALL].of(base[INSIDE, ALL] - full.losses[INSIDE, ALL]).figure()
    return {
        "gain": {head: one.figure().as_dict() for head, one in gain.items()},
        "share_of_gain": None if share is None else share.as_dict(),
        "forgotten": {head: one.figure().as_dict() for head, one in forgotten.items()},
        "reaches": _reaches(way, None if share is None else share.value, full),
    }


def _reaches(way: _Way, share: float | None, full: _Way | None) -> bool | None:
    """Whether it has nearly the gain of full fine-tuning with few of its parameters; None where nobody can tell."""
    if full is None or way is full or share is None or not np.isfinite(share):
        return None
    few = way.fits[0].tuned.trainable <= MOST_PARAMETERS * full.fits[0].tuned.trainable
    return bool(share >= LEAST_GAIN and few)


def _fit(fit: Fit, base: Losses, full: _Way | None) -> dict[str, Any]:
    """One seed, beside the same seed of full fine-tuning."""
    gain = base[INSIDE, ALL].value - fit.losses[INSIDE, ALL].value
    same = next((each for each in full.fits if each.seed == fit.seed), None) if full else None
    whole = None if same is None else base[INSIDE, ALL].value - same.losses[INSIDE, ALL].value
    forgotten = (OUTSIDE, ALL) in base
    return {
        "seed": fit.seed,
        "version": fit.version,
        "checkpoint": str(fit.checkpoint),
        "seconds": fit.tuned.seconds,
        "epochs": len(fit.tuned.history),
        "validation_loss": fit.tuned.validation_loss,
        "gain": gain,
        "share_of_gain": gain / whole if whole is not None and whole > 0 else None,
        "forgotten": fit.losses[OUTSIDE, ALL].value - base[OUTSIDE, ALL].value if forgotten else None,
    }
