"""Joining frames and cutting batches up by partition."""

import numpy as np
import pyarrow as pa

from infra.contracts.batches import by_partition, joined, numbers
from infra.contracts.events import EVENT
from infra.contracts.frames import Frame
from infra.contracts.identity import partition_of
from tests.support.activity import Crowd


def frames() -> tuple[pa.RecordBatch, list[Frame]]:
    events = Crowd(60, seed=1).tick(0)
    parts = by_partition(events)
    return events, [Frame(stream="events", tick=0, source="x", batch=parts[number]) for number in sorted(parts)]


def test_what_is_cut_up_by_partition_joins_to_the_same_rows() -> None:
    events, parts = frames()
    assert joined(parts, EVENT).equals(events)
    assert joined(reversed(parts), EVENT).equals(events)


def test_every_part_holds_its_own_people() -> None:
    for number, rows in by_partition(frames()[0]).items():
        assert (partition_of(numbers(rows, "person")) == number).all()


def test_only_the_columns_asked_for_are_taken() -> None:
    events, parts = frames()
    assert joined(parts, EVENT, ["seq", "person"]).equals(events.select(["seq", "person"]))


def test_nothing_joins_to_no_rows_of_the_right_kind() -> None:
    assert joined([], EVENT).schema == EVENT.arrow
    assert joined([], EVENT, ["person", "seq"]).schema.names == ["person", "seq"]
    assert by_partition(joined([], EVENT)) == {}
    assert np.array_equal(numbers(joined([], EVENT), "person"), [])
