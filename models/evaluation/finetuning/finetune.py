"""A checkpoint fine-tuned to one world in several ways and from several seeds: what `calmverse finetune` works out."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.attention import checkpoint
from models.attention.checkpoint import Checkpoint
from models.attention.model import AttentionModel
from models.attention.outputs import Outputs
from models.evaluation import metrics
from models.evaluation.finetuning.figures import Fit, document_of
from models.evaluation.finetuning.folder import FitFolder
from models.evaluation.finetuning.judge import Indices, Judge
from models.evaluation.resampling import Doubles
from models.evaluation.sequences import SequencePredictor
from models.evaluation.stored import prepare_for, training_of
from models.features.worlds import in_worlds
from models.training.dataset import Dataset
from models.training.finetuning.fit import fit_way, needed, of_world
from models.training.finetuning.settings import Plan, plans
from models.training.savepoints import identity_of
from models.training.settings import WORLDS, Progress, TrainingConfig, check_worlds
from models.training.split import Role
from models.training.train import threads_restored


@dataclass(frozen=True, kw_only=True)
class FinetuneRequest:
    """Which checkpoint, to which world of which lake, in which ways, from how many seeds.

    out: the folder that gets the results, and a checkpoint a way and seed. people: share of the people who train and
    validate whose labels are used. settings: of the loop and the ways. resume:
    take up what an earlier call has left in `out`. progress: called with how many fits are done and how many there are.
    """

    model: Path
    lake: Path
    out: Path
    world: str
    ways: tuple[str, ...]
    seeds: int = 5
    people: float = 1.0
    settings: Mapping[str, str] = field(default_factory=dict)
    resume: bool = False
    say: Callable[[str], None] = lambda _: None
    progress: Callable[[int, int], None] = lambda _done, _all: None


@dataclass(frozen=True)
class Bench:
    """What all fits share: the base, its training, the data set of all worlds, that of the one and the rows of it that
    training needs, and the rows that are judged.
    """

    base: Checkpoint
    training: TrainingConfig
    whole: Dataset
    target: Dataset
    lean: Dataset
    rows: Indices
    judge: Judge

    def probabilities(self, model: AttentionModel) -> Doubles:
        """(r, H) of the judge's rows, for the heads of the target."""
        module = Outputs(model, self.target.heads)
        return SequencePredictor(module, model.config.context, self.training).predict(self.whole, self.rows)


def finetune(request: FinetuneRequest) -> dict[str, Any]:
    """The document of `finetuning.json`; checkpoints are in `request.out`, in folders called `way-seed`.

    Raises BadInput: no checkpoint or one of other features, an unknown world, way or setting, a world without labels, a
    model that a way does not fit; EnvironmentFailed on a full disk. Ctrl-C leaves what is done, for `resume`.
    """
    check_worlds((request.world,))
    base = checkpoint.load(request.model)
    training = training_of(base)
    chosen = plans(request.settings, request.ways, training, request.world)
    request.say(f"model {base.version}: reading {request.lake}")
    prepared = prepare_for(base, replace(training, worlds=()), request.lake)
    with threads_restored():
        bench = _bench(base, training, prepared.dataset, request)
        before = bench.probabilities(base.model)
        fits: list[Fit] = []
        for plan, seed in ((plan, seed) for plan in chosen.values() for seed in range(1, request.seeds + 1)):
            request.progress(len(fits), len(chosen) * request.seeds)
            fits.append(_fit(bench, plan, seed, request))
        found = document_of(bench.judge, before, fits, chosen)
    return _about(bench, request) | found | {"notes": [*_notes(bench, request.world), *prepared.notes]}


def _bench(base: Checkpoint, training: TrainingConfig, dataset: Dataset, request: FinetuneRequest) -> Bench:
    target = of_world(dataset, request.world, request.people, training.seed)
    kept = [dataset.heads.index(head) for head in target.heads]
    whole = replace(dataset, heads=target.heads, value=dataset.value[:, kept], known=dataset.known[:, kept])
    rows = np.flatnonzero(whole.scored(Role.TEST))
    inside = in_worlds(whole.tokens.features[rows], (request.world,))
    lean = needed(target, base.model.config.context)
    return Bench(base, training, whole, target, lean, rows, Judge(whole, rows, inside, training.seed))


