"""The main job: warm up, train, deploy, run the closed loop in lockstep, run the twin, audit, report."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from infra import runs
from infra.bus.broker import describe
from infra.bus.recording import read_commits, read_topics, write_recording
from infra.console import progress_bar, say
from infra.contracts.time import wall_us
from infra.contracts.topics import STREAMS, Topics
from infra.runs import RunDir
from infra.telemetry import names
from infra.telemetry.setup import Telemetry
from services.experiments import summary
from services.experiments.audit import Audit, audit, decision_counts, digest_of
from services.experiments.display import Display
from services.experiments.effect import all_differences
from services.experiments.interrupts import Interrupts
from services.experiments.kills import Killer, plan_kills, require_room
from services.experiments.learning import LearningPlan, TrainedModel, deploy, learn
from services.experiments.lockstep import LockstepLoop, LoopCounts, Record, run_open
from services.experiments.report import build_report
from services.experiments.series import Series
from services.experiments.stack import Stack, StackOptions
from services.experiments.tracing_summary import trace_summary
from services.experiments.twin import run_twin
from services.experiments.wire import SourceWire
from simulation.core.model import Metaverse
from simulation.scenarios.model import Scenario

SOURCE = "simulation"


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What to run. `command` is what the person typed, for the report. `model`: a checkpoint instead of training."""

    scenario: Scenario
    seed: int
    runs: Path
    command: str
    stack: StackOptions = field(default_factory=StackOptions)
    model: Path | None = None
    kills: int = 0
    """Kill services and, where one may be gone, a broker node so many times while the loop runs."""
    record: bool = False
    """Keep every record of the topics beside the run, for `calmverse audit`."""


@dataclass
class RunState:
    """What is known so far: a run that is stopped early is summed up from it."""

    warmup: LoopCounts = field(default_factory=LoopCounts)
    loop: LoopCounts = field(default_factory=LoopCounts)
    model: TrainedModel | None = None
    measures: dict[str, dict[str, Any]] = field(default_factory=dict)
    audit: Audit | None = None
    refused: Counter[str] = field(default_factory=Counter)
    dead_letters: int = 0
    loop_began_us: int = 0
    broker: dict[str, object] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    kills: list[dict[str, Any]] = field(default_factory=list)
    partial: bool = False


def run(request: RunRequest) -> dict[str, Any]:
    """Run the main job and return its summary; the run folder holds everything else.

    Raises BadInput and EnvironmentFailed. Ctrl-C ends it early with a valid summary that says `partial`.
    """
    plan = LearningPlan.of_scenario(request.scenario.policy, request.scenario.training, request.seed)
    require_room(request.kills, request.scenario.ticks)
    folder = runs.create(request.runs, request.scenario.name, request.seed)
    say(f"run {folder.run_id}")
    write_scenario(folder, request.scenario, request.seed)
    folder.write_json("environment.json", runs.environment())
    with Interrupts() as interrupts, progress_bar() as progress:
        return _Run(request, plan, folder, interrupts, Display(progress)).execute()


def write_scenario(folder: RunDir, scenario: Scenario, seed: int) -> None:
    """Write scenario.yaml as resolved, the seed included."""
    document = scenario.model_dump(mode="json") | {"seed": seed}
    (folder.path / "scenario.yaml").write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


