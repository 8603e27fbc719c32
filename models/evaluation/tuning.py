"""A search from lake to registered model: trials, the best on validation, which alone is judged on the test."""

import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from infra.console import say
from infra.contracts.errors import EnvironmentFailed
from infra.runs import RunDir, environment
from models.attention import checkpoint
from models.evaluation.results import print_whole
from models.training.dataset import Prepared, prepare
from models.training.fitting import Fitted
from models.training.lake import read_directly
from models.training.registry import Registry
from models.training.settings import TrainingRequest
from models.training.train import finish
from models.training.tuning.space import Space
from models.training.tuning.trials import REDUCTION, Trial, run_trials, trial_folder

FOLDER = "tuning"


@dataclass(frozen=True, kw_only=True)
class TuningRequest:
    """What is searched, on which lake, and where trials, results and the best model go.

    progress: called with how many of all trials have ended.
    """

    space: Space
    lake: Path
    out: Path
    registry: Path
    truth: Path | None = None
    progress: Callable[[int, int], None] = lambda _done, _total: None


def execute(request: TuningRequest) -> dict[str, Any]:
    """Search, and return the document of `tuning.json`, which is written into the folder of the request.

    With Ctrl-C it has the trials that are finished, and `interrupted`; nothing is judged or registered then. Raises
    BadInput (no lake, labels of one class) and EnvironmentFailed.
    """
    shutil.rmtree(request.out / "trials", ignore_errors=True)
    prepared = prepare(_training(request, {}), read_directly)
    trials = run_trials(request.space, prepared.dataset, request.out, request.progress)
    finished = [each for each in trials if each.finished]
    best = min(finished, key=lambda each: (each.validation_loss, each.number), default=None)
    document = _document(request, trials, best)
    if best is not None and not document["interrupted"]:
        document |= _kept(request, prepared, best)
    try:
        request.out.mkdir(parents=True, exist_ok=True)
        RunDir(request.out).write_json("tuning.json", document)
    except OSError as error:
        raise EnvironmentFailed(f"cannot write {request.out}: {error.strerror}; free space") from error
    return document


def tell(document: dict[str, Any]) -> None:
    """The trials for people, the best first, and the words that train as the best did."""
    table = Table(box=box.SIMPLE)
    for column in ("trial", "settings", "validation loss", "epochs", "ended"):
        table.add_column(column, justify="left" if column in {"settings", "ended"} else "right", no_wrap=True)
    for each in sorted(document["trials"], key=lambda each: (each["validation_loss"] is None, each["validation_loss"])):
        settings = " ".join(f"{key}={value}" for key, value in each["settings"].items())
        loss = "–" if each["validation_loss"] is None else f"{each['validation_loss']:.4f}"
        table.add_row(str(each["trial"]), settings, loss, str(each["epochs"]), each["ended"])
    print_whole(table)
    if document["best"] is None:
        return
    say(f"best on validation: trial {document['best']['trial']}; train so with {document['best']['set']}")
    for head, figures in document.get("heads", {}).items():
        if figures["rows"]:
            say(
                f"{head}: log loss {figures['log_loss']:.4f} on unseen people, base rate {figures['base_log_loss']:.4f}"
            )
    if "version" in document:
        say(f"model {document['version']} is in {document['checkpoint']}, and registered")


def _training(request: TuningRequest, settings: dict[str, str]) -> TrainingRequest:
    model, training = request.space.configs(settings)
    return TrainingRequest(
        lake=request.lake,
        out_dir=request.out / "model",
        truth=request.truth,
        model=model,
        training=training,
        workers=0,
    )


def _kept(request: TuningRequest, prepared: Prepared, best: Trial) -> dict[str, Any]:
    """Judge the best trial on the test, keep its checkpoint and log, register it, and drop the others' weights."""
    folder = trial_folder(request.out, best.number)
    model = checkpoint.load(folder).model
    fitted = Fitted(config=model.config, weights=checkpoint.weights_of(model), history=best.history)
    training = _training(request, dict(best.settings))
    shutil.rmtree(training.out_dir, ignore_errors=True)
    shutil.copytree(folder / "tensorboard", training.out_dir / "tensorboard")
    result = finish(training, prepared, fitted, {})
    Registry(request.registry).add(result.checkpoint_dir)
    for name in checkpoint.FILES:
        for weights in (request.out / "trials").glob(f"*/{name}"):
            weights.unlink()
    return {
        "version": result.version,
        "checkpoint": str(result.checkpoint_dir),
        "heads": result.heads,
        "notes": list(result.notes),
    }


def _document(request: TuningRequest, trials: tuple[Trial, ...], best: Trial | None) -> dict[str, Any]:
    space = request.space
    return {
        "seed": space.seed,
        "common": dict(space.common),
        "reduction": REDUCTION,
        "trials": [
            {
                "trial": each.number,
                "settings": dict(each.settings),
                "validation_loss": each.validation_loss,
                "epochs": len(each.history),
                "ended": each.ended,
                "history": [progress.validation_loss for progress in each.history],
            }
            for each in trials
        ],
        "interrupted": any(each.ended == "cut off" for each in trials),
        "best": None if best is None else {"trial": best.number, "set": _words({**space.common, **best.settings})},
        "environment": environment(),
    }


def _words(settings: dict[str, str]) -> str:
    return shlex.join([word for key, value in settings.items() for word in ("--set", f"{key}={value}")])
