"""Kafka's own test of transactions: numbered frames are passed on while brokers and clients are killed.

`python -m tests.support.bounce` does it in full (`make bounce`): 100,000 frames in transactions of 750, three nodes,
every node and every client killed three times or more, read all along by somebody who sees only what is committed.
"""

import contextlib
import itertools
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from infra.bus.admin import create_topics
from infra.bus.apache.cluster import ApacheBroker, ApacheOptions
from infra.bus.consumer import FrameConsumer
from infra.bus.eos.hop import Hop
from infra.bus.messages import Received
from infra.bus.producer import FrameProducer, TickMark
from infra.console import emit_json, say
from infra.contracts.errors import EnvironmentFailed
from infra.contracts.frames import Frame
from infra.contracts.topics import PARTITIONS, Topics
from tests.support.apache import CACHE
from tests.support.buses import numbered, read_all

STREAM = "scores"
FRAMES_A_TICK = 5
"""In each partition."""
CLIENTS = ((0, 1), (2, 3))
"""Partitions of each client."""
WITHIN_S = 180.0
_NUMBERS = itertools.count()


@dataclass(frozen=True, kw_only=True)
class Bounces:
    """`frames` numbered frames; a client and a node are killed `pairs` times, in turn. 75 ticks are 750 frames."""

    frames: int
    pairs: int
    ticks_in_transaction: int = 75

    @property
    def ticks(self) -> int:
        return self.frames // (PARTITIONS * FRAMES_A_TICK)

    @property
    def parts(self) -> list[range]:
        """Ticks that are sent before each pair of kills, so that there is work whenever somebody dies."""
        ends = [self.ticks * part // self.pairs for part in range(self.pairs + 1)]
        return [range(first, end) for first, end in itertools.pairwise(ends)]


@dataclass
class Outcome:
    """What came out: by a reader all along, by one in the end, and by one who also sees what was given up."""

    along: list[list[int]]
    in_the_end: list[list[int]]
    records: int = 0
    given_up: int = 0
    client_starts: int = 0
    seconds: float = 0.0
    kills: list[tuple[str, int]] = field(default_factory=list)
    """Who was killed, and how many frames that were sent had not come out by then."""


class Client:
    """A hop that is started again whenever it ends early."""

    def __init__(self, hop: Hop) -> None:
        self.hop = hop
        self.starts = 0
        self._stop = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._keep, name=hop.name)
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        self._stop.set()
        self.kill()
        self._thread.join()

    def _keep(self) -> None:
        command = [sys.executable, "-m", "infra.bus.eos.hop", self.hop.as_text()]
        while not self._stop.is_set():
            self.starts += 1
            with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
            ) as process:
                self._process = process
                assert process.stdin is not None
                with contextlib.suppress(BrokenPipeError):  # killed before it began
                    process.stdin.write("go\n")
                    process.stdin.flush()
                if process.wait() == 0:
                    return


class Along:
    """Reads what is committed while the others are killed; goes on where it stood when it is failed itself."""

    def __init__(self, bootstrap: str, topic: str, frames: int) -> None:
        self._bootstrap, self._frames = bootstrap, frames
        self._offsets = {(topic, number): 0 for number in range(PARTITIONS)}
        self.numbers: list[list[int]] = [[] for _ in range(PARTITIONS)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="along")
        self._thread.start()

    @property
    def count(self) -> int:
        return sum(map(len, self.numbers))

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stop.is_set():
            try:
                self._go_on()
            except EnvironmentFailed:
                self._stop.wait(0.5)

    def _go_on(self) -> None:
        with FrameConsumer(self._bootstrap, client_id="along", committed_only=True) as consumer:
            consumer.assign(self._offsets)
            while not self._stop.is_set():
                for each in consumer.poll(0.2):
                    self._offsets[each.where] = each.offset + 1
                    self.numbers[each.partition] += numbers_in(each)


