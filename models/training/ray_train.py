"""The training loop on Ray Train: 1 to N workers around `loop.fit`, the data through the object store.

Ray Data reads the lake; the decoded events are put into the object store once and mapped by every worker of a node.
Ray restarts a worker that dies; where the training then goes on is told by our own savepoints, since the newest
checkpoint that was reported to Ray can be lost with its worker.
"""

import contextlib
import json
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from infra.contracts.errors import EnvironmentFailed
from models.attention import checkpoint
from models.attention.model import AttentionConfig, AttentionModel
from models.training.dataset import Dataset
from models.training.fitting import Fitted, fit
from models.training.savepoints import Savepoints, identity_of
from models.training.settings import Progress, TrainingRequest
from models.training.tracking.tracker import Nowhere, opened

_PROGRESS = "progress.jsonl"
_POLL_S = 0.2
_MOST_FAILURES = 3
"""Deaths of workers that a training outlives: each goes on from the newest savepoint."""


def fit_on_ray(dataset: Dataset, request: TrainingRequest, report: Callable[[Progress], None]) -> Fitted:
    """`loop.fit` on `request.workers` Ray Train workers. Needs a Ray that this process is connected to.

    Raises EnvironmentFailed when a worker fails.
    """
    import ray  # noqa: PLC0415  heavy: only where Ray is used
    from ray import train  # noqa: PLC0415
    from ray.train.torch import TorchTrainer  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="calm-train-") as storage:
        settings = {
            "dataset": ray.put(dataset),
            "model": request.model,
            "training": request.training,
            "storage": storage,
            "savepoints": str(request.savepoints.resolve()),
            "identity": identity_of(dataset.digest(), request.model, request.training),
            "tracking": replace(request.tracking, out_dir=request.out_dir.resolve()),
        }
        trainer = TorchTrainer(
            train_on_worker,
            train_loop_config=settings,
            scaling_config=train.ScalingConfig(num_workers=request.workers, use_gpu=_has_gpu()),
            run_config=train.RunConfig(
                name="training",
                storage_path=storage,
                failure_config=train.FailureConfig(max_failures=_MOST_FAILURES),
            ),
        )
        with _followed(Path(storage) / _PROGRESS, report), _quiet():
            try:
                trainer.fit()
            except train.TrainingFailedError as error:
                raise EnvironmentFailed(f"a training worker failed: {_cause(error)}") from error
        return _fitted(Path(storage))


def train_on_worker(settings: dict[str, Any]) -> None:
    """What each Ray Train worker runs; rank 0 writes the weights of the best epoch and the progress."""
    import ray  # noqa: PLC0415
    from ray import train  # noqa: PLC0415

    from models.training.parallelize import place_of_worker  # noqa: PLC0415

    place = place_of_worker()
    storage = Path(settings["storage"])
    dataset = ray.get(settings["dataset"])
    savepoints = Savepoints(
        Path(settings["savepoints"]), settings["identity"], place.rank, everybody_is_here=lambda: place.mean(0.0)
    )

    def report(progress: Progress, model: AttentionModel) -> None:
        if place.rank == 0:
            with (storage / _PROGRESS).open("a") as file:
                file.write(json.dumps(asdict(progress)) + "\n")
        with tempfile.TemporaryDirectory() as directory:
            kept = None
            if place.rank == 0:
                checkpoint.save(Path(directory), model, {"epoch": progress.epoch})
                kept = train.Checkpoint.from_directory(directory)
            train.report({"validation_loss": progress.validation_loss}, checkpoint=kept)

    with opened(settings["tracking"]) if place.rank == 0 else contextlib.nullcontext(Nowhere()) as tracker:
        logged = replace(place, tracker=tracker)
        fitted = fit(dataset, settings["model"], settings["training"], report, logged, savepoints)
    if place.rank == 0:
        checkpoint.save(storage / "best", fitted.model(), {"history": [asdict(each) for each in fitted.history]})


def _fitted(storage: Path) -> Fitted:
    best = checkpoint.load(storage / "best")
    config: AttentionConfig = best.model.config
    history = tuple(Progress(**each) for each in best.info["history"])
    return Fitted(config=config, weights=checkpoint.weights_of(best.model), history=history)


@contextlib.contextmanager
def _followed(path: Path, report: Callable[[Progress], None]) -> Iterator[None]:
    """Call `report` for each line that the worker adds to the progress file, while the body runs."""
    done = threading.Event()

    def follow() -> None:
        seen = 0
        while True:
            last = done.wait(_POLL_S)
            lines = path.read_text().splitlines() if path.exists() else []
            for line in lines[seen:]:
                report(Progress(**json.loads(line)))
            seen = len(lines)
            if last:
                return

    thread = threading.Thread(target=follow, name="training-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=5)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Ray Train tells its life story at INFO; warnings and errors stay."""
    logger = logging.getLogger("ray.train")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)


def _has_gpu() -> bool:
    import torch  # noqa: PLC0415

    return torch.cuda.is_available()


def _cause(error: BaseException) -> str:
    lines = [line.strip() for line in str(error.__cause__ or error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__
