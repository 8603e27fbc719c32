"""Rules of every load scenario, and of the synthetic stream behind `pipeline`."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.contracts.errors import BadInput
from infra.contracts.events import EVENT
from infra.contracts.identity import partition_of
from infra.contracts.kinds import EXPOSURES, KINDS, RESPONSES, EventKind
from infra.contracts.time import TICK_US
from infra.contracts.topics import PARTITIONS
from load_tests.scenarios.scenario import FIRST_TICK, Slice, catalog, make
from load_tests.synthetic.mix import FOLLOW_UPS

START_US = 1_800_000_000_000_000
PAYLOADS = [field.name for field in EVENT.arrow if pa.types.is_struct(field.type) and field.name != "sensitive"]


def slices_of(**changed: float) -> list[Slice]:
    return list(make("pipeline", {"warmup": 0.0, **changed}).slices(START_US))


def rows_of(slices: list[Slice]) -> dict[str, Any]:
    table = pa.Table.from_batches([batch for each in slices for batch in each.parts.values()], schema=EVENT.arrow)
    return {name: table.column(name).combine_chunks() for name in table.column_names}


def numbers(rows: dict[str, Any], name: str) -> Any:  # noqa: ANN401 - an array of whatever type the column has
    return rows[name].to_numpy(zero_copy_only=False)


few = settings(max_examples=20)  # each example is a whole stream
streams = st.builds(
    slices_of,
    rate=st.floats(1, 3_000),
    seconds=st.floats(1, 2),
    slice_ms=st.integers(20, 500),
    people=st.integers(1, 300),
    seed=st.integers(0, 2**63 - 1),
)


@few
@given(streams)
def test_every_batch_is_a_valid_event_batch_in_the_partition_of_its_people(slices: list[Slice]) -> None:
    for each in slices:
        for partition, batch in each.parts.items():
            batch.validate(full=True)
            assert batch.schema.equals(EVENT.arrow)
            assert set(partition_of(batch.column("person").to_numpy())) == {partition}


@few
@given(streams)
def test_each_person_counts_its_events_from_0_without_a_gap_in_the_order_of_time(slices: list[Slice]) -> None:
    rows = rows_of(slices)
    person, seq, occurred = (numbers(rows, name) for name in ("person", "seq", "occurred_at"))
    for one in np.unique(person):
        mine = person == one
        assert seq[mine].tolist() == list(range(mine.sum()))
        assert (np.diff(occurred[mine]) > 0).all()


@few
@given(streams)
def test_rows_are_sorted_by_person_and_seq_within_a_partition_and_happen_in_their_tick(slices: list[Slice]) -> None:
    for each in slices:
        for batch in each.parts.values():
            keys = list(zip(batch.column("person").to_pylist(), batch.column("seq").to_pylist(), strict=True))
            assert keys == sorted(keys)
            assert (batch.column("occurred_at").to_numpy() // TICK_US == each.tick).all()


@few
@given(streams)
def test_event_ids_never_repeat_and_a_response_answers_an_earlier_exposure_of_the_same_person(
    slices: list[Slice],
) -> None:
    rows = rows_of(slices)
    ids, person, seq, kind = (numbers(rows, name) for name in ("event_id", "person", "seq", "kind"))
    replies = numbers(rows, "in_reply_to")
    assert len(np.unique(ids)) == len(ids)
    assert ((replies != 0) == np.isin(kind, list(RESPONSES))).all()
    row_of = {int(event): row for row, event in enumerate(ids)}
    for row in np.flatnonzero(replies):
        exposure = row_of[int(replies[row])]
        assert EventKind(kind[exposure]) in EXPOSURES
        assert FOLLOW_UPS[EventKind(kind[exposure])][0] == kind[row]
        assert person[exposure] == person[row]
        assert seq[exposure] < seq[row]


@few
@given(streams)
def test_a_payload_is_there_exactly_for_the_kinds_of_its_family(slices: list[Slice]) -> None:
    rows = rows_of(slices)
    families = np.array([KINDS[EventKind(code)].family for code in numbers(rows, "kind")])
    for name in PAYLOADS:
        assert (rows[name].is_valid().to_numpy(zero_copy_only=False) == (families == name)).all()


@few
@given(streams)
def test_a_person_acts_only_in_a_session_and_in_the_world_of_the_kind(slices: list[Slice]) -> None:
    rows = rows_of(slices)
    inside: dict[int, bool] = {}
    for person, code, world in zip(*(numbers(rows, name) for name in ("person", "kind", "world")), strict=True):
        kind = EventKind(code)
        assert inside.get(person, False) == (kind != EventKind.SESSION_STARTED)
        assert 1 <= world <= 5
        assert KINDS[kind].world in (None, world)
        inside[person] = kind != EventKind.SESSION_ENDED


@few
@given(st.floats(1, 20_000), st.floats(1, 3), st.integers(5, 200))
def test_the_rate_is_constant_and_every_event_of_a_slice_is_intended_when_the_slice_is_due(
    rate: float, seconds: float, slice_ms: int
) -> None:
    slices = slices_of(rate=rate, seconds=seconds, slice_ms=slice_ms, people=50)
    sent = 0
    for ordinal, each in enumerate(slices):
        assert each.tick == FIRST_TICK + ordinal
        assert each.due_us == START_US + (ordinal + 1) * slice_ms * 1000
        sent += each.rows
        assert abs(sent - rate * (ordinal + 1) * slice_ms / 1000) <= 0.5
        for batch in each.parts.values():
            assert (batch.column("intended_at").to_numpy() == each.due_us).all()
    assert len(slices) * slice_ms >= seconds * 1000


def test_the_same_settings_give_the_same_events_and_another_seed_gives_others() -> None:
    first, again, other = (rows_of(slices_of(rate=500, seconds=1, people=40, seed=seed)) for seed in (3, 3, 4))
    assert all(first[name].equals(again[name]) for name in first)
    assert not first["event_id"].equals(other["event_id"])
    assert not set(first["person"].to_pylist()) & set(other["person"].to_pylist())


def test_a_longer_load_begins_like_a_shorter_one() -> None:
    short, long = (slices_of(rate=400, seconds=seconds, people=40) for seconds in (1, 2))
    assert all(
        a.parts[partition].equals(b.parts[partition])
        for a, b in zip(short, long, strict=False)
        for partition in a.parts
    )


def test_a_few_seconds_hold_every_kind_of_the_mix_in_all_four_partitions() -> None:
    slices = slices_of(rate=5_000, seconds=4)
    seen = set(np.unique(numbers(rows_of(slices), "kind")).tolist())
    practices_and_checks = {kind for kind in EventKind if 30 <= kind < 50}
    assert seen == set(EventKind) - practices_and_checks
    assert {partition for each in slices for partition in each.parts} == set(range(PARTITIONS))


def test_texts_and_symptoms_are_in_the_sensitive_struct_only() -> None:
    rows = rows_of(slices_of(rate=5_000, seconds=2))
    sensitive = rows["sensitive"]
    kinds = numbers(rows, "kind")
    texts = np.array([len(value or b"") for value in sensitive.field("text").to_pylist()])
    symptoms = np.array([len(value or b"") for value in sensitive.field("symptoms").to_pylist()])
    assert set(kinds[texts > 0]) == {EventKind.POST_PUBLISHED, EventKind.COMMENT_POSTED, EventKind.MESSAGE_ANSWERED}
    assert set(kinds[symptoms > 0]) == {EventKind.SYMPTOMS_REPORTED}
    assert set(symptoms[symptoms > 0]) == {9 * 4}


def test_scenarios_are_found_by_their_file() -> None:
    assert set(catalog()) == {"pipeline"}
    with pytest.raises(BadInput, match="unknown load scenario 'pipelin': choose one of pipeline"):
        make("pipelin", {})


@pytest.mark.parametrize(
    ("given_settings", "message"),
    [
        ({"rate": 0.5, "seconds": 1}, "--rate is 0.5: give a number from 1 to"),
        ({"rate": float("nan"), "seconds": 1}, "--rate is nan"),
        ({"rate": 10, "seconds": 0}, "--seconds is 0"),
        ({"rate": 10, "seconds": 1, "slice_ms": 1}, "--slice-ms is 1"),
        ({"rate": 10, "seconds": 1, "people": -5}, "--people is -5"),
        ({"rate": 10, "seconds": 1, "warmup": -1}, "--warmup is -1"),
    ],
)
def test_a_setting_out_of_range_is_named(given_settings: dict[str, float], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        make("pipeline", given_settings)