class _Run:
    """One run, phase by phase."""

    def __init__(
        self, request: RunRequest, plan: LearningPlan, folder: RunDir, interrupts: Interrupts, display: Display
    ) -> None:
        self.request, self.plan, self.folder = request, plan, folder
        self.interrupts, self.display = interrupts, display
        self.state = RunState()
        self.series = Series()
        self.started = time.perf_counter()

    def execute(self) -> dict[str, Any]:
        """All phases, and the summary even when one was broken off by Ctrl-C."""
        try:
            self._live_phases()
            self._twin()
        except KeyboardInterrupt:
            self.state.partial = True
        self.state.partial |= self.interrupts.stop.is_set()
        return self._close()

    def _live_phases(self) -> None:
        """Everything that needs the broker and the services."""
        request, display = self.request, self.display
        with Stack(self.folder, request.stack) as stack:
            self.state.broker = describe(stack.broker)
            with (
                Telemetry(SOURCE, self.folder.spans, request.stack.otlp) as telemetry,
                SourceWire(
                    stack.broker.bootstrap, stack.namespace, SOURCE, telemetry.tracer, stack.broker.capabilities
                ) as wire,
            ):
                with display.phase("start"):
                    stack.start_service("archiver")
                    stack.start_service("gateway")
                    stack.start_ray()
                    self.interrupts.take()
                    stack.services.wait_ready("archiver")
                    stack.services.wait_ready("gateway")
                    stack.write_live()
                population = Metaverse(request.scenario, request.seed)
                try:
                    self._loop_phases(stack, wire, telemetry, population)
                finally:
                    self._collect(stack, wire, population)

    def _loop_phases(self, stack: Stack, wire: SourceWire, telemetry: Telemetry, population: Metaverse) -> None:
        scenario, display, state = self.request.scenario, self.display, self.state
        with display.phase("warm up", scenario.warmup_ticks) as progress, self.interrupts.patient() as stop:
            state.warmup = run_open(population, wire, scenario.warmup_ticks, stop, progress)
            flush_lake(stack, wire)
        if stop.is_set():
            return
        with display.phase("train"), telemetry.tracer.start_as_current_span(names.TRAIN):
            state.model = learn(self.plan, self.folder, self.request.model)
        with display.phase("deploy"), telemetry.tracer.start_as_current_span(names.DEPLOY):
            deploy(self.plan, stack, state.model, population.tick if state.warmup.ticks else None)
        wire.go_live()
        population.start_measuring()
        state.loop_began_us = wall_us()
        phase = display.phase("run", scenario.ticks)
        with phase as progress, self.interrupts.patient() as stop, self._killing(stack) as watch:
            loop = LockstepLoop(population, wire, telemetry.tracer, Record(state.loop, self.series), watch)
            loop.run(scenario.ticks, stop, progress)
        state.measures["run"] = population.measure()
        state.refused = population.refused

    @contextmanager
    def _killing(self, stack: Stack) -> Iterator[Callable[[], None]]:
        """What the loop calls while it waits: it revives what has died and kills what is due."""
        state = self.state
        plan = plan_kills(self.request.kills, self.request.scenario.ticks, self.request.seed, stack.victims())
        killer = Killer(stack, plan)

        def watch() -> None:
            stack.watch()
            killer.look(len(state.loop.round_trip_ms))

        try:
            yield watch
            killer.finish(stack.watch)
        finally:
            killer.stop()
            state.kills = killer.told(state.loop.round_trip_ms)

    def _collect(self, stack: Stack, wire: SourceWire, population: Metaverse) -> None:
        """Bring everything to disk while the services still run; also after Ctrl-C."""
        with self.display.phase("archive"):
            flush_lake(stack, wire)
            self.state.dead_letters = wire.count_dead_letters()
            self.state.restarts = {m.name: m.restarts for m in stack.services.members.values() if m.restarts}
            done = range(population.tick - self.state.loop.ticks, population.tick)
            if self.request.record:
                keep_topics(stack)
            self.state.audit = audit(self.folder.lake, self.state.loop.events, done)

    def _twin(self) -> None:
        ticks = self.state.loop.ticks
        if ticks == 0 or self.interrupts.stop.is_set():
            return
        scenario = self.request.scenario
        with self.display.phase("twin", scenario.warmup_ticks + ticks) as progress:
            self.state.measures["twin"] = run_twin(scenario, self.request.seed, ticks, self.series, progress)

    def _close(self) -> dict[str, Any]:
        """Summary and report from what is on disk by now."""
        with self.display.phase("report"):
            self.series.write(self.folder.path / "series.parquet")
            if self.state.model:
                self.folder.write_json(
                    "quality.json", {"heads": self.state.model.heads, "notes": self.state.model.notes}
                )
            document = self._summary()
            self.folder.write_json("summary.json", document)
            build_report(self.folder.path)
        document["phases_s"] = self.display.seconds
        document["wall_s"] = round(time.perf_counter() - self.started, 2)
        self.folder.write_json("summary.json", document)
        return document

    def _summary(self) -> dict[str, Any]:
        state, request = self.state, self.request
        found = state.audit
        return {
            "run_id": self.folder.run_id,
            "scenario": request.scenario.name,
            "seed": request.seed,
            "people": request.scenario.people,
            "days": request.scenario.days,
            "partial": state.partial,
            "ticks": state.loop.ticks,
            "ticks_planned": request.scenario.ticks,
            "warmup": {"ticks": state.warmup.ticks, "events": state.warmup.events},
            "worlds": found.worlds if found else {},
            "events_emitted": state.loop.events,
            "events_archived": found.archived if found else 0,
            "events_scored": found.scored if found else 0,
            "events_lost": found.lost if found else state.loop.events,
            "events_duplicated": found.duplicated if found else 0,
            "scores_out_of_order": found.out_of_order if found else 0,
            "dead_letters": state.dead_letters,
            **summary.decisions(decision_counts(self.folder.lake)),
            "interventions_applied": state.loop.applied,
            "interventions_refused": dict(state.refused),
            "policy": self.plan.policy_id,
            "model": summary.model(state.model),
            **summary.effects(all_differences(state.measures.get("run", {}), state.measures.get("twin", {}))),
            "latency_ms": summary.latency(np.array(state.loop.round_trip_ms)),
            **trace_summary(self.folder.spans, state.loop.applied, state.loop_began_us),
            "digest": digest_of(self.folder.lake),
            "broker": state.broker,
            "restarts": state.restarts,
            "kills": state.kills,
            "phases_s": self.display.seconds,
            "wall_s": round(time.perf_counter() - self.started, 2),
            "reproduce": {"command": request.command},
        }


def keep_topics(stack: Stack) -> None:
    """Keep every record of the topics in the run folder; committed ones, where the broker does transactions right."""
    bootstrap, transactions = stack.broker.bootstrap, stack.broker.capabilities.transactions
    commits = read_commits(bootstrap, stack.namespace) if transactions else None
    records = read_topics(bootstrap, Topics(stack.namespace).all(), committed=transactions)
    write_recording(stack.run.recording, records, commits)


def flush_lake(stack: Stack, wire: SourceWire) -> None:
    """Wait until all that was sent and derived so far is in the lake; EnvironmentFailed where it does not get there."""
    wire.flush()
    stack.services.post("archiver", "/flush", {"offsets": wire.end_offsets(STREAMS), "timeout_s": 110.0})
