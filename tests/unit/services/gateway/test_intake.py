"""Numbers without gaps, each event once, and nothing acknowledged that the broker does not have."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.contracts.errors import EnvironmentFailed
from infra.contracts.frames import Frame
from infra.contracts.identity import partition_of
from infra.contracts.time import tick_of
from infra.storage.sql import open_store, signed
from infra.telemetry.setup import Telemetry
from infra.telemetry.spans import read_spans
from services.gateway import handlers
from services.gateway.domain import OutsideEvent, parse_event
from services.gateway.handlers import Intake, Overloaded
from services.gateway.outbox import MIGRATIONS, Outbox, Receipt
from tests.unit.services.gateway.builders import cloud_event

LONG_S = 60.0
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def event(identifier: str, person: int = 1, minute: int = 0) -> OutsideEvent:
    time = f"2026-01-05T09:{minute:02d}:00Z"
    return parse_event(cloud_event(identifier, subject=str(person), time=time), 0)


class Broker:
    """A broker in memory that can be gone; what it acknowledged is in `frames`."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, Frame]] = []
        self.gone = False
        self.connections = 0

    def connect(self) -> "Connection":
        if self.gone:
            raise EnvironmentFailed("no broker")
        self.connections += 1
        return Connection(self)

    def rows(self) -> list[tuple[int, int]]:
        """(person, seq) in the order acknowledged, frames met before left out, as a reader does it."""
        frames = {frame.frame_id: frame for _, frame in self.frames}
        return [(row["person"], row["seq"]) for frame in frames.values() for row in frame.batch.to_pylist()]


class Connection:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._queued: list[tuple[int, Frame]] = []

    def send(self, topic: str, partition: int, frame: Frame, traceparent: str | None = None) -> None:
        del traceparent
        assert topic == "calm.test.events"
        self._queued.append((partition, frame))

    def flush(self) -> None:
        if self._broker.gone:
            raise EnvironmentFailed("the broker went away")
        self._broker.frames += self._queued
        self._queued = []

    def close(self) -> None:
        self._queued = []


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def telemetry(tmp_path: Path) -> Iterator[Telemetry]:
    with Telemetry("gateway", tmp_path / "spans") as telemetry:
        yield telemetry


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox(tmp_path / "gateway.sqlite")
    yield outbox
    outbox.close()


@pytest.fixture
def intake(outbox: Outbox, broker: Broker, telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Intake]:
    monkeypatch.setattr(handlers, "RETRY_SECONDS", 0.01)
    intake = Intake(outbox, "calm.test.events", broker.connect, telemetry)
    stop = threading.Event()
    thread = threading.Thread(target=intake.run, args=(stop,))
    thread.start()
    yield intake
    stop.set()
    thread.join(LONG_S)
    assert not thread.is_alive()


def test_each_person_is_numbered_from_0_without_gaps(intake: Intake, broker: Broker) -> None:
    for turn in range(3):
        events = [event(f"{turn}-{person}-{row}", person) for person in (1, 2**63 + 5) for row in range(2)]
        assert intake.submit(events).result(LONG_S) == Receipt((True,) * 4)
    rows = broker.rows()
    for person in (1, 2**63 + 5):
        assert [seq for who, seq in rows if who == person] == list(range(6))


def test_an_event_sent_again_is_acknowledged_and_not_sent_twice(intake: Intake, broker: Broker) -> None:
    assert intake.submit([event("a"), event("b"), event("a")]).result(LONG_S) == Receipt((True, True, False))
    assert intake.submit([event("b"), event("c")]).result(LONG_S) == Receipt((False, True))
    assert broker.rows() == [(1, 0), (1, 1), (1, 2)]


def test_numbers_and_known_ids_survive_a_restart(tmp_path: Path) -> None:
    for receipt in (Receipt((True, True)), Receipt((False, False))):
        outbox = Outbox(tmp_path / "gateway.sqlite")
        assert outbox.accept([[event("a"), event("b")]]) == [receipt]
        outbox.close()


def test_the_last_events_are_remembered_and_not_many_more(tmp_path: Path) -> None:
    names = [str(number) for number in range(25)]
    for name in names:  # opened anew each time: what is remembered survives a restart
        outbox = Outbox(tmp_path / "gateway.sqlite", remember=5)
        assert outbox.accept([[event(name)]]) == [Receipt((True,))]
        recent = names[max(0, int(name) - 4) : int(name) + 1]
        assert outbox.accept([[event(each) for each in recent]]) == [Receipt((False,) * len(recent))]
        assert outbox.known <= 10
        outbox.close()
    outbox = Outbox(tmp_path / "gateway.sqlite", remember=5)
    assert outbox.accept([[event("0")]]) == [Receipt((True,))]  # past the horizon: taken for new
    outbox.close()


def test_numbers_are_on_disk_before_a_frame_goes_out(outbox: Outbox) -> None:
    outbox.accept([[event("a")]])
    assert outbox._store.query("PRAGMA synchronous") == [(2,)]  # FULL: SQLite waits for the disk at each commit
    outbox.forget([1])
    assert outbox._store.query("PRAGMA synchronous") == [(1,)]


def test_a_store_from_before_keeps_the_ids_that_it_knew(tmp_path: Path) -> None:
    with open_store(tmp_path / "gateway.sqlite", MIGRATIONS[:1]) as store:
        store.execute("INSERT INTO accepted VALUES (?)", (signed(event("a").event_id),))
    outbox = Outbox(tmp_path / "gateway.sqlite")
    assert outbox.accept([[event("a"), event("b")]]) == [Receipt((False, True))]
    outbox.close()