def _fit(bench: Bench, plan: Plan, seed: int, request: FinetuneRequest) -> Fit:
    """Fit and write the checkpoint, or take up what is there; judge."""
    place = FitFolder(request.out / f"{plan.way}-{seed}", _identity(bench, plan, seed))
    if not request.resume:
        place.clear()
    tuned = place.finished()
    again = tuned is not None
    if tuned is None:
        savepoints = place.savepoints()
        tuned = fit_way(bench.base.model, bench.lean, plan, seed, _teller(plan, seed, request), savepoints)
    probability = bench.probabilities(tuned.model)
    if not again:
        place.write(tuned, _about_fit(bench, plan, seed) | {"metrics": _metrics(bench, probability)})
    return Fit(
        way=plan.way,
        seed=seed,
        tuned=tuned,
        checkpoint=place.folder,
        version=place.version(),
        losses=bench.judge.losses(probability),
        aucs=bench.judge.aucs(probability),
    )


def _teller(plan: Plan, seed: int, request: FinetuneRequest) -> Callable[[Progress], None]:
    def tell(each: Progress) -> None:
        request.say(
            f"{plan.way}, seed {seed}, epoch {each.epoch}/{each.epochs}: log loss {each.train_loss:.4f} in training, "
            f"{each.validation_loss:.4f} in validation, {each.tokens_per_s:,.0f} tokens/s"
        )

    return tell


def _identity(bench: Bench, plan: Plan, seed: int) -> str:
    """What two fits must share for one to continue the other."""
    of_training = identity_of(bench.lean.digest(), bench.base.model.config, replace(plan.training, seed=seed))
    text = json.dumps([of_training, bench.base.version, plan.way, asdict(plan.settings), bench.training.seed])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _about_fit(bench: Bench, plan: Plan, seed: int) -> dict[str, Any]:
    """What the checkpoint says. `training` has the seed of the base: it tells whom neither of the two has seen."""
    dataset = bench.lean
    return {
        "parent": bench.base.version,
        "training": asdict(plan.training),
        "finetuning": {
            "way": plan.way,
            "seed": seed,
            "settings": asdict(plan.settings),
            "world": plan.training.worlds[0],
        },
        "data": {"digest": dataset.digest(), "events": len(dataset), "people": dataset.people_sketch()},
    }


def _metrics(bench: Bench, probability: Doubles) -> dict[str, dict[str, Any]]:
    """By head, on unseen people of all worlds, as for the model that it comes from."""
    found = {}
    for index, head in enumerate(bench.target.heads):
        known = bench.whole.known[bench.rows, index]
        label, said = bench.whole.value[bench.rows[known], index], probability[known, index]
        auc = metrics.auc(label, said)
        found[head] = {
            "rows": int(known.sum()),
            "people": len(np.unique(bench.whole.person[bench.rows[known]])),
            "log_loss": float(metrics.log_losses(label, said).mean()),
            "auc": None if np.isnan(auc) else auc,
        }
    return found


def _about(bench: Bench, request: FinetuneRequest) -> dict[str, Any]:
    model = bench.base.model
    return {
        "model": {
            "version": bench.base.version,
            "checkpoint": str(request.model),
            "config": model.config.as_dict(),
            "parameters": sum(each.numel() for each in model.parameters()),
            "worlds": list(bench.training.worlds),
        },
        "lake": str(request.lake),
        "world": request.world,
        "people_share": request.people,
        "seeds": request.seeds,
        "seed": bench.training.seed,
        "heads": list(bench.target.heads),
    }


def _notes(bench: Bench, world: str) -> list[str]:
    notes = []
    if world in (bench.training.worlds or WORLDS):
        others = ",".join(each for each in WORLDS if each != world)
        notes.append(
            f"the model was trained on labels of '{world}' already, so little is left to gain: a model without them is "
            f"trained with --set worlds={others}"
        )
    left_out = [head for head in bench.base.model.config.outputs if head not in bench.target.heads]
    if left_out:
        notes.append(f"heads that stay as they are, for want of labels or of two classes: {', '.join(left_out)}")
    return notes
