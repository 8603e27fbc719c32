"""The scorecard: every fact measured on one scenario, written as JSON and as a page."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.contracts.errors import EnvironmentFailed
from infra.runs import RunDir, environment, stamped
from simulation.calibration import discover
from simulation.calibration.fact import Result
from simulation.calibration.lab import Lab, Progress, no_progress
from simulation.scenarios.model import Scenario

ENOUGH = 20
"""Facts that must pass."""


@dataclass(frozen=True)
class Scorecard:
    """All results for a scenario, and how long they took."""

    scenario: Scenario
    results: tuple[Result, ...]
    seconds: float

    @property
    def passed(self) -> int:
        """How many facts pass."""
        return sum(result.passed for result in self.results)

    @property
    def ok(self) -> bool:
        """Whether enough of them do."""
        return self.passed >= ENOUGH

    def as_json(self) -> dict[str, Any]:
        """The document of `calibration.json`, and of `--json`."""
        return {
            "facts": [result.as_json() for result in self.results],
            "passed": self.passed,
            "total": len(self.results),
            "needed": ENOUGH,
            "scenario": self.scenario.name,
            "seed": self.scenario.seed,
            "seconds": round(self.seconds, 1),
        }


def measure(
    scenario: Scenario,
    say: Callable[[str], None],
    progress: Progress = no_progress,
    size: float = 1.0,
) -> Scorecard:
    """Measure every fact that is found; `say` hears each result, `progress` the minutes simulated."""
    lab, began, results = Lab(scenario, progress, size), time.perf_counter(), []
    for fact in discover().values():
        result = Result(fact, fact.measure(lab))
        results.append(result)
        say(told(result))
    return Scorecard(scenario, tuple(results), time.perf_counter() - began)


def told(result: Result) -> str:
    """One line about a result."""
    word = "pass" if result.passed else "MISS"
    head = result.finding.parts[0]
    one = head.simulated
    figures = f"{one.value:.4g} [{one.low:.4g}, {one.high:.4g}] {head.unit}".rstrip()
    return f"{word} {result.fact.row:>2} {result.fact.title}: {head.name} {figures}, published {head.published.text}"


def write(card: Scorecard, root: Path, command: str) -> RunDir:
    """Write `calibration.json` and `calibration.html` into a new folder under `root`.

    Raises:
        EnvironmentFailed: the folder cannot be written.
    """
    from simulation.calibration.report import write_report  # noqa: PLC0415  loads the drawing library

    path = stamped(root, f"calibration-{card.scenario.name}")
    try:
        path.mkdir(parents=True, exist_ok=True)
        folder = RunDir(path)
        folder.write_json("calibration.json", card.as_json())
        folder.write_json("environment.json", environment())
        write_report(card, path / "calibration.html", command)
    except OSError as problem:
        raise EnvironmentFailed(f"cannot write {path}: {problem.strerror}: choose another with --out") from problem
    return folder