def test_a_full_disk_refuses_events_and_the_gateway_goes_on_when_there_is_room(
    intake: Intake, outbox: Outbox, broker: Broker
) -> None:
    assert intake.submit([event("a")]).result(LONG_S).accepted == 1
    (pages,) = outbox._store.query("PRAGMA page_count")[0]
    outbox._store.execute(f"PRAGMA max_page_count = {pages}")  # SQLite then answers as it does on a full disk
    big = [event(f"{row}", person=row) for row in range(3_000)]
    with pytest.raises(EnvironmentFailed, match="disk full"):
        intake.submit(big).result(LONG_S)
    outbox._store.execute("PRAGMA max_page_count = 1000000")
    assert intake.submit(big).result(LONG_S) == Receipt((True,) * 3_000)
    assert len(broker.rows()) == 3_001


def test_a_frame_holds_one_partition_and_one_tick(intake: Intake, broker: Broker) -> None:
    events = [event(f"{person}-{minute}", person, minute) for person in range(1, 9) for minute in (3, 4)]
    intake.submit(events).result(LONG_S)
    assert len(broker.frames) == len({(partition, frame.tick) for partition, frame in broker.frames})
    for partition, frame in broker.frames:
        assert set(partition_of(frame.batch["person"].to_numpy())) == {partition}
        assert {tick_of(us) for us in frame.batch["occurred_at"].to_pylist()} == {frame.tick}


def test_frame_ids_are_never_used_again_not_even_by_another_store(tmp_path: Path) -> None:
    seen = []
    for directory in ("one", "two"):
        for turn in range(2):
            outbox = Outbox(tmp_path / directory / "gateway.sqlite")
            outbox.accept([[event(f"{turn}")]])
            frames = outbox.frames()
            seen += [frame.frame_id for _, _, frame in frames]
            outbox.forget(number for number, _, _ in frames)
            outbox.close()
    assert len(seen) == len(set(seen)) == 4


def test_a_gateway_without_a_broker_takes_nothing(intake: Intake, broker: Broker, outbox: Outbox) -> None:
    broker.gone = True
    intake.submit([event("it may still be connected")]).exception(LONG_S)
    kept = len(outbox.frames())
    with pytest.raises(EnvironmentFailed):
        intake.submit([event("a")]).result(LONG_S)
    assert not intake.ready
    assert len(outbox.frames()) == kept


def test_what_a_broken_broker_did_not_acknowledge_goes_out_in_order_when_it_is_back(
    intake: Intake, broker: Broker
) -> None:
    intake.submit([event("a")]).result(LONG_S)
    broker.gone = True
    with pytest.raises(EnvironmentFailed):
        intake.submit([event("b")]).result(LONG_S)
    broker.gone = False
    assert intake.submit([event("b"), event("c")]).result(LONG_S) == Receipt((False, True))
    assert broker.rows() == [(1, 0), (1, 1), (1, 2)]


def test_frames_of_a_gateway_that_was_killed_go_out_under_the_same_id(
    tmp_path: Path, broker: Broker, telemetry: Telemetry
) -> None:
    outbox = Outbox(tmp_path / "gateway.sqlite")
    outbox.accept([[event("a"), event("b")]])
    ids = [frame.frame_id for _, _, frame in outbox.frames()]
    outbox.close()  # killed before anything was sent
    again = Outbox(tmp_path / "gateway.sqlite")
    intake = Intake(again, "calm.test.events", broker.connect, telemetry)
    stop = threading.Event()
    thread = threading.Thread(target=intake.run, args=(stop,))
    thread.start()
    assert intake.submit([event("a")]).result(LONG_S) == Receipt((False,))
    stop.set()
    thread.join(LONG_S)
    again.close()
    assert [frame.frame_id for _, frame in broker.frames] == ids
    assert broker.rows() == [(1, 0), (1, 1)]


def test_more_requests_than_the_gateway_keeps_are_told_to_come_back(
    outbox: Outbox, broker: Broker, telemetry: Telemetry
) -> None:
    idle = Intake(outbox, "calm.test.events", broker.connect, telemetry, waiting=20)
    for number in range(20):
        idle.submit([event(str(number))])
    with pytest.raises(Overloaded):
        idle.submit([event("one too many")])


def test_requests_that_wait_when_it_stops_are_refused(outbox: Outbox, broker: Broker, telemetry: Telemetry) -> None:
    intake = Intake(outbox, "calm.test.events", broker.connect, telemetry)
    waiting = intake.submit([event("a")])
    stop = threading.Event()
    stop.set()
    intake.run(stop)
    with pytest.raises(EnvironmentFailed, match="stopping"):
        waiting.result(0)


def test_a_client_that_gave_up_does_not_stop_the_others(intake: Intake, broker: Broker) -> None:
    submit: Callable[[str], object] = lambda name: intake.submit([event(name)]).cancel()  # noqa: E731 - read once
    submit("a")
    assert intake.submit([event("b")]).result(LONG_S).accepted == 1
    assert (1, 0) in broker.rows()


def test_the_callers_trace_is_linked(intake: Intake, telemetry: Telemetry, tmp_path: Path) -> None:
    intake.submit([event("a")], TRACEPARENT).result(LONG_S)
    telemetry.flush()
    spans = read_spans(tmp_path / "spans")
    assert spans["name"].to_list() == ["accept events"]
    assert spans["links"].to_list()[0] == [{"trace_id": TRACEPARENT[3:35], "span_id": TRACEPARENT[36:52]}]