def bounce(broker: ApacheBroker, plan: Bounces, progress: Callable[[str], None] = lambda _text: None) -> Outcome:
    """Send, pass on, kill, and read what came out. Fails when nothing comes out for WITHIN_S."""
    source, target = (f"bounce-{side}-{next(_NUMBERS)}" for side in ("in", "out"))
    create_topics(broker.bootstrap, [Topics(name).of(STREAM) for name in (source, target)])
    topic, started = Topics(target).of(STREAM), time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="calmverse-bounce-") as folder:
        hop = Hop(
            bootstrap=broker.bootstrap,
            source=source,
            target=target,
            ticks=plan.ticks,
            transactions=True,
            folder=folder,
            stream=STREAM,
            snapshot_every=10 * plan.ticks_in_transaction,
            transaction_ticks=plan.ticks_in_transaction,
        )
        along = Along(broker.bootstrap, topic, plan.frames)
        clients = [Client(replace(hop, name=f"client{number}", partitions=own)) for number, own in enumerate(CLIENTS)]
        try:
            kills = kill_all(broker, plan, clients, along, progress)
            await_all(plan, clients, along)
        finally:
            for client in clients:
                client.stop()
            along.stop()
    everything = read_all(broker.bootstrap, topic)
    committed = read_all(broker.bootstrap, topic, committed_only=True)
    return Outcome(
        along=along.numbers,
        in_the_end=by_partition(committed),
        records=len(committed),
        given_up=len(everything) - len(committed),
        client_starts=sum(client.starts for client in clients),
        seconds=time.perf_counter() - started,
        kills=kills,
    )


def kill_all(
    broker: ApacheBroker, plan: Bounces, clients: list[Client], along: Along, progress: Callable[[str], None]
) -> list[tuple[str, int]]:
    """Clients and nodes in turn, as often as planned: each time when some of a part has come out."""
    kills, sent = [], 0
    nodes = broker.state.nodes
    for number, part in enumerate(plan.parts):
        client, node = clients[number % len(clients)], nodes[number % len(nodes)].number
        fill(broker.bootstrap, clients[0].hop.source, part)
        sent += len(part) * PARTITIONS * FRAMES_A_TICK
        await_more(along)
        client.kill()
        kills.append((client.hop.name, sent - along.count))
        await_more(along)
        broker.kill(node)
        kills.append((f"node{node}", sent - along.count))
        broker.restart(node)
        progress(f"killed {client.hop.name} and node {node}: {along.count:,} of {sent:,} frames are out")
    return kills


def await_more(along: Along) -> None:
    """Wait until another transaction is out."""
    before, deadline = along.count, time.monotonic() + WITHIN_S
    pause = threading.Event()
    while along.count == before:
        assert time.monotonic() < deadline, f"nothing came out after {before} frames"
        pause.wait(0.01)


def await_all(plan: Bounces, clients: list[Client], along: Along) -> None:
    deadline, pause = time.monotonic() + WITHIN_S, threading.Event()
    while along.count < plan.frames or not all(client.done for client in clients):
        assert time.monotonic() < deadline, f"{along.count} of {plan.frames} frames came out"
        pause.wait(0.05)


def fill(bootstrap: str, namespace: str, ticks: range) -> None:
    """Number n of a partition is its n-th frame."""
    topic = Topics(namespace).of(STREAM)
    with FrameProducer(bootstrap, namespace=namespace, client_id="fill") as producer:
        for tick in ticks:
            for partition in range(PARTITIONS):
                for ordinal in range(FRAMES_A_TICK):
                    batch = numbered(tick * FRAMES_A_TICK + ordinal, 1)
                    producer.send(topic, partition, Frame(stream=STREAM, tick=tick, source="fill", batch=batch))
                producer.end_tick(topic, partition, TickMark(tick, "fill"))
        producer.flush()


def numbers_in(received: Received) -> list[int]:
    """The number of a frame; none for a tick-end."""
    item = received.item
    return [int(number) for number in item.batch.column(0).to_pylist()] if isinstance(item, Frame) else []


def by_partition(received: list[Received]) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in range(PARTITIONS)]
    for each in received:
        found[each.partition] += numbers_in(each)
    return found


def verify(plan: Bounces, outcome: Outcome) -> None:
    """Input equals output, each once and in order, for both readers."""
    wanted = [list(range(plan.ticks * FRAMES_A_TICK))] * PARTITIONS
    assert outcome.in_the_end == wanted
    assert outcome.along == wanted
    assert min(on_their_way for _, on_their_way in outcome.kills) > 0
    assert outcome.records == plan.frames + plan.ticks * PARTITIONS  # no tick-end is there twice either


def main() -> None:
    plan = Bounces(frames=100_000, pairs=9)
    with ApacheBroker(ApacheOptions(nodes=3, cache=CACHE)) as broker:
        outcome = bounce(broker, plan, say)
    verify(plan, outcome)
    emit_json(
        {
            "frames": plan.frames,
            "kills": len(outcome.kills),
            "client_starts": outcome.client_starts,
            "least_on_their_way_at_a_kill": min(on_their_way for _, on_their_way in outcome.kills),
            "records_given_up": outcome.given_up,
            "seconds": round(outcome.seconds, 1),
        }
    )


if __name__ == "__main__":
    main()
