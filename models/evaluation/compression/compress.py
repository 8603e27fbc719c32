"""A checkpoint compressed in several ways, and exported: what `calmverse compress` works out."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from models.attention import checkpoint
from models.attention.checkpoint import Checkpoint
from models.attention.model import AttentionModel
from models.attention.outputs import Outputs
from models.attention.windowed import BLOCK
from models.evaluation.compression import speed
from models.evaluation.compression.export import LEAST_PEOPLE, LEAST_TOKENS, Exported, export
from models.evaluation.compression.figures import BASE, EXPORT, Made, Measured, document_of, sizes
from models.evaluation.finetuning.judge import INSIDE, Indices, Judge
from models.evaluation.resampling import Doubles
from models.evaluation.sequences import SequencePredictor
from models.evaluation.stored import prepare_for, training_of
from models.training.batches import cut, gather, plan
from models.training.compression import store
from models.training.compression.catalog import Material, way
from models.training.compression.material import learnable
from models.training.compression.settings import plans
from models.training.dataset import Dataset
from models.training.finetuning.settings import Plan
from models.training.settings import Progress, TrainingConfig
from models.training.split import Role
from models.training.train import threads_restored

EXPORTED: Final = "model.pt2"
NO_WORSE: Final = 0.001
"""Nats of log loss, mean over heads, that a compressed model may lose and still count as no worse."""


@dataclass(frozen=True, kw_only=True)
class CompressRequest:
    """Which checkpoint, on which lake, in which ways.

    out: the folder that gets the results, the exported program, and a folder a way. people: share of training and
    validation people whose labels the ways that train may use. margin: see `NO_WORSE`. rounds: of the measurement of
    speed. settings: of the ways and of the loop. progress: called with how many ways are gone and how many there are.
    """

    model: Path
    lake: Path
    out: Path
    ways: tuple[str, ...]
    people: float = 1.0
    margin: float = NO_WORSE
    rounds: int = speed.ROUNDS
    settings: Mapping[str, str] = field(default_factory=dict)
    say: Callable[[str], None] = lambda _: None
    progress: Callable[[int, int], None] = lambda _done, _all: None


@dataclass(frozen=True)
class Bench:
    """What all ways share: the base and its training, the events of everybody and of those who may be learned from, and
    the rows (r,) of unseen people that are judged.
    """

    base: Checkpoint
    training: TrainingConfig
    whole: Dataset
    lean: Dataset
    rows: Indices
    judge: Judge

    def measured(self, model: AttentionModel) -> Measured:
        """Losses and areas on the judge's rows."""
        probability = self.probabilities(model)
        return Measured(self.judge.losses(probability), self.judge.aucs(probability))

    def probabilities(self, model: AttentionModel) -> Doubles:
        """(r, H) of the judge's rows."""
        module = Outputs(model, self.whole.heads)
        return SequencePredictor(module, model.config.context, self.training).predict(self.whole, self.rows)

    def inputs(self) -> list[speed.Inputs]:
        """Batches of unseen people, from short to long sequences: what is exported is checked and timed on them."""
        scored, context = self.whole.scored(Role.TEST), self.base.model.config.context
        pieces = cut(self.whole.person, scored, context, self.training.sequence_tokens)
        long = np.flatnonzero(pieces.stop - pieces.start > LEAST_TOKENS - BLOCK)  # padded to whole blocks
        pieces = pieces.take(long) if len(long) else pieces
        every = plan(pieces, self.training.batch_tokens, None)
        planned = [each for each in every if len(each) >= LEAST_PEOPLE] or every
        count = max(1, round(speed.TOKENS / self.training.batch_tokens))
        chosen = np.unique(np.linspace(0, len(planned) - 1, count).round().astype(np.int64))
        gathered = (gather(self.whole, pieces.take(planned[index]), self.whole.known) for index in chosen)
        return [batch.inputs(torch.device("cpu")) for batch in gathered]


