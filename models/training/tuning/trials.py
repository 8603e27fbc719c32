"""The trials of a search on Ray Tune: data once in the object store, one CPU a trial, ASHA stops what falls behind.

ASHA (Li et al. 2020, "A system for massively parallel hyperparameter tuning"): after 1, 2, 4, … epochs a trial goes on
only where it is among the better half of those that have come so far.
"""

import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from infra.contracts.errors import EnvironmentFailed
from infra.hosting.ray_session import ray_session
from models.attention import checkpoint
from models.attention.model import AttentionModel
from models.training.dataset import Dataset
from models.training.fitting import fit
from models.training.loop import Place
from models.training.settings import TRAINING, Progress
from models.training.tracking.tracker import Tracking, begun, opened
from models.training.tuning.space import Space

REDUCTION: Final = 2
"""One in so many trials goes on from each rung."""
ALL_EPOCHS, NO_LONGER_BETTER, STOPPED, CUT_OFF, FAILED = (
    *("all epochs", "no longer better", "stopped early", "cut off", "failed"),
)
_HISTORY: Final = "epochs.json"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One trial: its number, the settings that are its own, the validation loss of each epoch, and how it ended."""

    number: int
    settings: Mapping[str, str]
    history: tuple[Progress, ...]
    ended: str

    @property
    def validation_loss(self) -> float | None:
        """Of the best epoch."""
        return min((each.validation_loss for each in self.history), default=None)

    @property
    def finished(self) -> bool:
        """Whether it can be compared with others."""
        return self.ended not in {CUT_OFF, FAILED} and bool(self.history)


def run_trials(space: Space, dataset: Dataset, out: Path, told: Callable[[int, int], None]) -> tuple[Trial, ...]:
    """Every trial of `space`; of one that Ctrl-C has cut off too. The best epoch of each is a checkpoint in its folder.

    told: called with how many of all have ended. Raises EnvironmentFailed where every trial failed.
    """
    drawn = space.drawn()
    ended: dict[int, str] = {}

    def end(number: int, how: str) -> None:
        ended[number] = how
        told(len(ended), len(drawn))

    with ray_session(cpus=os.cpu_count() or 1), tempfile.TemporaryDirectory(prefix="calm-tune-") as storage, _quiet():
        errors = _fit_all(space, dataset, (out.resolve(), Path(storage)), end)
    trials = tuple(_trial(number, settings, out, ended.get(number)) for number, settings in enumerate(drawn))
    if errors and not any(each.finished for each in trials):
        raise EnvironmentFailed(f"every trial failed; the first: {errors[0]}")
    return trials


def trial_folder(out: Path, number: int) -> Path:
    """Where trial `number` leaves its checkpoint, its epochs and its log."""
    return out / "trials" / f"{number:03}"


def _fit_all(space: Space, dataset: Dataset, places: tuple[Path, Path], end: Callable[[int, str], None]) -> list[str]:
    """Run all trials on the Ray of this process; what the failed ones said."""
    import ray  # noqa: PLC0415  heavy: only where Ray is used
    from ray import tune  # noqa: PLC0415
    from ray.tune.schedulers import ASHAScheduler  # noqa: PLC0415

    class Told(tune.Callback):
        """Says which trials have ended. Tune stores its callbacks; whom this one tells stays here."""

        def __init__(self, end: Callable[[int, str], None]) -> None:
            self._end = end

        def __getstate__(self) -> dict[str, Any]:
            return {}

        def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:  # noqa: ANN401, ARG002
            self._end(trial.config["number"], STOPPED)

        def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:  # noqa: ANN401, ARG002
            self._end(trial.config["number"], FAILED)

    out, storage = places
    epochs = space.configs(space.drawn()[0])[1].epochs
    given = {"space": space, "dataset": ray.put(dataset), "out": str(out)}
    tuner = tune.Tuner(
        tune.with_resources(run_trial, {"cpu": 1}),
        param_space={"number": tune.grid_search(list(range(len(space.drawn())))), **given},
        tune_config=tune.TuneConfig(
            metric="validation_loss",
            mode="min",
            scheduler=ASHAScheduler(time_attr="epoch", max_t=epochs, grace_period=1, reduction_factor=REDUCTION),
        ),
        run_config=tune.RunConfig(name="tune", storage_path=str(storage), verbose=0, callbacks=[Told(end)]),
    )
    return [str(error).strip().splitlines()[-1][:300] for error in tuner.fit().errors]


def run_trial(given: dict[str, Any]) -> None:
    """What the worker of a trial runs: a training that reports each epoch, and keeps the best."""
    import ray  # noqa: PLC0415
    from ray import tune  # noqa: PLC0415

    space, number = given["space"], given["number"]
    model, training = space.configs(space.drawn()[number])
    folder = trial_folder(Path(given["out"]), number)
    history: list[Progress] = []

    def report(progress: Progress, fitted: AttentionModel) -> None:
        if progress.phase != TRAINING:
            return
        if progress.validation_loss < min((each.validation_loss for each in history), default=float("inf")):
            checkpoint.save(folder, fitted, {"training": asdict(training)})
        history.append(progress)
        (folder / _HISTORY).write_text(json.dumps([asdict(each) for each in history]))
        tune.report({"validation_loss": progress.validation_loss, "epoch": progress.epoch})

    tracking = Tracking(out_dir=folder)
    with begun(tracking, resume=False), opened(tracking) as tracker:
        fit(ray.get(given["dataset"]), model, training, report, Place(tracker=tracker))
    (folder / "finished").touch()


def _trial(number: int, settings: Mapping[str, str], out: Path, ended: str | None) -> Trial:
    folder = trial_folder(out, number)
    path = folder / _HISTORY
    history = tuple(Progress(**each) for each in json.loads(path.read_text())) if path.exists() else ()
    if ended == STOPPED and history and history[-1].epoch == history[-1].epochs:
        ended = ALL_EPOCHS
    elif ended == STOPPED and (folder / "finished").exists():
        ended = NO_LONGER_BETTER
    return Trial(number=number, settings=settings, history=history, ended=ended or CUT_OFF)


@contextmanager
def _quiet() -> Iterator[None]:
    """Ray Tune tells of each trial; errors stay."""
    logger = logging.getLogger("ray.tune")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
