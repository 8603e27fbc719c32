"""The lake holds every frame once, sorted, with words for codes, and files named by the offsets they cover."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.contracts.events import EVENT
from infra.contracts.fields import Field, Record
from infra.contracts.frames import Frame
from infra.contracts.records import RECORDS
from infra.storage import lake
from infra.storage.codes import WORDS, to_codes, to_words
from infra.storage.lake import LakeWriter
from tests.support.activity import Crowd
from tests.support.batches import random_batch


def frame(tick: int, batch: pa.RecordBatch, name: str = "", **attributes: str) -> Frame:
    return Frame(
        stream="events", tick=tick, source="sim", batch=batch, frame_id=name or f"e/{tick}", attributes=attributes
    )


def record_frame(record: Record, tick: int, seed: int, rows: int = 6) -> Frame:
    batch = random_batch(record, rows, seed=seed)
    return Frame(stream=record.name, tick=tick, source="sim", batch=batch, frame_id=f"f{seed}")


def as_rows(table: pa.Table, record: Record) -> list[str]:
    """The record's own columns, each row as text (NaN equals NaN there), in any order."""
    names = record.arrow.names
    return sorted(str([row[name] for name in names]) for row in table.to_pylist())


@pytest.mark.parametrize("record", RECORDS.values(), ids=list(RECORDS))
@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), ticks=st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_every_record_survives_the_lake(
    tmp_path_factory: pytest.TempPathFactory, record: Record, seed: int, ticks: list[int]
) -> None:
    root = tmp_path_factory.mktemp("lake")
    frames = [record_frame(record, tick, seed + position) for position, tick in enumerate(ticks)]
    writer = LakeWriter(root, record.name, 1)
    for offset, each in enumerate(frames):
        assert writer.append(each, offset)
        if offset % 2:
            writer.flush()
    writer.flush()
    table = lake.read(root, record.name, codes=True)
    given_rows = pa.Table.from_batches([each.batch for each in frames])
    assert as_rows(table, record) == as_rows(given_rows, record)
    for field in record.fields:
        if isinstance(field, Field):
            assert table.schema.field(field.name).type == field.arrow().type
    assert {"tick", "source", "partition", "offset"} <= set(table.column_names)


def test_rows_are_sorted_by_person_and_seq_over_all_files_and_partitions(tmp_path: Path) -> None:
    crowd = Crowd(50)
    for tick in range(6):
        writer = LakeWriter(tmp_path, "events", tick % 2)
        writer.append(frame(tick, crowd.tick(tick)), tick)
        writer.flush()
    table = lake.read(tmp_path, "events")
    keys = list(zip(table["person"].to_pylist(), table["seq"].to_pylist(), strict=True))
    assert keys == sorted(keys)
    assert len(keys) == lake.count(tmp_path, "events") > 100


def test_a_file_is_sorted_by_tick_person_seq(tmp_path: Path) -> None:
    crowd = Crowd(20)
    writer = LakeWriter(tmp_path, "events", 0)
    batches = [crowd.tick(tick) for tick in range(3)]
    for offset, tick in enumerate([2, 0, 1]):
        writer.append(frame(tick, batches[tick].slice(5).take(pa.array([1, 0]))), offset)
    path = writer.flush()
    assert path is not None
    rows = pq.read_table(path, columns=["tick", "person", "seq"]).to_pylist()
    keys = [(row["tick"], row["person"], row["seq"]) for row in rows]
    assert keys == sorted(keys)


def test_world_and_kind_are_words_on_disk_and_duckdb_reads_them(tmp_path: Path) -> None:
    writer = LakeWriter(tmp_path, "events", 0)
    writer.append(frame(0, Crowd(100).tick(0)), 0)
    writer.flush()
    with duckdb.connect() as database:
        rows = database.execute(f"SELECT DISTINCT kind, world FROM '{tmp_path}/events/*/*.parquet'").fetchall()  # noqa: S608 - our own path
    kinds, worlds = {row[0] for row in rows}, {row[1] for row in rows}
    assert {"CommentSeen", "GazeSampled"} <= kinds
    assert worlds == {"social", "learning", "work", "gaming", "medical"}


