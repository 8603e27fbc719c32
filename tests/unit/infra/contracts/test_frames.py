"""Frames: what is encoded is what is decoded, and what is not a frame is said so."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.errors import UndecodableFrame
from infra.contracts.frames import (
    MAX_VALUE_BYTES,
    Frame,
    Headers,
    Lineage,
    TickEnd,
    decode,
    encode,
    encode_tick_end,
)
from infra.contracts.records import RECORDS
from tests.support.batches import random_batch

NAMES = st.text("abcdefghij-", min_size=1, max_size=10)
LINEAGES = st.lists(
    st.builds(
        Lineage, NAMES.map("calm.ns.{}".format), st.integers(0, 63), st.integers(0, 2**40), st.integers(0, 2**40)
    ),
    max_size=3,
).map(tuple)


def frame_of(stream: str, rows: int, seed: int = 0) -> Frame:
    return Frame(
        stream=stream,
        tick=29_000_000,
        source="simulation",
        frame_id="f",
        batch=random_batch(RECORDS[stream], rows, seed),
    )


def only_frame(headers: Headers, value: bytes) -> Frame:
    item = decode(headers, value)
    assert isinstance(item, Frame)
    return item


@given(
    stream=st.sampled_from(sorted(RECORDS)),
    rows=st.integers(0, 40),
    seed=st.integers(0, 2**32),
    lineage=LINEAGES,
    attributes=st.dictionaries(NAMES, NAMES, max_size=3),
)
def test_a_frame_is_decoded_as_it_was_encoded(
    stream: str, rows: int, seed: int, lineage: tuple[Lineage, ...], attributes: dict[str, str]
) -> None:
    batch = random_batch(RECORDS[stream], rows, seed)
    frame = Frame(stream=stream, tick=7, source="s", frame_id="id", batch=batch, lineage=lineage, attributes=attributes)
    [(headers, value)] = encode(frame)
    decoded = only_frame(headers, value)
    assert decoded == frame
    assert decoded.batch.equals(batch)


@pytest.mark.parametrize("rows", [999, 1_000, 30_000])
def test_frames_around_the_compression_threshold_keep_their_rows(rows: int) -> None:
    frame = frame_of("events", rows)
    decoded = [only_frame(*record) for record in encode(frame)]
    assert pa.Table.from_batches([part.batch for part in decoded]).equals(pa.Table.from_batches([frame.batch]))


def test_a_large_frame_is_split_below_the_limit_and_its_parts_have_ids_of_their_own() -> None:
    frame = frame_of("events", 60_000)
    records = encode(frame)
    assert len(records) > 1
    assert max(len(value) for _, value in records) <= MAX_VALUE_BYTES
    assert len({dict(headers)["ce_id"] for headers, _ in records}) == len(records)
    assert sum(only_frame(*record).batch.num_rows for record in records) == 60_000


def test_a_sliced_batch_carries_only_its_own_rows() -> None:
    batch = random_batch(RECORDS["events"], 500).slice(100, 7)
    [(headers, value)] = encode(Frame(stream="events", tick=1, source="s", frame_id="x", batch=batch))
    assert only_frame(headers, value).batch.equals(batch)
    assert len(value) < 8_000


@given(tick=st.integers(0, 2**40), frames=st.integers(0, 99), rows=st.integers(0, 10**9), lineage=LINEAGES)
def test_a_tick_end_is_decoded_as_it_was_encoded(
    tick: int, frames: int, rows: int, lineage: tuple[Lineage, ...]
) -> None:
    end = TickEnd(stream="events", tick=tick, source="s", frames=frames, rows=rows, lineage=lineage)
    assert decode(*encode_tick_end(end)) == end


def test_headers_are_cloudevents_in_binary_mode() -> None:
    [(headers, _)] = encode(frame_of("scores", 3))
    names = dict(headers)
    assert names["ce_specversion"] == b"1.0"
    assert names["ce_type"] == b"calmverse.scores.v1"
    assert {"ce_id", "ce_source", "ce_time", "content-type"} <= set(names)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda headers, value: (headers[1:], value[:-40]), "ce_specversion|Expected|not a frame"),
        (lambda headers, value: ([pair for pair in headers if pair[0] != "ce_type"], value), "ce_type"),
        (lambda headers, value: ([*headers, ("ce_type", b"calmverse.events.v9")], value), "v9"),
        (lambda headers, value: ([*headers, ("ce_type", b"other")], value), "unknown stream"),
        (lambda headers, value: ([*headers, ("calm_rows", b"4")], value), "4"),
        (lambda headers, _: (headers, b"not arrow at all"), "not a frame"),
        (lambda headers, value: ([*headers, ("calm_lineage", b"x")], value), "not a frame"),
    ],
)
def test_what_is_no_frame_is_refused_with_a_reason(change, reason: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a lambda of the table above
    [(headers, value)] = encode(frame_of("events", 3))
    with pytest.raises(Exception, match=reason) as caught:
        decode(*change(headers, value))
    assert caught.value.exit_code == 2  # type: ignore[attr-defined]  # CalmverseError has it


def test_random_bytes_never_escape_as_another_error() -> None:
    [(headers, value)] = encode(frame_of("events", 5))
    generator = np.random.default_rng(3)
    for _ in range(300):
        raw = bytearray(value)
        raw[generator.integers(len(raw))] ^= 1 << generator.integers(8)
        try:
            decode(headers, bytes(raw))
        except UndecodableFrame as problem:
            assert str(problem)  # noqa: PT017 - a flipped bit may also give a readable frame of other values
