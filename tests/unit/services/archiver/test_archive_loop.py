"""The archiver's loop on records in memory: what is read reaches the disk by rule, on request and at the end."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.bus.messages import Raw, Received, Undecodable
from infra.contracts.errors import EnvironmentFailed
from infra.contracts.frames import Frame, TickEnd
from infra.contracts.topics import PARTITIONS, STREAMS, Topics
from infra.storage import lake
from infra.telemetry.setup import Telemetry
from services.archiver.consumer import ArchiveLoop
from services.archiver.domain import FlushRule
from services.archiver.handlers import Archive
from tests.support.activity import Crowd

TOPICS = Topics("test")
CROWD = Crowd(40)
EVENTS = [CROWD.tick(tick) for tick in range(8)]


def frame(offset: int, tick: int) -> Received:
    item = Frame(stream="events", tick=tick, source="sim", batch=EVENTS[tick], frame_id=f"f{tick}")
    return Received(TOPICS.events, 0, offset, item)


def tick_end(offset: int, tick: int) -> Received:
    item = TickEnd(stream="events", tick=tick, source="sim", frames=1, rows=EVENTS[tick].num_rows)
    return Received(TOPICS.events, 0, offset, item)


class Log:
    """A reader of records in memory; sets `stop` when it has been read to the end."""

    def __init__(self, records: Sequence[Received], stop: threading.Event | None = None) -> None:
        self.records, self.stop = deque(records), stop
        self.assigned: Mapping[tuple[str, int], int] = {}
        self.closed = False
        self.read: dict[tuple[str, int], int] = {}

    def assign(self, offsets: Mapping[tuple[str, int], int]) -> None:
        self.assigned = offsets
        self.read = dict(offsets)

    def poll(self, timeout_s: float) -> list[Received]:
        if self.records:
            received = self.records.popleft()
            self.read[received.where] = received.offset + 1
            return [received]
        if self.stop is not None:
            self.stop.set()
        else:
            threading.Event().wait(min(timeout_s, 0.001))
        return []

    def positions(self) -> Mapping[tuple[str, int], int]:
        return self.read

    def close(self) -> None:
        self.closed = True


Make = Callable[..., Archive]


@pytest.fixture
def buried() -> list[tuple[int, str]]:
    return []


@pytest.fixture
def make(tmp_path: Path, buried: list[tuple[int, str]]) -> Iterator[Make]:
    with Telemetry("archiver", tmp_path / "spans") as telemetry:

        def archive(rule: FlushRule | None = None) -> Archive:
            roots = (tmp_path / "lake", tmp_path / "truth")
            bury = lambda received, error: buried.append((received.offset, error))  # noqa: E731 - read once
            return Archive(TOPICS, roots, rule or FlushRule(), bury, telemetry)

        yield archive


def run(archive: Archive, records: Sequence[Received]) -> Log:
    stop = threading.Event()
    log = Log(records, stop)
    ArchiveLoop(archive, lambda: log).run(stop)
    return log


def test_every_partition_of_every_stream_is_read_from_where_the_files_end(make: Make) -> None:
    log = run(make(), [frame(0, 0), tick_end(1, 0)])
    assert log.assigned == {(TOPICS.of(stream), part): 0 for stream in STREAMS for part in range(PARTITIONS)}
    assert log.closed
    again = run(make(), [])
    assert again.assigned[(TOPICS.events, 0)] == 2


def test_when_it_is_told_to_stop_everything_read_is_on_disk(make: Make, tmp_path: Path) -> None:
    run(make(), [frame(0, 0), tick_end(1, 0), frame(2, 1)])
    assert lake.count(tmp_path / "lake", "events") == EVENTS[0].num_rows + EVENTS[1].num_rows


def test_a_file_is_written_as_soon_as_it_is_due(make: Make, tmp_path: Path) -> None:
    archive = make(FlushRule(rows=EVENTS[0].num_rows + 1, ticks=1000))
    archive.handle(frame(0, 0))
    assert lake.count(tmp_path / "lake", "events") == 0
    archive.handle(frame(1, 1))
    assert lake.count(tmp_path / "lake", "events") == EVENTS[0].num_rows + EVENTS[1].num_rows
    aged = make(FlushRule(rows=10**9, ticks=3))
    for offset, tick in enumerate([2, 3, 4]):
        aged.handle(frame(2 + offset, tick))
    assert aged.counts()["events"]["files"] == 1
    aged.handle(tick_end(5, 5))
    assert aged.counts()["events"]["files"] == 2


def test_what_cannot_be_decoded_is_buried_and_counted_and_never_read_again(
    make: Make, buried: list[tuple[int, str]]
) -> None:
    archive = make()
    bad = Received(TOPICS.events, 0, 0, Undecodable("no frame"), raw=Raw(None, b"x"))
    run(archive, [bad, frame(1, 0)])
    assert buried == [(0, "no frame")]
    assert archive.counts()["events"]["undecodable"] == 1
    assert run(make(), []).assigned[(TOPICS.events, 0)] == 2


def test_a_letter_that_cannot_be_buried_stops_the_archiver_before_its_offset_is_covered(make: Make) -> None:
    archive = make()

    def refuse(received: Received, error: str) -> None:
        raise EnvironmentFailed(f"no broker for {received.offset}: {error}")

    archive._dead_letter = refuse
    with pytest.raises(EnvironmentFailed):
        run(archive, [Received(TOPICS.events, 0, 0, Undecodable("no frame"))])
    assert run(make(), []).assigned[(TOPICS.events, 0)] == 0


def test_flush_waits_for_the_offsets_and_gives_up_after_its_time(make: Make) -> None:
    archive = make()
    log, stop = Log([]), threading.Event()
    loop = ArchiveLoop(archive, lambda: log)
    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(loop.run, stop)
        waiting = pool.submit(loop.flush, {(TOPICS.events, 0): 2}, 60.0)
        assert not loop.flush({(TOPICS.events, 0): 99}, 0.05)
        assert not waiting.done()
        log.records += [frame(0, 0), tick_end(1, 0)]
        assert waiting.result(60)
        assert archive.counts()["events"]["pending"] == 0
        assert archive.counts()["events"]["rows"] == EVENTS[0].num_rows
        assert loop.ready
        stop.set()
        running.result(60)
    assert not loop.ready