@given(st.lists(st.integers(0, 2**16 - 1)))
def test_codes_survive_as_words_also_those_nobody_knows(codes: list[int]) -> None:
    words = to_words("kind", pa.array(codes, pa.uint16()))
    assert to_codes("kind", words).to_pylist() == codes
    assert to_codes("kind", words.cast(pa.string())).to_pylist() == codes
    assert all(word.startswith("#") for code, word in zip(codes, words.to_pylist(), strict=True) if code > 600)


def test_words_are_distinct() -> None:
    assert all(len(set(words.values())) == len(words) for words in WORDS.values())


def test_files_are_named_by_the_offsets_they_cover_and_a_new_writer_goes_on_there(tmp_path: Path) -> None:
    crowd = Crowd(10)
    writer = LakeWriter(tmp_path, "events", 3)
    writer.append(frame(0, crowd.tick(0)), 0)
    writer.cover(1)  # a tick-end
    assert (writer.next_offset(), writer.durable_offset()) == (2, 0)
    path = writer.flush()
    assert path == tmp_path / "events" / "p3" / "000000000000-000000000001.parquet"
    writer.append(frame(1, crowd.tick(1)), 2)
    writer.flush()
    again = LakeWriter(tmp_path, "events", 3)
    assert again.next_offset() == again.durable_offset() == 3
    assert again.files_on_disk == 2
    assert again.rows_on_disk == lake.count(tmp_path, "events")


def test_tick_ends_alone_make_no_file_and_the_next_file_covers_them(tmp_path: Path) -> None:
    writer = LakeWriter(tmp_path, "events", 0)
    for offset in range(4):
        writer.cover(offset)
    assert writer.flush() is None
    writer.append(frame(4, Crowd(10).tick(4)), 4)
    path = writer.flush()
    assert path is not None
    assert path.name.startswith("000000000000-000000000004")


def test_what_was_not_flushed_is_read_again_and_only_then_on_disk(tmp_path: Path) -> None:
    batch = Crowd(10).tick(0)
    LakeWriter(tmp_path, "events", 0).append(frame(0, batch), 0)  # killed here
    writer = LakeWriter(tmp_path, "events", 0)
    assert writer.next_offset() == 0
    assert writer.append(frame(0, batch), 0)
    writer.flush()
    assert lake.count(tmp_path, "events") == batch.num_rows


def test_a_frame_read_or_sent_twice_is_taken_once_also_by_a_later_writer(tmp_path: Path) -> None:
    batch = Crowd(10).tick(0)
    writer = LakeWriter(tmp_path, "events", 0)
    assert writer.append(frame(0, batch, "a"), 0)
    assert not writer.append(frame(0, batch, "a"), 0)
    assert not writer.append(frame(0, batch, "a"), 1)
    writer.flush()
    again = LakeWriter(tmp_path, "events", 0)
    assert not again.append(frame(0, batch, "a"), 2)
    assert again.next_offset() == 3
    assert again.append(frame(0, batch, "b"), 3)
    again.flush()
    assert (writer.repeats, again.repeats) == (2, 1)
    assert lake.count(tmp_path, "events") == 2 * batch.num_rows


def test_the_same_id_of_another_source_or_tick_is_another_frame(tmp_path: Path) -> None:
    batch = Crowd(10).tick(0)
    writer = LakeWriter(tmp_path, "events", 0)
    frames = [
        Frame(stream="events", tick=tick, source=source, batch=batch, frame_id="1")
        for tick, source in [(0, "sim"), (1, "sim"), (0, "gateway")]
    ]
    assert all(writer.append(each, offset) for offset, each in enumerate(frames))


def test_a_half_written_file_of_a_killed_writer_is_removed_and_never_read(tmp_path: Path) -> None:
    writer = LakeWriter(tmp_path, "events", 0)
    writer.append(frame(0, Crowd(10).tick(0)), 0)
    path = writer.flush()
    assert path is not None
    leftover = path.with_name("000000000001-000000000002.parquet.tmp")
    leftover.write_bytes(path.read_bytes()[:100])
    rows = lake.read(tmp_path, "events").num_rows
    assert LakeWriter(tmp_path, "events", 0).next_offset() == 1
    assert not leftover.exists()
    assert rows == writer.rows_on_disk


