"""A run of the population alone (`run --no-services`): shards on Ray, frames through Kafka, counted at both ends."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import runs
from infra.bus.admin import create_topics, delete_topics
from infra.bus.apache.control import disk_use
from infra.bus.broker import describe
from infra.console import progress_bar, say
from infra.contracts.digest import Digest
from infra.contracts.worlds import World
from infra.hosting.ray_session import ray_session
from infra.runs import RunDir
from services.experiments.counting import CountingReader, Counts
from services.experiments.course import Course
from services.experiments.display import Display
from services.experiments.interrupts import Interrupts
from services.experiments.memory import MemoryPeak
from services.experiments.pages_population import build_population_report
from services.experiments.publishing import Published, PublishTo, Tally
from services.experiments.run import write_scenario
from services.experiments.segments import STREAMS, Segments
from services.experiments.stack import BROKER_FOLDER, StackOptions
from simulation.scenarios.model import Scenario
from simulation.shards.on_ray import RayShards
from simulation.shards.shard import ShardPlan, Told

SHARDS = 2
ROTATE_EVERY = 30
"""Ticks whose frames share a topic: of a million people some 150 MB."""
KEPT = 2
"""Segments that the shards may be ahead of the reader: what the broker holds at most, and one being deleted."""


@dataclass(frozen=True, kw_only=True)
class PopulationRequest:
    """What to run. `command` is what the person typed; `rotate_every` so many ticks the topics change."""

    scenario: Scenario
    seed: int
    runs: Path
    command: str
    stack: StackOptions
    shards: int = SHARDS
    rotate_every: int = ROTATE_EVERY


def run_population(request: PopulationRequest) -> dict[str, Any]:
    """Run it and return its summary, which is also in the run folder.

    Raises BadInput and EnvironmentFailed. Ctrl-C ends it between two ticks, with a summary that says `partial`.
    """
    folder = runs.create(request.runs, request.scenario.name, request.seed)
    say(f"run {folder.run_id}")
    write_scenario(folder, request.scenario, request.seed)
    folder.write_json("environment.json", runs.environment())
    with Interrupts() as interrupts, progress_bar() as progress:
        return _PopulationRun(request, folder, interrupts, Display(progress)).execute()


class _PopulationRun:
    """One run."""

    def __init__(self, request: PopulationRequest, folder: RunDir, interrupts: Interrupts, display: Display) -> None:
        scenario = request.scenario
        self.request, self.folder = request, folder
        self.interrupts, self.display = interrupts, display
        self.segments = Segments(
            namespace=folder.run_id,
            first_tick=scenario.first_tick,
            ticks=scenario.warmup_ticks + scenario.ticks,
            each=request.rotate_every,
        )
        self.memory = MemoryPeak()
        self.broker = request.stack.open(folder)
        self.ticks = 0
        self.deleted = 0

    def execute(self) -> dict[str, Any]:
        """All of it; the summary is written in the end."""
        started = time.perf_counter()
        with ExitStack() as stack:
            stack.enter_context(self.broker)
            self.memory.broker_pids = list(self.broker.pids.values())
            with ExitStack() as running:
                with self.display.phase("start"):
                    stack.enter_context(ray_session(self.request.shards + 1))
                    self.interrupts.take()
                    reader = stack.enter_context(self._reading())
                    shards = stack.enter_context(RayShards(self._plan()))
                    # Before the line that says that it has started: a Ctrl-C after it finds a run to sum up.
                    running.enter_context(self.interrupts.patient())
                with self.display.phase("run", self.segments.ticks) as progress:
                    self._run(shards, reader, progress)
            with self.display.phase("count"):
                told = shards.finish()
                reader.wait_for(self.segments.of(self.segments.first_tick + self.ticks - 1) + 1, self._watch)
        return self._sum_up(told, reader.counts, time.perf_counter() - started)

    def _plan(self) -> ShardPlan:
        request = self.request
        target = PublishTo(
            bootstrap=self.broker.bootstrap, segments=self.segments, security=request.stack.broker.security
        )
        return ShardPlan(scenario=request.scenario, seed=request.seed, shards=request.shards, outlet=target)

    @contextmanager
    def _reading(self) -> Iterator[CountingReader]:
        reader = CountingReader(self.broker.bootstrap, self.segments, self.broker.capabilities.fetch_wait_ms)
        reader.start()
        try:
            yield reader
        finally:
            reader.stop()

    def _run(self, shards: RayShards, reader: CountingReader, progress: Any) -> None:  # noqa: ANN401  advances a bar
        def watch(done: int) -> bool:
            progress(done - self.ticks)
            self.ticks = done
            reader.check()
            self._watch()
            return not self.interrupts.stop.is_set()

        for segment in range(self.segments.count):
            reader.wait_for(segment - KEPT + 1, self._watch)
            self._rotate(segment, reader.through)
            reader.open(segment)
            if not shards.advance(len(self.segments.ticks_of(segment)), watch):
                break
        self.ticks = shards.done
        reader.end_at(self.segments.first_tick + self.ticks - 1)

    def _rotate(self, segment: int, through: int) -> None:
        """Make the segment's topics, and delete those that have been read, unless there is a disk for them."""
        bootstrap = self.broker.bootstrap
        create_topics(bootstrap, self.segments.topics(segment).values())
        if self.broker.capabilities.on_disk:
            return
        for old in range(self.deleted, through):
            delete_topics(bootstrap, self.segments.topics(old).values())
        self.deleted = max(self.deleted, through)

    def _watch(self) -> None:
        self.memory.sample()
        self.broker.revive()

    def _sum_up(self, told: list[Told], read: Counts, wall_s: float) -> dict[str, Any]:
        course = Course()
        for one in told:
            course.merge(one.found.course)
        document = summary_of(told, read) | self._facts(told, wall_s) | {"practices": course.practices_by_kind()}
        self.folder.write_json("summary.json", document)
        course.table().write_parquet(self.folder.path / "series.parquet")
        build_population_report(self.folder.path)
        return document

    def _facts(self, told: list[Told], wall_s: float) -> dict[str, Any]:
        scenario, ran_s = self.request.scenario, self.display.seconds["run"]
        return {
            "run_id": self.folder.run_id,
            "command": self.request.command,
            "scenario": scenario.name,
            "seed": self.request.seed,
            "people": scenario.people,
            "ticks": self.ticks,
            "ticks_planned": self.segments.ticks,
            "services": False,
            "partial": self.ticks < self.segments.ticks,
            "shards": self.request.shards,
            "broker": describe(self.broker),
            "topics_rotated": self.segments.count,
            "topics_kept": self.broker.capabilities.on_disk,
            "broker_disk_bytes": disk_use((self.folder.path / BROKER_FOLDER).rglob("*")),
            "wall_s": round(wall_s, 1),
            "phases_s": self.display.seconds,
            "ticks_a_topic": self.request.rotate_every,
            "agent_steps_per_s": round(scenario.people * self.ticks / ran_s) if ran_s else None,
            "bytes_per_person": round(sum(one.nbytes for one in told) / scenario.people, 1),
            "peak_memory_bytes": self.memory.ours,
            "peak_broker_memory_bytes": self.memory.broker,
        }


