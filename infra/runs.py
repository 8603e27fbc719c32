"""The folder of a run: `runs/<run-id>/`, and `runs/latest`, which points at the newest."""

import importlib.metadata
import json
import os
import platform
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from infra.contracts.errors import BadInput, EnvironmentFailed

_REPORTED = (
    "calmverse",
    "kafka-python",
    "lightgbm",
    "mesa",
    "numba",
    "numpy",
    "opentelemetry-sdk",
    "pyarrow",
    "ray",
    "torch",
)
LATEST = "latest"


@dataclass(frozen=True)
class RunDir:
    """Paths of one run, and writing into them."""

    path: Path

    @property
    def run_id(self) -> str:
        """Name of the run: of its folder, and of its topics' namespace."""
        return self.path.name

    @property
    def lake(self) -> Path:
        """What training may read."""
        return self.path / "lake"

    @property
    def truth(self) -> Path:
        """What only evaluation may read."""
        return self.path / "truth"

    @property
    def spans(self) -> Path:
        """Spans of every process, as OTLP JSON lines."""
        return self.path / "spans"

    @property
    def logs(self) -> Path:
        """Standard error of every process."""
        return self.path / "logs"

    @property
    def model(self) -> Path:
        """The checkpoint that was trained in the run."""
        return self.path / "model"

    @property
    def recording(self) -> Path:
        """Every record of the run's topics, where one was kept."""
        return self.path / "topics.parquet"

    def write_json(self, name: str, document: Any) -> Path:  # noqa: ANN401 - whatever JSON can hold
        """Write a JSON document at once: a reader sees the old one or the new one, never half of one."""
        target = self.path / name
        scratch = target.with_suffix(".tmp")
        scratch.write_text(json.dumps(document, indent=1, ensure_ascii=False, default=str) + "\n")
        scratch.replace(target)
        return target


def create(root: Path, name: str, seed: int) -> RunDir:
    """A new, empty run folder under `root`; `latest` points at it. Raises EnvironmentFailed on a disk error."""
    stamp = _stamp()
    run_id = f"{_slug(name)}-{seed}-{stamp}-{secrets.token_hex(2)}"
    path = root.resolve() / run_id
    try:
        for folder in ("lake", "spans", "logs"):
            (path / folder).mkdir(parents=True)
        _point_latest(root, run_id)
    except OSError as problem:
        raise EnvironmentFailed(
            f"cannot create the run folder {path}: {problem.strerror}: choose another with --runs"
        ) from problem
    return RunDir(path)


def stamped(root: Path, name: str) -> Path:
    """Where the results of something that is no run go: a folder of this name and the time (UTC), not made yet."""
    return root.resolve() / f"{name}-{_stamp()}"


def find(root: Path, run: str) -> RunDir:
    """The run named by an id, by `latest`, or by a path. Raises BadInput that lists what there is."""
    for candidate in (Path(run), root / run):
        if (candidate / "lake").is_dir():
            return RunDir(candidate.resolve())
    there = sorted(path.name for path in root.glob("*/") if path.name != LATEST)[-5:]
    known = f"the newest here are {', '.join(there)}" if there else f"there is no run in {root}"
    raise BadInput(f"no run {run!r}: {known}; give a run id, a path, or 'latest'")


def environment() -> dict[str, Any]:
    """Versions, cores and memory of this machine, for environment.json."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "versions": {name: importlib.metadata.version(name) for name in _REPORTED},
    }


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S")


def _slug(name: str) -> str:
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())
    return kept.strip("-")[:40] or "run"


def _point_latest(root: Path, run_id: str) -> None:
    scratch = root / f".{LATEST}-{run_id}"
    scratch.symlink_to(run_id, target_is_directory=True)
    scratch.replace(root / LATEST)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
