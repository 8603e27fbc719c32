"""The whole state of a training on disk, so that who dies in the middle of an epoch goes on from there.

A savepoint has a part that all workers share (weights, optimiser, schedule, best epoch so far), written by rank 0, and
a part of each rank (random numbers of dropout, sums of losses). It counts only when every part of it is there: rank 0
names it in `latest` after all others have written. What is named is never written over, so a disk that fills up or a
process that dies leaves the one before.

Files are written by torch.save and read with `weights_only`: reading one runs no code.
"""

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch

from infra.contracts.errors import BadInput, EnvironmentFailed
from models.attention.model import AttentionConfig
from models.training.settings import PRETRAINING, TRAINING, TrainingConfig

_LATEST: Final = "latest.json"
_FREE: Final = ("epochs", "patience", "savepoint_steps")
"""Settings that may differ when a training goes on: for how long, and how often it is saved."""

State = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Position:
    """`step` steps of epoch number `epoch` (from 0) are done."""

    epoch: int
    step: int


class Savepoints:
    """Savepoints of one training in `folder`, for the worker of `rank`.

    identity: what a training must have in common with the one that it continues (see `identity_of`).
    everybody_is_here: returns when every worker has called it.
    """

    def __init__(
        self,
        folder: Path,
        identity: str,
        rank: int = 0,
        everybody_is_here: Callable[[], object] = lambda: None,
    ) -> None:
        self._folder = folder
        self._identity = identity
        self._rank = rank
        self._everybody_is_here = everybody_is_here

    def phase(self, name: str) -> "Savepoints":
        """Savepoints of what comes first, in a folder inside this one, which goes with the first savepoint here."""
        return Savepoints(self._folder / name, f"{name} {self._identity}", self._rank, self._everybody_is_here)

    def begun(self) -> bool:
        """Whether there is a savepoint. Raises BadInput where it is damaged."""
        return read_head(self._folder) is not None

    def save(self, position: Position, shared: Callable[[], State], own: State) -> None:
        """Write a savepoint; every worker must call it. `shared` is asked of rank 0 only. Raises EnvironmentFailed."""
        place = self._folder / f"{position.epoch}-{position.step}"
        try:
            place.mkdir(parents=True, exist_ok=True)
            _write(place / f"rank-{self._rank}.pt", own)
            if self._rank == 0:
                _write(place / "shared.pt", shared())
            self._everybody_is_here()
            if self._rank == 0:
                self._name(place.name, position)
        except (OSError, RuntimeError) as problem:
            raise EnvironmentFailed(
                f"cannot save the training to {place}: {problem}; free space, then go on with --resume"
            ) from problem

    def newest(self) -> tuple[Position, State, State | None] | None:
        """Position, shared state, and this rank's own (None for a rank that was not there); None without a savepoint.

        Raises BadInput where the savepoint is of another training or cannot be read.
        """
        head = read_head(self._folder)
        if head is None:
            return None
        if head["identity"] != self._identity:
            raise BadInput(
                f"the savepoint in {self._folder} is of other data or other settings: train without --resume, "
                "or with the settings it began with"
            )
        place = self._folder / str(head["place"])
        own = place / f"rank-{self._rank}.pt"
        return Position(**head["position"]), _read(place / "shared.pt"), _read(own) if own.exists() else None

    def _name(self, place: str, position: Position) -> None:
        head = {"place": place, "position": asdict(position), "identity": self._identity}
        scratch = self._folder / f"{_LATEST}.tmp"
        scratch.write_text(json.dumps(head) + "\n")
        scratch.replace(self._folder / _LATEST)
        for old in self._folder.iterdir():
            if old.is_dir() and old.name != place:
                shutil.rmtree(old, ignore_errors=True)


def identity_of(data_digest: str, model: AttentionConfig, training: TrainingConfig) -> str:
    """What two trainings must share for one to continue the other: data, model, and settings that shape steps."""
    settings = {name: value for name, value in asdict(training).items() if name not in _FREE}
    text = json.dumps([data_digest, model.as_dict(), settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def read_head(folder: Path) -> Mapping[str, Any] | None:
    """What names the newest savepoint in `folder`; None where there is none. Raises BadInput where it is damaged."""
    try:
        head: dict[str, Any] = json.loads((folder / _LATEST).read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        raise BadInput(f"{folder / _LATEST} cannot be read ({problem}): train without --resume") from problem
    return head


def _write(path: Path, state: State) -> None:
    """Through memory: of a full disk torch itself tells where its archive was, and not why."""
    archive = io.BytesIO()
    torch.save(state, archive)
    path.write_bytes(archive.getbuffer())


def stopped_in(folder: Path) -> tuple[str, Position] | None:
    """Phase and position of the newest savepoint of a training; None where there is none. Raises BadInput."""
    for phase, where in ((TRAINING, folder), (PRETRAINING, folder / PRETRAINING)):
        head = read_head(where)
        if head is not None:
            return phase, Position(**head["position"])
    return None


def _read(path: Path) -> State:
    try:
        state: State = torch.load(path, weights_only=True)
    except Exception as problem:  # torch raises whatever its unpickler does
        raise BadInput(f"the savepoint {path} cannot be read ({problem}): train without --resume") from problem
    return state
