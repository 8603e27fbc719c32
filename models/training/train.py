"""Training from a lake to a checkpoint: read, decode, fit, evaluate, save."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict

from infra.contracts.errors import BadInput
from infra.hosting.ray_session import ray_session
from models.attention import checkpoint
from models.attention.model import AttentionModel
from models.evaluation.classes import evaluate_classes
from models.evaluation.evaluate import evaluate
from models.training.dataset import Prepared, prepare
from models.training.fitting import Fitted, fit
from models.training.lake import ReadFiles, read_directly, read_with_ray
from models.training.loop import Place
from models.training.outside import prepare_log
from models.training.ray_train import fit_on_ray
from models.training.savepoints import Savepoints, identity_of, stopped_in
from models.training.settings import Progress, TrainingRequest, TrainingResult
from models.training.tracking.tracker import begun, opened, test_metrics


def train(request: TrainingRequest) -> TrainingResult:
    """Train on `request.lake`, evaluate on unseen people, write the checkpoint to `request.out_dir`.

    Deterministic with one worker and one thread: equal lake and settings, equal weights, with Ray or without, and
    whoever was killed meanwhile. Raises BadInput (empty lake, unreadable file, labels of one class, nothing to resume)
    and EnvironmentFailed (workers failed again and again, a full disk). Ctrl-C leaves the newest savepoint.
    """
    _begin(request)
    with begun(request.tracking, resume=request.resume):
        return _train(request, request.progress or _silent)


def _train(request: TrainingRequest, report: Callable[[Progress], None]) -> TrainingResult:
    seconds: dict[str, float] = {}
    if request.workers == 0:
        with _timed(seconds, "read"):
            prepared = _prepared(request, read_directly)
        with _timed(seconds, "fit"), threads_restored():
            fitted = _fit_here(prepared, request, report)
    else:
        started = time.perf_counter()
        with ray_session(cpus=2 + 2 * request.workers):
            seconds["ray_start"] = time.perf_counter() - started
            with _timed(seconds, "read"):
                prepared = _prepared(request, read_with_ray)
            with _timed(seconds, "fit"):
                fitted = fit_on_ray(prepared.dataset, request, report)
    return finish(request, prepared, fitted, seconds)


def finish(request: TrainingRequest, prepared: Prepared, fitted: Fitted, seconds: dict[str, float]) -> TrainingResult:
    """Judge what was fitted on the test, log that, write the checkpoint, and drop the savepoints."""
    model = fitted.model()
    with _timed(seconds, "evaluate"), threads_restored():
        figures = evaluate(model, prepared, request.truth, request.training)
        figures |= evaluate_classes(model, prepared.dataset, request.training)
    heads = {name: figures[name] for name in prepared.dataset.heads}
    with opened(request.tracking) as tracker:
        notes = tracker.conclude({**model.config.as_dict(), **asdict(request.training)}, test_metrics(heads))
    about = {
        "training": asdict(request.training),
        "data": {
            "digest": prepared.dataset.digest(),
            "events": len(prepared.dataset),
            "people": prepared.dataset.people_sketch(),
        },
        "metrics": heads,
        "notes": list(prepared.notes),
        "history": [asdict(each) for each in fitted.history],
    }
    version = checkpoint.save(request.out_dir, model, about)
    shutil.rmtree(request.savepoints, ignore_errors=True)
    return TrainingResult(
        checkpoint_dir=request.out_dir,
        version=version,
        heads=heads,
        notes=(*prepared.notes, *notes),
        history=fitted.history,
        seconds=seconds,
    )


def _begin(request: TrainingRequest) -> None:
    """See to it that there is a savepoint to go on from, or none. Raises BadInput."""
    if request.resume:
        if stopped_in(request.savepoints) is None:
            raise BadInput(f"there is nothing to resume in {request.savepoints}: train without --resume")
        return
    shutil.rmtree(request.savepoints, ignore_errors=True)


def _prepared(request: TrainingRequest, read: ReadFiles) -> Prepared:
    return prepare(request, read) if request.log is None else prepare_log(request, request.log)


def _fit_here(prepared: Prepared, request: TrainingRequest, report: Callable[[Progress], None]) -> Fitted:
    identity = identity_of(prepared.dataset.digest(), request.model, request.training)
    savepoints = Savepoints(request.savepoints, identity)
    with opened(request.tracking) as tracker:
        place = Place(tracker=tracker)
        return fit(prepared.dataset, request.model, request.training, _forget_model(report), place, savepoints)


def _silent(_: Progress) -> None:
    """Reports to nobody."""


def _forget_model(report: Callable[[Progress], None]) -> Callable[[Progress, AttentionModel], None]:
    return lambda progress, _model: report(progress)


@contextlib.contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - started


@contextlib.contextmanager
def threads_restored() -> Iterator[None]:
    """Torch's number of threads is a property of the process: give it back as it was."""
    import torch  # noqa: PLC0415  heavy

    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
