"""A population straight into a lake (`generate`): no broker, no services, no offers; something to train on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from infra import runs
from infra.console import progress_bar, say
from infra.contracts.digest import Digest
from infra.contracts.frames import Frame
from infra.contracts.identity import partition_of
from infra.contracts.worlds import World
from infra.runs import RunDir
from infra.storage.lake import LakeWriter
from services.experiments.display import Display
from services.experiments.interrupts import Interrupts
from services.experiments.publishing import Tally
from services.experiments.run import SOURCE, write_scenario
from simulation.core.model import Metaverse
from simulation.core.output import TickOutput
from simulation.scenarios.model import Scenario

FLUSH_TICKS = 240
"""Ticks in a file of a partition: of 20,000 people some 100,000 events, and memory that does not grow with the days."""


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """What to simulate. `command` is what the person typed."""

    scenario: Scenario
    seed: int
    runs: Path
    command: str


def generate(request: GenerationRequest) -> dict[str, Any]:
    """Simulate the scenario into a new run folder and return its summary.

    The events are those of a run in which nobody is offered anything, warm-up included. Cost is linear in events: some
    5 µs each. Raises BadInput and EnvironmentFailed. Ctrl-C ends it between two ticks, with a lake that is whole so far
    and a summary that says `partial`.
    """
    folder = runs.create(request.runs, request.scenario.name, request.seed)
    write_scenario(folder, request.scenario, request.seed)
    folder.write_json("environment.json", runs.environment())
    with Interrupts() as interrupts, progress_bar() as progress:
        display, writing = Display(progress), _Writing(folder)
        planned = request.scenario.warmup_ticks + request.scenario.ticks
        with interrupts.patient() as stop, display.phase("simulate", planned) as advance:
            say(f"run {folder.run_id}")  # a Ctrl-C from here on leaves a run
            population = Metaverse(request.scenario, request.seed)
            while writing.ticks < planned and not stop.is_set():
                population.step()
                writing.add(population.drain())
                advance(1)
            writing.flush()
    document = (
        _facts(request, folder)
        | writing.facts()
        | {
            "ticks_planned": planned,
            "partial": writing.ticks < planned,
            "phases_s": display.seconds,
        }
    )
    folder.write_json("summary.json", document)
    return document


class _Writing:
    """Where rows go, and what has gone there."""

    def __init__(self, folder: RunDir) -> None:
        self._roots = {"events": folder.lake, "outcomes": folder.lake, "truth": folder.truth}
        self._writers: dict[tuple[str, int], LakeWriter] = {}
        self._frames: dict[tuple[str, int], int] = {}
        self._tally, self._digest = Tally(), Digest()
        self.ticks = 0

    def add(self, output: TickOutput) -> None:
        """Take the rows of one tick."""
        for stream, batch in (("events", output.events), ("outcomes", output.outcomes), ("truth", output.truth)):
            self._tally.add(stream, batch)
            owner = np.asarray(partition_of(batch.column("person").to_numpy()))
            for partition in np.unique(owner).tolist():
                self._append(stream, partition, output.tick, batch.filter(pa.array(owner == partition)))
        self._digest.add_events(output.events)
        self.ticks += 1
        if self.ticks % FLUSH_TICKS == 0:
            self.flush()

    def flush(self) -> None:
        """Everything to disk."""
        for writer in self._writers.values():
            writer.flush()

    def facts(self) -> dict[str, Any]:
        """Counts for the summary."""
        worlds = {world.label: int(self._tally.worlds[world]) for world in World if world is not World.NONE}
        return {
            "ticks": self.ticks,
            "events_emitted": self._tally.rows["events"],
            "outcomes_emitted": self._tally.rows["outcomes"],
            "worlds": worlds,
            "digest": self._digest.hexdigest(),
        }

    def _append(self, stream: str, partition: int, tick: int, batch: pa.RecordBatch) -> None:
        place = (stream, partition)
        if place not in self._writers:
            self._writers[place] = LakeWriter(self._roots[stream], stream, partition)
        offset = self._frames.get(place, 0)
        frame = Frame(stream=stream, tick=tick, source=SOURCE, batch=batch, frame_id=str(offset))
        self._writers[place].append(frame, offset)
        self._frames[place] = offset + 1


def _facts(request: GenerationRequest, folder: RunDir) -> dict[str, Any]:
    return {
        "run_id": folder.run_id,
        "command": request.command,
        "scenario": request.scenario.name,
        "seed": request.seed,
        "people": request.scenario.people,
        "services": False,
    }
