"""The body of the command: a run folder, the run, its summary and page, and what a person reads meanwhile."""

import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import yaml
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from infra import runs
from infra.console import say, stderr
from infra.contracts.errors import BadInput
from infra.contracts.time import wall_us
from load_tests import runner, slo, summary
from load_tests.report import build_loadtest_page
from load_tests.runner import Execution, settings_of
from load_tests.scenarios.scenario import Scenario, make
from load_tests.signals import StopSignals
from load_tests.system import SystemOptions


@dataclass(frozen=True, kw_only=True)
class LoadTest:
    """What was asked for. `program` is what starts the system under test, by default `calmverse up`."""

    scenario: str
    settings: dict[str, Any]
    slos: Sequence[str]
    runs: Path
    model: Path | None = None
    policy: str = "threshold"
    broker: Sequence[str] = ()
    drain: float = 60.0
    program: Sequence[str] | None = None
    argv: Sequence[str] = field(default_factory=lambda: tuple(sys.argv[1:]))


def run(request: LoadTest) -> dict[str, Any]:
    """Run a load test and return its summary; the run folder has everything else.

    Raises BadInput and EnvironmentFailed, the latter after a partial summary was written where the load had begun.
    """
    scenario, slos = make(request.scenario, request.settings), slo.parse_all(request.slos)
    if request.drain < 0:
        raise BadInput(f"--drain is {request.drain:g}: give seconds, 0 or more")
    if request.model is not None and not request.model.exists():
        raise BadInput(f"--model {request.model}: there is nothing there; give the folder of a checkpoint")
    started = time.perf_counter()
    folder = runs.create(request.runs, f"loadtest-{scenario.name}", scenario.seed)
    execution = Execution(scenario=scenario, system=_options(request, folder), drain=request.drain)
    environment = _write_resolved(request, folder, scenario, slos)
    with StopSignals() as signals, _Display(scenario) as display:
        progress = runner.execute(execution, signals, display.show)
        document = summary.summarise(execution, progress, slos)
        document |= {"command": shlex.join(["calmverse", *request.argv]), "environment": environment}
        document["wall_s"] = round(time.perf_counter() - started, 2)
        folder.write_json("summary.json", document)
        build_loadtest_page(page_input(document), folder.path / "report.html")
    _tell(document, folder.path)
    if progress.failure is not None:
        raise progress.failure
    return document


def page_input(document: dict[str, Any]) -> dict[str, Any]:
    """The summary as the page takes it: with its title, its health checks, and how to get it again."""
    sender, lag = document["sender"], document["lag"]
    environment = document["environment"]
    system = document["system"] or {}
    return document | {
        "title": f"Load test: {document['scenario']}",
        "events_received": document["events_scored"],
        "checks": [
            {
                "name": "Each event scored once",
                "ok": document["events_duplicated"] == 0 and document["scores_unknown"] == 0,
                "text": f"{document['events_duplicated']:,} scored again, {document['scores_unknown']:,} never sent",
            },
            {
                "name": "Every tick decided on",
                "ok": document["decisions_complete"],
                "text": f"{document['decisions']:,} decisions, {document['decisions_duplicated']:,} of them again",
            },
            {
                "name": "Lag does not grow",
                "ok": None if lag["grows"] is None else not lag["grows"],
                "text": f"{lag['slope_per_s'] or 0:,.1f} events more each second; {lag['rule']}",
            },
            {
                "name": "Sent on time",
                "ok": sender["kept_up"],
                "text": f"{sender['late_slices']:,} of {sender['slices']:,} slices were sent more than "
                f"{sender['late_after_ms']:g} ms late; latency counts from when they were due",
            },
        ],
        "reproduce": {
            "command": document["command"],
            "seed": document["seed"],
            "versions": environment["versions"] | {"python": environment["python"]},
            "facts": {"cpu": str(environment["cpu"]), **{name: str(value) for name, value in system.items()}},
        },
    }


def _options(request: LoadTest, folder: runs.RunDir) -> SystemOptions:
    more = {} if request.program is None else {"program": tuple(request.program)}
    return SystemOptions(
        run_dir=folder.path,
        namespace=folder.run_id,
        model=request.model,
        policy=request.policy,
        broker=request.broker,
        **more,
    )


def _write_resolved(
    request: LoadTest, folder: runs.RunDir, scenario: Scenario, slos: Sequence[slo.Slo]
) -> dict[str, Any]:
    """Write scenario.yaml and environment.json; the environment."""
    resolved = {
        "loadtest": scenario.name,
        **settings_of(scenario),
        "model": str(request.model) if request.model else None,
        "policy": request.policy,
        "drain": request.drain,
        "slos": [f"{each.metric}={each.limit:g}{each.unit}" for each in slos],
    }
    (folder.path / "scenario.yaml").write_text(yaml.safe_dump(resolved, sort_keys=False, allow_unicode=True))
    environment = runs.environment()
    folder.write_json("environment.json", environment)
    return environment


class _Display:
    """One bar on a terminal, one line a phase elsewhere."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._total = scenario.warmup + scenario.seconds
        self._phase = ""
        console = stderr()
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[now]}"))
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._task = self._bar.add_task("start", total=None, now="")

    def show(self, progress: runner.Progress) -> None:
        """Show how far it is."""
        if progress.phase != self._phase:
            self._phase = progress.phase
            say(_PHASES[progress.phase].format(s=self._scenario))
        elapsed = max(0.0, (wall_us() - progress.start_us) / 1e6) if progress.start_us else 0.0
        sent, scored = progress.sender.get("sent", 0), progress.receiver.get("scored", 0)
        worst = progress.receiver.get("worst_ms")
        now = f"sent {sent:,}, scored {scored:,}" + (
            "" if worst is None else f", slowest of the last second {worst:,.0f} ms"
        )
        total = self._total if progress.start_us else None
        self._bar.update(
            self._task, description=progress.phase, total=total, completed=min(elapsed, self._total), now=now
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()


_PHASES = {
    "start": "start: the system under test",
    "load": "load: {s.rate:,g} events/s of {s.people:,} people, {s.warmup:g} s to warm up and {s.seconds:g} s measured",
    "drain": "drain: waiting for what is under way",
}


def _tell(document: dict[str, Any], path: Path) -> None:
    """What a person wants to know, on stderr."""
    for stream, name in (("scores", "latency_ms"), ("decisions", "decision_latency_ms")):
        values = document[name]
        if values["count"]:
            say(
                f"{stream}: p50 {values['p50']:,.1f} ms, p95 {values['p95']:,.1f} ms, p99 {values['p99']:,.1f} ms, "
                f"max {values['max']:,.1f} ms ({values['count']:,} measured)"
            )
    say(
        f"events: {document['events_sent']:,} sent, {document['events_lost']:,} lost, "
        f"{document['events_duplicated']:,} duplicated; lag {_growth(document['lag']['grows'])}"
    )
    if not document["sender"]["kept_up"]:
        say(
            f"the sender was late for {document['sender']['late_slices']:,} of {document['sender']['slices']:,} "
            "slices: this machine is too busy for this rate; the latencies include it"
        )
    if document["processes_left"]:
        say(f"the system left processes behind, which were killed: {document['processes_left']}")
    say(f"{document['verdict']}\nreport: {path / 'report.html'}")


def _growth(grows: bool | None) -> str:
    return {True: "grows", False: "does not grow", None: "was watched too shortly to say whether it grows"}[grows]