def compress(request: CompressRequest) -> dict[str, Any]:
    """The document of `compression.json`; compressed models are in `request.out`, in folders called as the ways.

    Raises BadInput: no checkpoint or one of other features, an unknown way or setting, a lake without labels, a model
    that a way does not fit; EnvironmentFailed on a full disk.
    """
    base = checkpoint.load(request.model)
    training = training_of(base)
    chosen = plans(request.settings, request.ways, training)
    request.say(f"model {base.version}: reading {request.lake}")
    prepared = prepare_for(base, training, request.lake)
    with threads_restored():
        bench = _bench(base, training, prepared.dataset, request)
        made: dict[str, Made] = {}
        for plan_ in chosen.values():
            request.progress(len(made), len(chosen))
            made[plan_.way] = _made(bench, plan_, request)
        inputs = bench.inputs()
        request.say("exporting")
        exported = export(base.model, inputs, request.out / EXPORTED)
        request.say(f"timing {request.rounds} rounds of {len(made) + 2} forward passes")
        rates = speed.measure(_passes(base.model, made, exported), inputs, request.rounds)
        request.say("judging on unseen people")
        judged = {name: bench.measured(one.stored.model) for name, one in made.items()}
        found = document_of(bench.measured(base.model), judged, made, rates, request.margin, training.seed)
    export_facts = exported.as_dict() | _export_speed(exported, rates, training.seed)
    notes = {"notes": [*_notes(bench), *prepared.notes]}
    return _about(bench, request, rates) | found | {"export": export_facts} | notes


def _bench(base: Checkpoint, training: TrainingConfig, dataset: Dataset, request: CompressRequest) -> Bench:
    lean = learnable(dataset, base.model.config.context, request.people, training.seed)
    rows = np.flatnonzero(dataset.scored(Role.TEST))
    judge = Judge(dataset, rows, np.ones(len(rows), dtype=np.bool_), training.seed)
    return Bench(base, training, dataset, lean, rows, judge)


def _made(bench: Bench, plan_: Plan, request: CompressRequest) -> Made:
    """Compress, write, and read what was written: that is what is timed and judged."""
    material = Material(
        base=bench.base.model, dataset=bench.lean, training=plan_.training, report=_teller(plan_.way, request)
    )
    request.say(f"{plan_.way}: {way(plan_.way).meaning}")
    began = time.perf_counter()
    packed = way(plan_.way).pack(material, plan_.settings)
    seconds = time.perf_counter() - began
    folder = request.out / plan_.way
    store.save(folder, packed, plan_, bench.base.version)
    return Made(plan=plan_, packed=packed, stored=store.load(folder), folder=folder, seconds=seconds)


def _teller(name: str, request: CompressRequest) -> Callable[[Progress], None]:
    def tell(each: Progress) -> None:
        request.say(
            f"{name}, epoch {each.epoch}/{each.epochs}: loss {each.train_loss:.4f} in training, log loss "
            f"{each.validation_loss:.4f} in validation, {each.tokens_per_s:,.0f} tokens/s"
        )

    return tell


def _passes(base: AttentionModel, made: Mapping[str, Made], exported: Exported) -> dict[str, speed.ForwardPass]:
    """Everything that is timed, by name."""
    passes: dict[str, speed.ForwardPass] = {BASE: base, **{name: one.stored.model for name, one in made.items()}}
    return passes | ({EXPORT: exported.run} if exported.free else {})


def _export_speed(exported: Exported, rates: speed.Rates, seed: int) -> dict[str, Any]:
    """Of the exported program; nothing where it takes one shape alone."""
    if not exported.free:
        return {"tokens_per_s": None, "speed": None}
    return {"tokens_per_s": rates.median(EXPORT), "speed": rates.ratio(EXPORT, BASE, seed)}


def _about(bench: Bench, request: CompressRequest, rates: speed.Rates) -> dict[str, Any]:
    model = bench.base.model
    return {
        "model": {
            "version": bench.base.version,
            "checkpoint": str(request.model),
            "config": model.config.as_dict(),
            "bytes_on_disk": (request.model / checkpoint.WEIGHTS).stat().st_size,
            **sizes(model),
            "tokens_per_s": rates.median(BASE),
        },
        "lake": str(request.lake),
        "people_share": request.people,
        "margin": request.margin,
        "rounds": request.rounds,
        "seed": bench.training.seed,
        "heads": list(bench.whole.heads),
        "rows": bench.judge.counts()[INSIDE],
    }


def _notes(bench: Bench) -> list[str]:
    config = bench.base.model.config
    left_out = [head for head in config.outputs if head not in bench.whole.heads]
    if not left_out:
        return []
    return [f"heads that are not judged, and that a distilled model does not have: {', '.join(left_out)}"]