def test_attributes_of_frames_are_columns_and_null_where_a_frame_has_none(tmp_path: Path) -> None:
    crowd = Crowd(10)
    writer = LakeWriter(tmp_path, "events", 0)
    writer.append(frame(0, crowd.tick(0), model_version="m1"), 0)
    writer.append(frame(1, crowd.tick(1)), 1)
    writer.flush()
    writer.append(frame(2, crowd.tick(2), model_version="m2", other="x"), 2)
    writer.flush()
    table = lake.read(tmp_path, "events", ["tick", "model_version", "other"])
    seen = {tuple(row.values()) for row in table.to_pylist()}
    assert seen == {(0, "m1", None), (1, None, None), (2, "m2", "x")}


def test_a_record_that_has_a_tick_of_its_own_keeps_it_once(tmp_path: Path) -> None:
    for stream in ("truth", "decisions"):
        writer = LakeWriter(tmp_path, stream, 0)
        writer.append(record_frame(RECORDS[stream], 7, seed=1), 0)
        writer.flush()
        assert lake.read(tmp_path, stream).column_names.count("tick") == 1


def test_columns_and_ticks_limit_what_is_read(tmp_path: Path) -> None:
    crowd = Crowd(30)
    writer = LakeWriter(tmp_path, "events", 0)
    rows = []
    for tick in range(5):
        batch = crowd.tick(tick)
        rows.append(batch.num_rows)
        writer.append(frame(tick, batch), tick)
    writer.flush()
    table = lake.read(tmp_path, "events", ["kind", "tick"], range(1, 3), codes=True)
    assert table.column_names == ["kind", "tick"]
    assert table.num_rows == rows[1] + rows[2]
    assert table["kind"].type == pa.uint16()
    with pytest.raises(BadInput, match="no column 'mood'"):
        lake.read(tmp_path, "events", ["mood"])


def test_an_empty_lake_is_one_clear_error(tmp_path: Path) -> None:
    LakeWriter(tmp_path, "events", 0)
    with pytest.raises(BadInput, match="has no events"):
        lake.read(tmp_path, "events")
    assert lake.count(tmp_path, "events") == 0


def test_a_corrupt_file_is_named(tmp_path: Path) -> None:
    writer = LakeWriter(tmp_path, "events", 0)
    writer.append(frame(0, Crowd(10).tick(0)), 0)
    path = writer.flush()
    assert path is not None
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadInput, match=path.name):
        lake.read(tmp_path, "events")
    with pytest.raises(BadInput, match=path.name):
        LakeWriter(tmp_path, "events", 0)


def test_files_that_overlap_or_are_not_ours_are_refused(tmp_path: Path) -> None:
    writer = LakeWriter(tmp_path, "events", 0)
    writer.append(frame(0, Crowd(10).tick(0)), 5)
    path = writer.flush()
    assert path is not None
    stranger = path.with_name("notes.parquet")
    stranger.write_bytes(path.read_bytes())
    with pytest.raises(BadInput, match=r"notes\.parquet"):
        lake.read(tmp_path, "events")
    stranger.rename(path.with_name("000000000003-000000000009.parquet"))
    with pytest.raises(BadInput, match="same offsets"):
        lake.read(tmp_path, "events")


def test_a_disk_that_refuses_is_an_environment_failure(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("a file where a folder should be")
    with pytest.raises(EnvironmentFailed, match="events"):
        LakeWriter(tmp_path, "events", 0)


def test_an_empty_frame_is_covered_and_its_file_has_no_rows(tmp_path: Path) -> None:
    empty = pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in EVENT.arrow], schema=EVENT.arrow)
    writer = LakeWriter(tmp_path, "events", 0)
    writer.append(frame(0, empty), 0)
    writer.flush()
    assert LakeWriter(tmp_path, "events", 0).next_offset() == 1
    assert lake.read(tmp_path, "events").num_rows == 0


def test_numbers_of_64_bits_keep_every_bit(tmp_path: Path) -> None:
    batch = Crowd(5).tick(0)
    person = pa.array(np.full(batch.num_rows, 2**64 - 1, dtype=np.uint64))
    batch = batch.set_column(batch.schema.get_field_index("person"), batch.schema.field("person"), person)
    writer = LakeWriter(tmp_path, "events", 0)
    writer.append(frame(0, batch), 0)
    writer.flush()
    assert set(lake.read(tmp_path, "events", ["person"])["person"].to_pylist()) == {2**64 - 1}
