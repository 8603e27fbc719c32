"""A checkpoint explained on a run's lake: what `calmverse explain` works out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from infra.contracts.errors import BadInput
from models.attention import catalog as attention_catalog
from models.attention import checkpoint
from models.attention.checkpoint import Checkpoint
from models.evaluation.explanation.catalog import CONTROLS, RANDOM, RECENCY, method, methods
from models.evaluation.explanation.curves import (
    SHARES,
    Areas,
    Curve,
    compared,
    curve,
    direction_of,
    mean_curve,
    means,
    order_of,
)
from models.evaluation.explanation.example import example
from models.evaluation.explanation.subgroups import by_world
from models.evaluation.explanation.subject import ENOUGH, Doubles, Indices, Subject, choose, places, subject
from models.evaluation.resampling import Resampling
from models.evaluation.stored import binary_heads, predictor, prepare_for, training_of
from models.training.dataset import Dataset, Prepared
from models.training.settings import TrainingConfig
from models.training.split import Role
from models.training.train import threads_restored

RANDOM_ORDERS = 5
"""Random orders a score: the control is their mean, so that its chance does not hide what a method is worth."""


@dataclass(frozen=True, kw_only=True)
class ExplanationRequest:
    """Which checkpoint, on which run. run: the folder that gets the results. head: of two classes. scores: how many
    are explained. seed: which of them, and of the methods and intervals; the checkpoint's own when None. progress:
    called with how many scores are done and how many there are.
    """

    model: Path
    run: Path
    lake: Path
    head: str = "lapse"
    scores: int = 200
    seed: int | None = None
    say: Callable[[str], None] = lambda _: None
    progress: Callable[[int, int], None] = lambda _done, _all: None


@dataclass
class Explained:
    """What one method said: importances and the curves of each score, gaps where it has any, and seconds."""

    importances: list[Doubles]
    curves: list[Curve]
    gaps: list[float]
    seconds: float = 0.0

    @classmethod
    def nothing(cls) -> "Explained":
        """Before the first score."""
        return cls([], [], [])


def explain(request: ExplanationRequest) -> dict[str, Any]:
    """The document of `explanation.json`.

    Raises BadInput: no checkpoint or one of other features, no lake, a head that the model or the lake does not have,
    or no score with enough of a past.
    """
    stored = checkpoint.load(request.model)
    training = training_of(stored)
    column = _column(stored, request.head)
    prepared = prepare_for(stored, training, request.lake)
    dataset, seed = prepared.dataset, training.seed if request.seed is None else request.seed
    rows = _rows(request, stored, prepared, seed)
    with threads_restored():
        torch.set_num_threads(training.threads)
        request.say(f"model {stored.version}: {len(rows)} scores of '{request.head}', of people it has not seen")
        context = stored.model.config.context
        subjects = [subject(stored.model, column, dataset, int(row), context) for row in rows]
        found = explained(subjects, seed, request.progress)
        worlds = _worlds(stored, prepared, training, seed)
    return _document(request, stored, seed) | {
        "scores": len(rows),
        "people": len(np.unique(dataset.person[rows])),
        "past_tokens": {"least": min(each.past for each in subjects), "most": max(each.past for each in subjects)},
        **_judged(found, dataset, rows, seed),
        "worlds": worlds,
        "example": example(subjects, {name: each.importances for name, each in found.items() if name not in CONTROLS}),
        "notes": list(prepared.notes),
    }


def explained(
    subjects: list[Subject], seed: int, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> dict[str, Explained]:
    """Every method of the catalog, the controls included, on every score."""
    found = {name: Explained.nothing() for name in methods()}
    for index, each in enumerate(subjects):
        direction = direction_of(each)
        for place, (name, so_far) in enumerate(found.items()):
            random = np.random.default_rng([seed, index, place])
            _add(so_far, name, each, direction, random)
        progress(index + 1, len(subjects))
    return found


def _add(so_far: Explained, name: str, each: Subject, direction: float, random: np.random.Generator) -> None:
    chosen = method(name)
    started = time.perf_counter()
    importance = chosen.importance(each, random)
    so_far.seconds += time.perf_counter() - started
    so_far.importances.append(importance)
    if chosen.gap is not None:
        so_far.gaps.append(chosen.gap(each, importance))
    if name == RANDOM:
        orders = [random.permutation(each.past) for _ in range(RANDOM_ORDERS)]
    else:
        orders = [order_of(importance, direction if chosen.signed else 1.0, random)]
    so_far.curves.append(mean_curve([curve(each, order) for order in orders]))


def _column(stored: Checkpoint, head: str) -> int:
    """The logit of the head."""
    outputs = stored.model.config.outputs
    if head not in outputs or not attention_catalog.head(head).binary:
        raise BadInput(
            f"--head {head}: the model in {stored.directory} has no such head of two classes; "
            f"it has {', '.join(binary_heads(stored))}"
        )
    return int(attention_catalog.columns(outputs)[head].start)


def _rows(request: ExplanationRequest, stored: Checkpoint, prepared: Prepared, seed: int) -> Indices:
    dataset = prepared.dataset
    if request.head not in dataset.heads:
        raise BadInput(f"the lake {request.lake} has no labels of '{request.head}': explain another head")
    enough = min(ENOUGH, stored.model.config.context - 1)
    known = dataset.known[:, dataset.heads.index(request.head)] & (dataset.role == Role.TEST)
    allowed = known & (places(dataset.person) >= enough)
    if not allowed.any():
        raise BadInput(
            f"no score of '{request.head}' of people that the model has not seen has {enough} events before it: "
            "take a longer run, or one of more people"
        )
    return choose(dataset.person, prepared.source.events["event_id"], allowed, request.scores, seed)


def _worlds(stored: Checkpoint, prepared: Prepared, training: TrainingConfig, seed: int) -> dict[str, Any]:
    dataset = prepared.dataset
    rows = np.flatnonzero(dataset.scored(Role.TEST))
    return by_world(dataset, rows, predictor(stored, prepared, training).predict(dataset, rows), seed)


def _judged(found: dict[str, Explained], dataset: Dataset, rows: Indices, seed: int) -> dict[str, Any]:
    """Figures of each method, and of the controls."""
    areas = {name: Areas.of(each.curves) for name, each in found.items()}
    person = dataset.person[rows]
    controls = {name: areas.pop(name) for name in CONTROLS}
    judged = compared(areas, controls[RANDOM], controls[RECENCY], person, seed)
    drawn = Resampling(person, seed)
    known = {name: means(each, drawn) for name, each in controls.items()}
    return {
        "methods": {name: figures | _told(found[name]) for name, figures in judged.items()},
        "controls": {name: figures | _told(found[name]) for name, figures in known.items()},
        "random_orders": RANDOM_ORDERS,
    }


def _told(each: Explained) -> dict[str, Any]:
    middle = mean_curve(each.curves)
    return {
        "curve": {
            "share": SHARES.tolist(),
            "deletion": middle.deletion.tolist(),
            "insertion": middle.insertion.tolist(),
        },
        "largest_gap": float(np.abs(each.gaps).max()) if each.gaps else None,
        "seconds": each.seconds,
    }


def _document(request: ExplanationRequest, stored: Checkpoint, seed: int) -> dict[str, Any]:
    """What the model is, out of its checkpoint, and what was asked."""
    info, data = stored.info, stored.info.get("data", {})
    return {
        "model": {
            "version": stored.version,
            "checkpoint": str(request.model),
            "config": stored.model.config.as_dict(),
            "parameters": sum(each.numel() for each in stored.model.parameters()),
            "features_version": info["features_version"],
            "data": {"digest": data.get("digest"), "events": data.get("events")},
            "training": info["training"],
            "metrics": info.get("metrics", {}),
        },
        "run": str(request.run),
        "head": request.head,
        "seed": seed,
    }
