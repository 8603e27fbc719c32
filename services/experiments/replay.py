"""Replaying an outside log: through Kafka, the model and the services, as if the people were here.

First pass: rows become frames, and reach the lake. Then a model is trained on the lake, unless one is given. Second
pass: monitor and interventions read the same frames from the beginning, and every event is scored once.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra import runs
from infra.bus.broker import describe
from infra.console import progress_bar, say
from infra.contracts.errors import BadInput, VerdictFailed
from infra.runs import RunDir
from infra.telemetry.setup import Telemetry
from models.features.outside_events import OutsideTick, outside_ticks
from models.features.outside_log import BrokenRow, Row, read_rows
from models.features.outside_map import LogMap
from services.experiments import summary
from services.experiments.audit import Audit, audit, decision_counts, digest_of
from services.experiments.display import Display
from services.experiments.interrupts import Interrupts
from services.experiments.learning import LearningPlan, TrainedModel, deploy, learn, untrained
from services.experiments.run import flush_lake
from services.experiments.stack import Stack, StackOptions
from services.experiments.tracing_summary import trace_summary
from services.experiments.wire import SourceWire

SOURCE = "replay"


@dataclass(frozen=True, kw_only=True)
class ReplayRequest:
    """What to replay. `model`: a checkpoint instead of training one on the log."""

    file: Path
    mapping: LogMap
    policy: str
    seed: int
    runs: Path
    command: str
    stack: StackOptions = field(default_factory=StackOptions)
    model: Path | None = None


@dataclass
class ReplayState:
    """What is known so far."""

    rows: int = 0
    broken: int = 0
    people: int = 0
    events: int = 0
    ticks: list[int] = field(default_factory=list)
    dead_letters: int = 0
    model: TrainedModel | None = None
    audit: Audit | None = None
    broker: dict[str, object] = field(default_factory=dict)


def replay(request: ReplayRequest) -> dict[str, Any]:
    """Replay the log and return the summary. Raises BadInput where the file as a whole cannot be used."""
    training = {"horizon_min": 0} | request.mapping.training
    plan = LearningPlan.of_scenario({"name": request.policy}, training, request.seed)
    good, broken = read_rows(request.file, request.mapping)
    folder = runs.create(request.runs, f"replay-{request.file.stem}", request.seed)
    say(f"run {folder.run_id}: {len(good)} rows, {len(broken)} broken")
    folder.write_json("environment.json", runs.environment())
    with Interrupts() as interrupts, progress_bar() as progress:
        return _Replay(request, plan, folder, interrupts, Display(progress)).execute(good, broken)


class _Replay:
    """One replay, phase by phase."""

    def __init__(
        self, request: ReplayRequest, plan: LearningPlan, folder: RunDir, interrupts: Interrupts, display: Display
    ) -> None:
        self.request, self.plan, self.folder = request, plan, folder
        self.interrupts, self.display = interrupts, display
        self.state = ReplayState()
        self.started = time.perf_counter()

    def execute(self, good: Sequence[Row], broken: Sequence[BrokenRow]) -> dict[str, Any]:
        """Both passes and the summary."""
        key = hashlib.blake2b(b"calmverse replay", key=self.request.seed.to_bytes(8, "little"), digest_size=32).digest()
        ticks = list(outside_ticks(good, key))
        state = self.state
        state.rows, state.broken = len(good) + len(broken), len(broken)
        state.people = len({row.person for row in good})
        state.events = sum(tick.events.num_rows for tick in ticks)
        state.ticks = [tick.tick for tick in ticks]
        try:
            self._passes(ticks, broken)
        except KeyboardInterrupt:
            say("stopped early")
        return self._close()

    def _passes(self, ticks: Sequence[OutsideTick], broken: Sequence[BrokenRow]) -> None:
        request, display, state = self.request, self.display, self.state
        with (
            Stack(self.folder, request.stack) as stack,
            Telemetry(SOURCE, self.folder.spans, request.stack.otlp) as tel,
        ):
            state.broker = describe(stack.broker)
            capabilities = stack.broker.capabilities
            with SourceWire(stack.broker.bootstrap, stack.namespace, SOURCE, tel.tracer, capabilities) as wire:
                with display.phase("start"):
                    stack.start_service("archiver")
                    stack.start_ray()
                    self.interrupts.take()
                    stack.services.wait_ready("archiver")
                with display.phase("send", len(ticks)) as progress:
                    self._send(wire, ticks, broken, progress)
                    flush_lake(stack, wire)
                with display.phase("train"):
                    state.model = self._model()
                with display.phase("deploy"):
                    deploy(self.plan, stack, state.model)
                with display.phase("score", len(ticks)) as progress:
                    for tick in ticks:
                        wire.await_orders(tick.tick, stack.watch)
                        progress(1)
                flush_lake(stack, wire)
                state.dead_letters = wire.count_dead_letters()
        state.audit = audit(self.folder.lake, state.events, range(min(state.ticks), max(state.ticks) + 1))

    def _send(
        self,
        wire: SourceWire,
        ticks: Sequence[OutsideTick],
        broken: Sequence[BrokenRow],
        progress: Callable[[int], None],
    ) -> None:
        for row in broken:
            wire.bury(row.raw, f"{self.request.file.name}:{row.line}: {row.reason}")
        write_broken(self.folder, broken)
        for tick in ticks:
            wire.publish(tick.tick, {"events": tick.events})
            progress(1)

    def _model(self) -> TrainedModel:
        """The given model, one trained on the log, or, where the log has no usable outcome, an untrained one."""
        try:
            return learn(self.plan, self.folder, self.request.model)
        except BadInput as problem:
            if self.request.model is not None:
                raise
            say(f"no model can be trained on this log ({problem}); scoring with an untrained one")
            return untrained(self.plan, self.folder)

    def _close(self) -> dict[str, Any]:
        state = self.state
        found = state.audit
        document = {
            "run_id": self.folder.run_id,
            "seed": self.request.seed,
            "file": str(self.request.file),
            "rows": state.rows,
            "rows_sent": state.rows - state.broken,
            "rows_broken": state.broken,
            "people": state.people,
            "ticks": len(state.ticks),
            "events_emitted": state.events,
            "events_archived": found.archived if found else 0,
            "events_scored": found.scored if found else 0,
            "events_lost": found.lost if found else state.events,
            "events_duplicated": found.duplicated if found else 0,
            "scores_out_of_order": found.out_of_order if found else 0,
            "dead_letters": state.dead_letters,
            **summary.decisions(decision_counts(self.folder.lake)),
            "policy": self.plan.policy_id,
            "model": summary.model(state.model),
            **trace_summary(self.folder.spans, 0, 0),
            "digest": digest_of(self.folder.lake),
            "broker": state.broker,
            "partial": found is None,
            "phases_s": self.display.seconds,
            "wall_s": round(time.perf_counter() - self.started, 2),
            "reproduce": {"command": self.request.command},
        }
        self.folder.write_json("summary.json", document)
        return document


def write_broken(folder: RunDir, broken: Sequence[BrokenRow]) -> None:
    """Keep broken rows beside the run, one JSON object a line: the embedded broker forgets its dead letters."""
    with (folder.path / "deadletters.jsonl").open("w") as file:
        for row in broken:
            document = {"line": row.line, "reason": row.reason, "row": row.raw.decode(errors="replace").rstrip("\r\n")}
            file.write(json.dumps(document, ensure_ascii=False) + "\n")


def verdict(document: dict[str, Any]) -> None:
    """Raise VerdictFailed where rows were broken or the counts do not add up."""
    problems = []
    if document["rows_broken"]:
        problems.append(f"{document['rows_broken']} of {document['rows']} rows are in the dead letters")
    counted = ("events_lost", "events_duplicated", "scores_out_of_order")
    problems += [f"{document[name]} {name.replace('_', ' ')}" for name in counted if document[name]]
    if problems:
        raise VerdictFailed("; ".join(problems))
