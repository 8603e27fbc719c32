"""Exactly-once beside at-least-once: the same frames through the same two hops on Apache Kafka, in turn.

Two lanes in processes of their own read, decode, encode and write; a reader counts what comes out. With transactions a
lane commits outputs and offsets as one and reads what is committed, as does the reader; without, a repeat after a crash
is possible. All else is equal: idempotent producers, acknowledgements of all copies, snapshots, frames.
"""

import contextlib
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from infra.bus.admin import create_topics, delete_topics
from infra.bus.apache.cluster import ApacheBroker, ApacheOptions
from infra.bus.apache.fetch import DEFAULT_CACHE
from infra.bus.bench_events import make_events
from infra.bus.consumer import FrameConsumer
from infra.bus.eos.hop import Hop
from infra.bus.messages import Received
from infra.bus.producer import FrameProducer, TickMark
from infra.contracts.errors import EnvironmentFailed
from infra.contracts.frames import Frame, TickEnd
from infra.contracts.topics import PARTITIONS, Topics

_SILENCE_S: Final = 30.0
_READY_S: Final = 60.0
_DISTINCT: Final = 8
"""Different batches that the frames are made of."""
_NUMBERS = itertools.count()


@dataclass(frozen=True, kw_only=True)
class EosBench:
    """What is measured: `ticks` ticks of a frame of `rows` events in every partition, both ways, `rounds` times."""

    rows: int = 1_000
    ticks: int = 400
    rounds: int = 5
    nodes: int = 1
    cache: Path = field(default=DEFAULT_CACHE)


def run_bench(plan: EosBench, progress: Callable[[str], None] = lambda _text: None) -> dict[str, Any]:
    """Both ways on one cluster, in turn, the first of a round second in the next; raises EnvironmentFailed.

    `cost` is the share of at-least-once throughput that exactly-once takes: 1 − the median ratio of the rounds.
    """
    with ApacheBroker(ApacheOptions(nodes=plan.nodes, cache=plan.cache)) as broker:
        progress(f"{plan.ticks * PARTITIONS:,} frames of {plan.rows:,} events, {broker.version}, nodes: {plan.nodes}")
        return compare(broker.bootstrap, plan, progress) | {"nodes": plan.nodes}


def compare(bootstrap: str, plan: EosBench, progress: Callable[[str], None] = lambda _text: None) -> dict[str, Any]:
    """Both ways on a cluster that runs; raises EnvironmentFailed."""
    source = f"eos-source-{next(_NUMBERS)}"
    create_topics(bootstrap, [Topics(source).events])
    fill(bootstrap, source, plan)
    for transactions in (True, False):  # warm: the broker compiles, its caches fill
        measure(bootstrap, source, plan, transactions=transactions)
    rounds = []
    for number in range(plan.rounds):
        ways = (bool(number % 2), not number % 2)
        seconds = {way: measure(bootstrap, source, plan, transactions=way) for way in ways}
        rounds.append((seconds[True], seconds[False]))
        progress(f"round {number + 1}: exactly-once {seconds[True]:.2f} s, at-least-once {seconds[False]:.2f} s")
    delete_topics(bootstrap, [Topics(source).events])
    return _summary(plan, rounds)


def measure(bootstrap: str, source: str, plan: EosBench, *, transactions: bool) -> float:
    """Seconds from the start of both hops until everything has come out of the second.

    Raises EnvironmentFailed when a frame is lost, repeated or out of order, or when a hop ends early.
    """
    number = next(_NUMBERS)
    names = [source, f"eos-{number}-first", f"eos-{number}-second"]
    made = [Topics(name).events for name in names[1:]]
    create_topics(bootstrap, made)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="calmverse-eos-"))
        common: dict[str, Any] = {
            "bootstrap": bootstrap,
            "ticks": plan.ticks,
            "transactions": transactions,
            "folder": folder,
        }
        hops = [Hop(source=one, target=other, name=other, **common) for one, other in itertools.pairwise(names)]
        reader = stack.enter_context(FrameConsumer(bootstrap, client_id="eos-reader", committed_only=transactions))
        reader.assign({(made[-1], number): 0 for number in range(PARTITIONS)})
        processes = [stack.enter_context(_running(hop)) for hop in hops]
        for process in processes:
            _tell(process, "go")
        started = time.perf_counter()
        _read_all(reader, plan, processes)
        seconds = time.perf_counter() - started
        for process in processes:
            process.wait(_READY_S)
    delete_topics(bootstrap, made)
    return seconds


