"""Rules of the receiver's ledger."""

import numpy as np
import pyarrow as pa

from infra.bus.messages import Received, Undecodable
from infra.contracts.frames import Frame, TickEnd
from infra.contracts.records import RECORDS
from load_tests.executions.receiver import Ledger
from tests.support.batches import random_batch

NOW = 1_800_000_000_000_000


def received(frame: Frame | TickEnd | Undecodable, partition: int = 0) -> Received:
    return Received(topic="calm.x.scores", partition=partition, offset=0, item=frame)


def scores(frame_id: str, rows: int = 3, stream: str = "scores") -> Frame:
    batch = random_batch(RECORDS[stream], rows)
    attributes = {"model_version": "m1"}
    return Frame(stream=stream, tick=7, source="scorer", frame_id=frame_id, batch=batch, attributes=attributes)


def test_rows_are_noted_with_the_time_at_which_they_were_read() -> None:
    ledger, frame = Ledger(), scores("a")
    ledger.note([received(frame)], NOW)
    log = ledger.pages["scores"].log()
    assert log.row_id.tolist() == frame.batch.column("event_id").to_pylist()
    assert log.intended_us.tolist() == frame.batch.column("intended_at").to_pylist()
    assert log.arrived_us.tolist() == [NOW] * 3
    assert ledger.counts()["model_versions"] == ["m1"]


def test_a_frame_written_again_is_dropped_and_counted() -> None:
    ledger = Ledger()
    ledger.note([received(scores("a")), received(scores("a"))], NOW)
    assert ledger.counts()["scored"] == 3
    assert ledger.counts()["repeated_frames"] == 1


def test_frames_of_another_id_or_partition_are_other_frames() -> None:
    ledger = Ledger()
    ledger.note([received(scores("a")), received(scores("b")), received(scores("a"), partition=1)], NOW)
    assert ledger.counts()["scored"] == 9


def test_decisions_are_kept_apart_from_scores() -> None:
    ledger = Ledger()
    ledger.note([received(scores("a", stream="decisions"))], NOW)
    assert (ledger.counts()["scored"], ledger.counts()["decided"]) == (0, 3)


def test_tick_ends_are_passed_over_and_what_cannot_be_read_is_counted() -> None:
    ledger = Ledger()
    end = TickEnd(stream="scores", tick=7, source="scorer", frames=1, rows=3)
    ledger.note([received(end), received(Undecodable("no frame"))], NOW)
    assert ledger.counts()["scored"] == 0
    assert ledger.counts()["undecodable"] == 1


def test_a_tick_is_over_when_it_is_in_every_partition() -> None:
    ledger = Ledger()
    for partition, tick in enumerate((9, 7, 8)):
        end = TickEnd(stream="decisions", tick=tick, source="decider", frames=0, rows=0)
        ledger.note([received(end, partition)], NOW)
    assert ledger.closed_tick("decisions") is None
    ledger.note([received(TickEnd(stream="decisions", tick=9, source="decider", frames=0, rows=0), 3)], NOW)
    assert ledger.closed_tick("decisions") == 7
    assert ledger.closed_tick("scores") is None


def test_the_slowest_score_of_the_last_second_is_told() -> None:
    ledger = Ledger()
    assert ledger.worst_recent_ms(NOW) is None
    frame = scores("a", rows=2)
    at = frame.batch.schema.get_field_index("intended_at")
    batch = frame.batch.set_column(at, frame.batch.schema.field(at), pa.array(np.array([NOW - 80_000, NOW - 9_000])))
    ledger.note([received(Frame(stream="scores", tick=7, source="scorer", frame_id="b", batch=batch))], NOW)
    assert ledger.worst_recent_ms(NOW) == 80.0
    assert ledger.worst_recent_ms(NOW + 1_100_000) is None
