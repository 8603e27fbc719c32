"""What `calmverse oracle` does: record, filter, judge, work out potential outcomes, and write beside the run."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import Progress

from infra.console import progress_bar, say
from infra.contracts.errors import EnvironmentFailed
from infra.runs import RunDir
from simulation.oracle.config import HEADS, HORIZON_US, OracleConfig
from simulation.oracle.lake import scenario_of
from simulation.oracle.potential import potential_outcomes
from simulation.oracle.recording import Recording, record_run, record_scenario
from simulation.oracle.run import Oracle, consult, improvement, predictions_table, verdicts
from simulation.scenarios.model import Scenario

FOLDER = "oracle"
POTENTIAL_FILE = "potential.parquet"


@dataclass(frozen=True, kw_only=True)
class OracleRequest:
    """A run folder, or a scenario to simulate; `compare`: also with so many particles; `out`: where a scenario's
    results go, None for nowhere (a run's go beside it)."""

    config: OracleConfig
    run: Path | None = None
    scenario: Scenario | None = None
    compare: int | None = None
    out: Path | None = None


def execute(request: OracleRequest) -> dict[str, Any]:
    """Do it, write the files and return the document of `oracle.json`; raises BadInput and EnvironmentFailed.

    Ctrl-C while people are filtered leaves a valid document of those who were finished, `partial` true.
    """
    scenario = request.scenario if request.run is None else scenario_of(request.run)
    assert scenario is not None  # noqa: S101  the command gives one or the other
    with progress_bar() as progress:
        recording = _record(request, scenario, progress)
        oracle = _filter(recording, request.config, progress)
        document = _document(request, recording, oracle)
        if request.compare is not None and not oracle.partial:
            document["compare"] = _compare(request, recording, oracle, progress)
        folder = request.out if request.run is None else request.run
        if folder is not None:
            _write(folder, oracle, document)
            if not oracle.partial and scenario.potential_rate > 0:
                document["potential_rows"] = _write_potential(recording, folder, progress)
    return document


def _steps(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    task = progress.add_task(what, total=total)
    return lambda count: progress.advance(task, count)


def _record(request: OracleRequest, scenario: Scenario, progress: Progress) -> Recording:
    ticks = scenario.warmup_ticks + scenario.ticks
    if request.run is None:
        return record_scenario(scenario, request.config, _steps(progress, "simulate", ticks))
    return record_run(request.run, scenario, request.config, _steps(progress, "live again", ticks))


def _filter(recording: Recording, config: OracleConfig, progress: Progress) -> Oracle:
    label = f"filter, {config.particles} particles"
    oracle = consult(recording, config, _steps(progress, label, len(recording.lines)))
    say(f"{label}: {len(oracle.filtered)} people in {oracle.seconds:.1f} s")
    return oracle


def _document(request: OracleRequest, recording: Recording, oracle: Oracle) -> dict[str, Any]:
    config = request.config
    return {
        "scenario": recording.scenario.name,
        "seed": recording.scenario.seed,
        "people": len(oracle.filtered),
        "ticks": len(recording.span),
        "horizon_min": HORIZON_US / 60e6,
        "particles": config.particles,
        "threads": config.threads,
        "partial": oracle.partial,
        "seconds": round(oracle.seconds, 2),
        "particle_steps": oracle.steps,
        "particle_steps_per_s": round(oracle.steps / max(oracle.seconds, 1e-9)),
        "heads": verdicts(oracle, recording) if oracle.filtered else {},
    }


def _compare(request: OracleRequest, recording: Recording, oracle: Oracle, progress: Progress) -> dict[str, Any]:
    assert request.compare is not None  # noqa: S101  looked at before
    other = _filter(recording, replace(request.config, particles=request.compare), progress)
    if other.partial:
        return {"particles": request.compare, "partial": True}
    return {
        "particles": request.compare,
        "partial": False,
        "seconds": round(other.seconds, 2),
        "log_loss_lower_by": improvement(oracle, other, recording),
        "heads": verdicts(other, recording),
    }


def _write(folder: Path, oracle: Oracle, document: dict[str, Any]) -> None:
    own = folder / FOLDER
    try:
        own.mkdir(parents=True, exist_ok=True)
        write_table(predictions_table(oracle), own / "predictions.parquet")
        RunDir(own).write_json("oracle.json", document)
    except OSError as error:
        raise EnvironmentFailed(f"cannot write {own}: {error.strerror}; free space or choose another folder") from error


def _write_potential(recording: Recording, folder: Path, progress: Progress) -> int:
    scenario, span = recording.scenario, recording.span
    table = potential_outcomes(scenario, recording.offers, span, _steps(progress, "potential outcomes", len(span)))
    truth = folder / "truth"
    try:
        truth.mkdir(parents=True, exist_ok=True)
        write_table(table, truth / POTENTIAL_FILE)
    except OSError as error:
        raise EnvironmentFailed(
            f"cannot write {truth}: {error.strerror}; free space or choose another folder"
        ) from error
    return int(table.num_rows)


def write_table(table: pa.Table, path: Path) -> None:
    """Write Parquet at once: a reader sees the old file or the new one."""
    scratch = path.with_suffix(".tmp")
    pq.write_table(table, scratch, compression="zstd")
    scratch.replace(path)


def tell(document: dict[str, Any]) -> None:
    """The result for people."""
    for head in HEADS:
        found = document["heads"].get(head, {})
        if not found.get("rows"):
            say(f"{head}: no rows with a known label")
            continue
        loss, error = found["log_loss"], found["ece"]
        chance = error["by_chance"]
        say(
            f"{head}: {found['rows']:,} rows; log loss base rate {loss['base_rate']:.4f}, observable oracle "
            f"{loss['observable']:.4f}, latent oracle {loss['latent']:.4f}; AUC {found['auc']['observable']:.3f}; "
            f"calibration error {error['observable']:.4f} (chance alone {chance['observable']['mean']:.4f}), against "
            f"true probabilities {error['observable_against_truth']:.4f} (chance alone "
            f"{chance['observable_against_truth']['mean']:.4f}); latent oracle on the same rows {error['latent']:.4f}"
        )
    for head, gain in document.get("compare", {}).get("log_loss_lower_by", {}).items():
        particles = document["compare"]["particles"]
        say(f"{head}, {particles} particles: lower by {gain['mean']:.5f} [{gain['ci_low']:.5f}, {gain['ci_high']:.5f}]")
