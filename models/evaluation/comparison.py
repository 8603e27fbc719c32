"""A checkpoint on a run's lake beside its baselines and both oracles: what `calmverse evaluate` works out."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from infra.contracts.errors import BadInput
from models.attention import checkpoint
from models.attention.checkpoint import Checkpoint
from models.evaluation.catalog import BaselineSettings, Doubles, baseline
from models.evaluation.evaluate import true_of_rows
from models.evaluation.figures import HeadRows, figures
from models.evaluation.oracle import Observable, observable
from models.evaluation.stored import predictor, prepare_for, training_of
from models.training.dataset import Prepared
from models.training.split import Role
from models.training.train import threads_restored

People = Literal["unseen", "all"]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest:
    """Which checkpoint, on which run. run: the folder that holds the oracle's results and gets ours.

    truth: the root of the truth stream, None where nothing is known. people: `unseen` by the checkpoint's own split, or
    `all`, which only a run of other people than it was trained on allows. baselines: names of the catalog. seed: of the
    bootstrap and the baselines; the checkpoint's own when None.
    """

    model: Path
    run: Path
    lake: Path
    truth: Path | None = None
    people: People = "unseen"
    baselines: tuple[str, ...] = ()
    seed: int | None = None
    say: Callable[[str], None] = lambda _: None


def compare(request: EvaluationRequest) -> dict[str, Any]:
    """The document of `evaluation.json`: {"heads": {name: figures}, "notes", …}.

    Raises BadInput: no checkpoint or one of other features, no lake, labels of one class, an unknown baseline, or all
    people asked for where the model has seen some.
    """
    chosen = {name: baseline(name) for name in request.baselines}
    stored = checkpoint.load(request.model)
    training = training_of(stored)
    seed = training.seed if request.seed is None else request.seed
    prepared = prepare_for(stored, training, request.lake)
    tested = _tested(request, stored, prepared)
    rows = np.flatnonzero(tested & prepared.dataset.known.any(axis=1))
    settings = BaselineSettings(model=stored.model.config, training=replace(training, seed=seed))
    with threads_restored():
        torch.set_num_threads(training.threads)
        request.say(f"model {stored.version} on {len(rows):,} rows of {request.people} people")
        predictions = {"": predictor(stored, prepared, training).predict(prepared.dataset, rows)}
        for name, each in chosen.items():
            started = time.perf_counter()
            predictions[name] = each.fit(prepared.dataset, settings).predict(prepared.dataset, rows)
            request.say(f"{each.title}: fitted on this run's training people in {time.perf_counter() - started:.1f} s")
    oracle = observable(prepared, request.run)
    heads = _heads(request, prepared, rows, predictions, oracle, seed)
    return _document(request, stored, prepared, heads, oracle, seed)


def _tested(request: EvaluationRequest, stored: Checkpoint, prepared: Prepared) -> Flags:
    """(n,) which events are looked at."""
    dataset = prepared.dataset
    if request.people == "unseen":
        unseen: Flags = dataset.role == Role.TEST
        return unseen
    known = stored.info.get("data", {}).get("people")
    if known is None:
        raise BadInput(f"the checkpoint in {stored.directory} does not say whom it was trained on: --people unseen")
    if set(known) & set(dataset.people_sketch()):
        raise BadInput(
            f"the model in {stored.directory} was trained on people of {request.lake}: leave out --people all, or "
            "take a run of another seed"
        )
    return np.ones(len(dataset), dtype=np.bool_)


def _heads(
    request: EvaluationRequest,
    prepared: Prepared,
    rows: npt.NDArray[np.int64],
    predictions: dict[str, Doubles],
    oracle: Observable,
    seed: int,
) -> dict[str, Any]:
    dataset = prepared.dataset
    latent, rates = true_of_rows(prepared, request.truth), dataset.base_rates()
    found = {}
    for index, head in enumerate(dataset.heads):
        own = dataset.known[rows, index]
        of_head = rows[own]
        found[head] = figures(
            HeadRows(
                label=dataset.value[of_head, index],
                person=dataset.person[of_head],
                unseen=dataset.role[of_head] == Role.TEST,
                model=predictions[""][own, index],
                base=np.full(len(of_head), rates[index]),
                observable=oracle.probability[of_head, index],
                latent=latent[of_head, index],
                baselines={name: values[own, index] for name, values in predictions.items() if name},
            ),
            seed,
        )
    return found


def _document(
    request: EvaluationRequest,
    stored: Checkpoint,
    prepared: Prepared,
    heads: dict[str, Any],
    oracle: Observable,
    seed: int,
) -> dict[str, Any]:
    data = stored.info.get("data", {})
    same = data.get("events") == len(prepared.dataset) and data.get("people") == prepared.dataset.people_sketch()
    return {
        "model": {"version": stored.version, "checkpoint": str(request.model), "trained_on_this_lake": same},
        "run": str(request.run),
        "people": request.people,
        "seed": seed,
        "horizon_min": stored.info["training"]["horizon_min"],
        "baselines_fitted_on": "the training people of this run, by the model's own split",
        "heads": heads,
        "notes": [*prepared.notes, *_notes(request, heads, oracle)],
    }


def _notes(request: EvaluationRequest, heads: dict[str, Any], oracle: Observable) -> list[str]:
    """What a reader has to know of figures that are missing."""
    found: dict[str, list[str]] = {}
    for head, each in heads.items():
        if not each["rows"]:
            found.setdefault("no row of these people has a label", []).append(head)
        elif each["oracle_fraction"] is None:
            nobody = "none of these people is among those that the oracle looked at: calmverse oracle --unseen-by MODEL"
            found.setdefault(oracle.notes.get(head, nobody), []).append(head)
        if each["rows"] and each["latent_fraction"] is None:
            where = request.truth or request.run / "truth"
            found.setdefault(f"no true probabilities in {where}: latent_fraction is unknown", []).append(head)
    return [f"{', '.join(named)}: {note}" for note, named in found.items()]