def summary_of(told: list[Told], read: Counts) -> dict[str, Any]:
    """What went in against what came out: the part of summary.json that the counting is about."""
    sent, digest = Tally(), Digest()
    for one in told:
        published: Published = one.found
        sent.merge(published.tally)
        digest.merge(published.digest)
    lost = {stream: max(0, sent.rows[stream] - read.tally.rows[stream]) for stream in STREAMS}
    return {
        "worlds": {world.label: int(sent.worlds[world]) for world in World if world is not World.NONE},
        "events_emitted": sent.rows["events"],
        "events_read": read.tally.rows["events"],
        "events_lost": lost["events"],
        "events_duplicated": read.repeated_rows + max(0, read.tally.rows["events"] - sent.rows["events"]),
        "rows_emitted": sent.rows,
        "rows_read": read.tally.rows,
        "rows_lost": sum(lost.values()),
        "same_ids_at_both_ends": sent.identity == read.tally.identity,
        "tick_ends_read": read.tick_ends,
        "tick_ends_that_disagree": read.wrong_ticks,
        "unreadable_frames": read.unreadable,
        "frames": read.frames,
        "bytes": read.value_bytes,
        "digest": digest.hexdigest(),
    }


def clean(document: dict[str, Any]) -> bool:
    """Whether everything sent was read, once."""
    wrong = ("rows_lost", "events_duplicated", "tick_ends_that_disagree", "unreadable_frames")
    return bool(document["same_ids_at_both_ends"]) and not any(document[name] for name in wrong)