def fill(bootstrap: str, namespace: str, plan: EosBench) -> None:
    """Send the frames that go through the hops; raises EnvironmentFailed."""
    batches = [make_events(plan.rows, seed) for seed in range(_DISTINCT)]
    topic = Topics(namespace).events
    with FrameProducer(bootstrap, namespace=namespace, client_id="eos-source") as producer:
        for tick in range(plan.ticks):
            for partition in range(PARTITIONS):
                batch = batches[(tick + partition) % _DISTINCT]
                producer.send(topic, partition, Frame(stream="events", tick=tick, source="eos", batch=batch))
                producer.end_tick(topic, partition, TickMark(tick, "eos"))
        producer.flush()


@contextlib.contextmanager
def _running(hop: Hop) -> Iterator[subprocess.Popen[str]]:
    """A hop whose lane is open; ended by its own id."""
    command = [sys.executable, "-m", "infra.bus.eos.hop", hop.as_text()]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - a pipe, asked for above
            if process.stdout.readline() != "ready\n":
                raise EnvironmentFailed("bench eos: a hop could not start; what it said stands above")
            yield process
        finally:
            process.kill()


def _tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None  # noqa: S101 - a pipe, asked for where it was started
    process.stdin.write(line + "\n")
    process.stdin.flush()


def _read_all(reader: FrameConsumer, plan: EosBench, processes: list[subprocess.Popen[str]]) -> None:
    """Read until the last tick has ended in every partition: every frame once, in order."""
    expected = [iter(_expected(plan, partition)) for partition in range(PARTITIONS)]
    missing, heard_at = plan.ticks * PARTITIONS * 2, time.monotonic()
    while missing:
        found = reader.poll(0.5)
        for received in found:
            if _told(received) != next(expected[received.partition], None):
                raise EnvironmentFailed(f"bench eos: {received.where} at {received.offset} is lost, doubled or astray")
        missing -= len(found)
        now = time.monotonic()
        heard_at = now if found else heard_at
        if now - heard_at > _SILENCE_S or any(process.poll() for process in processes):
            raise EnvironmentFailed(f"bench eos: {missing} records did not come out of the second hop")


def _expected(plan: EosBench, _partition: int) -> Iterator[tuple[int, int]]:
    for tick in range(plan.ticks):
        yield tick, plan.rows
        yield tick, -plan.rows


def _told(received: Received) -> tuple[int, int] | None:
    """Tick and rows of a frame; of a tick-end, less than nothing."""
    item = received.item
    if isinstance(item, Frame):
        return item.tick, item.batch.num_rows
    return (item.tick, -item.rows) if isinstance(item, TickEnd) else None


def _summary(plan: EosBench, rounds: list[tuple[float, float]]) -> dict[str, Any]:
    frames = plan.ticks * PARTITIONS
    with_, without = (statistics.median(each[way] for each in rounds) for way in (0, 1))
    costs = sorted(1 - without_s / with_s for with_s, without_s in rounds)
    return {
        "frames_per_s": round(frames / with_),
        "events_per_s": round(frames * plan.rows / with_),
        "at_least_once_frames_per_s": round(frames / without),
        "at_least_once_events_per_s": round(frames * plan.rows / without),
        "cost": round(statistics.median(costs), 3),
        "cost_of_rounds": [round(cost, 3) for cost in costs],
        "rounds": plan.rounds,
        "events_a_frame": plan.rows,
    }
