"""An ablation: every arm from every start on one lake, and what lies between the arms. Finished trainings are kept."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from infra.contracts.errors import BadInput
from models.attention.model import AttentionConfig
from models.evaluation.ablation.arms import Arm, Design
from models.evaluation.ablation.differences import over_people_and_starts
from models.evaluation.ablation.judged import Doubles, Judged, judge
from models.evaluation.figures import verdict
from models.training.dataset import Decoded, Prepared, assign, decode, read_tables
from models.training.fitting import fit
from models.training.lake import read_directly
from models.training.registry import code_version
from models.training.settings import TrainingConfig, TrainingRequest
from models.training.train import threads_restored

TRAININGS = "trainings"


@dataclass(frozen=True, kw_only=True)
class AblationRequest:
    """What is compared, on which lake, and where finished trainings and results are kept.

    progress: called with how many of all trainings are there.
    """

    design: Design
    lake: Path
    out: Path
    say: Callable[[str], None] = lambda _: None
    progress: Callable[[int, int], None] = lambda _done, _total: None


def ablate(request: AblationRequest) -> dict[str, Any]:
    """Train what is not there yet, and return the document of `ablation.json`.

    Raises BadInput: no lake, labels of one class, nothing that all arms predict, a damaged training of before.
    """
    design = request.design
    found: dict[str, list[Judged]] = {arm.name: [] for arm in design.arms}
    total = len(design.arms) * design.starts
    with threads_restored():
        for done, (arm, judged) in enumerate(_trainings(request), start=1):
            found[arm.name].append(judged)
            request.progress(done, total)
    return _document(design, found)


def kept(out: Path) -> int:
    """How many finished trainings are in the folder of an ablation."""
    return len(list((out / TRAININGS).glob("*.npz")))


def _trainings(request: AblationRequest) -> Iterator[tuple[Arm, Judged]]:
    """Every arm of a start before the next start, so that what is cut off can be compared."""
    lake = _Lake(request.lake)
    for start in range(request.design.starts):
        for arm in request.design.arms:
            model, training = request.design.configs(arm, start)
            path = request.out / TRAININGS / f"{lake.identity(model, training)}.npz"
            if path.exists():
                request.say(f"start {start + 1}: {arm.name} is there")
                yield arm, Judged.load(path)
                continue
            judged = _train(lake.prepared(model, training), model, training)
            judged.save(path)
            request.say(f"start {start + 1}: {arm.name}, {judged.about['seconds']:.1f} s, {_means(judged)}")
            yield arm, judged


def _train(prepared: Prepared, model: AttentionConfig, training: TrainingConfig) -> Judged:
    began = time.perf_counter()
    fitted = fit(prepared.dataset, model, training, lambda _progress, _model: None)
    seconds = time.perf_counter() - began
    about = {
        "seconds": seconds,
        "epochs": len(fitted.history),
        "validation_loss": min(each.validation_loss for each in fitted.history),
        "model": model.as_dict(),
        "training": asdict(training),
    }
    return judge(fitted.model(), prepared.dataset, training, about)


class _Lake:
    """One lake, read when it is first needed, decoded once for all trainings that have the same tokens and labels."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._decoded: tuple[object, Decoded, str] | None = None

    def prepared(self, model: AttentionConfig, training: TrainingConfig) -> Prepared:
        """The data set of one training."""
        return assign(self._of(model, training)[0], training)

    def identity(self, model: AttentionConfig, training: TrainingConfig) -> str:
        """20 hexadecimal digits over data, settings and the code: equal ones give the same training."""
        digest = self._of(model, training)[1]
        text = json.dumps([digest, code_version(), model.as_dict(), asdict(training)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    def _of(self, model: AttentionConfig, training: TrainingConfig) -> tuple[Decoded, str]:
        key = (model.outputs, model.item_buckets, training.horizon_us)
        if self._decoded is None or self._decoded[0] != key:
            self._decoded = None  # two of them need not fit into memory
            request = TrainingRequest(lake=self._folder, out_dir=self._folder, model=model, training=training)
            decoded = decode(request, *read_tables(request, read_directly))
            self._decoded = (key, decoded, decoded.digest())
        return self._decoded[1:]


def _means(judged: Judged) -> str:
    means = judged.loss.sum(axis=0) / np.maximum(judged.rows.sum(axis=0), 1)
    return ", ".join(f"{head} {mean:.4f}" for head, mean in zip(judged.heads, means, strict=True))


def _document(design: Design, found: dict[str, list[Judged]]) -> dict[str, Any]:
    every = [judged for arm in found.values() for judged in arm]
    heads = [head for head in every[0].heads if all(head in judged.heads for judged in every)]
    if not heads:
        raise BadInput("these arms have no head in common that this lake has labels of: set outputs for all of them")
    first = design.configs(design.base, 0)[1]
    return {
        "base": design.base.name,
        "common": dict(design.common),
        "starts": design.starts,
        "seed": design.seed,
        "people": len(every[0].people),
        "horizon_min": first.horizon_min,
        "label_share": first.label_share,
        "arms": {
            arm.name: {
                "settings": dict(arm.settings),
                "seconds": float(np.mean([judged.about["seconds"] for judged in found[arm.name]])),
                "epochs": float(np.mean([judged.about["epochs"] for judged in found[arm.name]])),
                "heads": {
                    head: _figures(found[design.base.name], found[arm.name], head, design.seed) for head in heads
                },
            }
            for arm in design.arms
        },
    }


def _figures(base: list[Judged], arm: list[Judged], head: str, seed: int) -> dict[str, Any]:
    """Log loss of an arm, and how much lower than the base's it is; differences above 0: the arm is better."""
    rows, own, theirs = _rows(base + arm, head), _sums(arm, head, "loss"), _sums(base, head, "loss")
    rates = _sums(arm, head, "base")
    difference = over_people_and_starts(theirs - own, rows, seed)
    return {
        "rows": int(rows.sum()),
        "people": int((rows > 0).sum()),
        "log_loss": over_people_and_starts(own, rows, seed).as_dict(),
        "better_than_base_rate": over_people_and_starts(rates - own, rows, seed).as_dict(),
        "difference": difference.as_dict(),
        "differences": ((theirs - own).sum(axis=1) / max(rows.sum(), 1)).tolist(),
        "verdict": "base" if arm is base else verdict(difference),
    }


def _rows(every: list[Judged], head: str) -> npt.NDArray[np.int64]:
    """(P,) rows of each person, the same in all trainings. Raises BadInput where they are not."""
    found = [(judged.people, judged.rows[:, judged.heads.index(head)]) for judged in every]
    if any(not np.array_equal(own, first) for each in found for own, first in zip(each, found[0], strict=True)):
        raise BadInput(f"the trainings were judged on other rows of '{head}': remove the kept ones, and run again")
    return found[0][1]


def _sums(arm: list[Judged], head: str, name: Literal["loss", "base"]) -> Doubles:
    """(S, P) sums of one head over the starts of an arm."""
    columns = [(judged.loss if name == "loss" else judged.base)[:, judged.heads.index(head)] for judged in arm]
    return np.stack(columns)
