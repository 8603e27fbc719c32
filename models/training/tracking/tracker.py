"""The interface of a training's log, and where logs are: TensorBoard's always, MLflow's where an address is given."""

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

EVERY: Final = 10
"""Steps between two records of a training."""


class Tracker(Protocol):
    """One log of one training. It may be closed and opened again, in another process too, and goes on where it was."""

    def record(self, step: int, values: Mapping[str, float]) -> None:
        """Values by name after `step` steps. What is in the log already is passed over: a training that was cut off
        repeats some steps.
        """
        ...

    def conclude(self, settings: Mapping[str, Any], metrics: Mapping[str, float]) -> tuple[str, ...]:
        """The training is over: what it was told, and how good it is. Returns notes for the reader."""
        ...

    def stopped(self) -> None:
        """The training was cut off; it may go on some day."""
        ...

    def close(self) -> None:
        """Write what is not written yet."""
        ...


class Nowhere:
    """The log of nobody."""

    def record(self, step: int, values: Mapping[str, float]) -> None:
        """Passed over."""

    def conclude(self, settings: Mapping[str, Any], metrics: Mapping[str, float]) -> tuple[str, ...]:  # noqa: ARG002
        """Passed over."""
        return ()

    def stopped(self) -> None:
        """Passed over."""

    def close(self) -> None:
        """There is nothing to write."""


@dataclass(frozen=True)
class Several:
    """Logs that are told the same."""

    trackers: tuple[Tracker, ...]

    def record(self, step: int, values: Mapping[str, float]) -> None:
        """To all of them."""
        for tracker in self.trackers:
            tracker.record(step, values)

    def conclude(self, settings: Mapping[str, Any], metrics: Mapping[str, float]) -> tuple[str, ...]:
        """To all of them; the notes of all."""
        return tuple(note for tracker in self.trackers for note in tracker.conclude(settings, metrics))

    def stopped(self) -> None:
        """To all of them."""
        for tracker in self.trackers:
            tracker.stopped()

    def close(self) -> None:
        """All of them."""
        for tracker in self.trackers:
            tracker.close()


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """Where a training in `out_dir` is logged: in `out_dir`/tensorboard, and at the MLflow server `mlflow`, if any."""

    out_dir: Path
    mlflow: str | None = None

    @property
    def tensorboard(self) -> Path:
        """The folder of the event file."""
        return self.out_dir / "tensorboard"


@contextlib.contextmanager
def opened(tracking: Tracking) -> Iterator[Tracker]:
    """The logs of a training, for as long as the body runs. Raises EnvironmentFailed where one cannot be written."""
    from models.training.tracking import mlflow  # noqa: PLC0415  only where it is used
    from models.training.tracking.tensorboard import TensorBoard  # noqa: PLC0415  heavy: a fifth of a second

    trackers: list[Tracker] = [TensorBoard(tracking.tensorboard)]
    if tracking.mlflow is not None:
        trackers.append(mlflow.MLflow(tracking.out_dir, tracking.mlflow))
    try:
        yield Several(tuple(trackers))
    finally:
        for tracker in trackers:
            tracker.close()


@contextlib.contextmanager
def begun(tracking: Tracking, *, resume: bool) -> Iterator[None]:
    """Begin new logs, or go on with those of a training that is resumed; where the body is cut off they are told.

    Raises BadInput for an address that is none, EnvironmentFailed where nobody answers there.
    """
    from models.training.tracking import mlflow, tensorboard  # noqa: PLC0415  see `opened`

    if tracking.mlflow is not None and not (resume and mlflow.is_begun(tracking.out_dir)):
        mlflow.begin(tracking.out_dir, tracking.mlflow)
    if not resume:
        tensorboard.begin(tracking.tensorboard)
    try:
        yield
    except BaseException:
        with opened(tracking) as tracker:
            tracker.stopped()
        raise


def test_metrics(heads: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The numbers of an evaluation as `test/HEAD/NAME`."""
    return {
        f"test/{head}/{name}": float(value)
        for head, figures in heads.items()
        for name, value in figures.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }
