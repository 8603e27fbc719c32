"""What is an event of ours, and what it becomes."""

from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from infra.contracts.events import EVENT
from infra.contracts.frames import Frame, encode
from infra.contracts.kinds import KINDS, EventKind, Role
from infra.contracts.time import tick_of
from infra.contracts.worlds import World
from services.gateway.domain import (
    ACCEPTED_KINDS,
    InvalidEvent,
    data_model,
    event_id_of,
    event_schema,
    parse_event,
    to_batch,
)
from tests.unit.services.gateway.builders import cloud_event

ARRIVED = 1_800_000_000_000_000


def reason(event: object) -> str:
    with pytest.raises(InvalidEvent) as caught:
        parse_event(event, ARRIVED)
    return str(caught.value)


def test_a_cloud_event_becomes_a_row_of_the_event_contract() -> None:
    batch = to_batch([parse_event(cloud_event(), ARRIVED)], [3])
    assert batch.schema.equals(EVENT.arrow)
    (row,) = batch.to_pylist()
    assert row["event_id"] == event_id_of("https://app.example/web", "1")
    assert (row["person"], row["seq"]) == (2**64 - 1, 3)
    assert (row["world"], row["kind"]) == (World.SOCIAL, EventKind.COMMENT_POSTED)
    assert row["occurred_at"] == 1_767_600_000_250_000
    assert (row["utc_offset_minutes"], row["intended_at"], row["in_reply_to"]) == (60, ARRIVED, 0)
    assert row["social"] == {"item": 7, "peer": 12, "sentiment": 0.5, "importance": 0.25, "duration_s": 30.0}
    assert all(row[struct.name] is None for struct in EVENT.structs() if struct.name != "social")


def test_rows_of_a_batch_are_sorted_by_person_and_number() -> None:
    events = [parse_event(cloud_event(str(row), subject=person), ARRIVED) for row, person in enumerate("9292")]
    rows = to_batch(events, [0, 5, 1, 4]).to_pylist()
    assert [(row["person"], row["seq"]) for row in rows] == [(2, 4), (2, 5), (9, 0), (9, 1)]


def test_an_answer_names_the_exposure_by_the_id_that_its_source_gave_it() -> None:
    data = cloud_event()["data"] | {"in_reply_to": "shown-1"}
    assert parse_event(cloud_event(data=data), ARRIVED).in_reply_to == event_id_of("https://app.example/web", "shown-1")


def test_a_sender_may_say_when_it_should_have_sent_and_its_local_time() -> None:
    data = cloud_event()["data"] | {"utc_offset_minutes": -300}
    event = parse_event(cloud_event(intendedat="1767600000000001", data=data), ARRIVED)
    assert (event.intended_at, event.utc_offset_minutes) == (1_767_600_000_000_001, -300)


def test_text_and_symptoms_go_to_the_sensitive_struct_only() -> None:
    data = {"item": 1, "scale": 2, "completion": 1.0, "duration_s": 60, "text": "müde", "symptoms": [1, 2.5]}
    event = parse_event(cloud_event(kind="SymptomsReported", data=data), ARRIVED)
    (row,) = to_batch([event], [0]).to_pylist()
    assert row["sensitive"]["text"].decode() == "müde"
    assert np.frombuffer(row["sensitive"]["symptoms"], "<f4").tolist() == [1.0, 2.5]
    assert set(row["medical"]) == {"item", "scale", "completion", "duration_s"}


def test_a_kind_of_every_world_may_say_its_world_and_a_kind_of_one_world_knows_it() -> None:
    browsed = {"item": 1, "duration_s": 2.0}
    assert parse_event(cloud_event(kind="PageBrowsed", data=browsed), ARRIVED).world == World.NONE
    assert parse_event(cloud_event(kind="PageBrowsed", data=browsed | {"world": "work"}), ARRIVED).world == World.WORK
    assert "no world" in reason(cloud_event(kind="PageBrowsed", data=browsed | {"world": "mars"}))
    assert "happens in the world social" in reason(cloud_event(data=cloud_event()["data"] | {"world": "work"}))


@pytest.mark.parametrize(
    ("event", "names"),
    [
        ("text", "event"),
        ({}, "specversion"),
        (cloud_event(specversion="0.3"), "specversion"),
        (cloud_event(id=""), "id"),
        (cloud_event(source=None), "source"),
        (cloud_event(type="calmverse.CommentEaten.v1"), "type: 'calmverse.CommentEaten.v1' is unknown"),
        (cloud_event(type="calmverse.CommentPosted.v2"), "type: version 2"),
        (cloud_event(kind="AttentionChecked"), "AttentionChecked is a check"),
        (cloud_event(subject="-1"), "subject"),
        (cloud_event(subject="18446744073709551616"), "subject"),
        (cloud_event(subject="someone"), "subject"),
        (cloud_event(subject=True), "subject"),
        (cloud_event(time="2026-01-05T09:00:00"), "time"),
        (cloud_event(time=1_767_600_000), "time"),
        (cloud_event(time="0001-01-01T00:00:00+14:00"), "time"),  # the year 0, UTC
        (cloud_event(time="9999-12-31T23:59:59-14:00"), "time"),  # the year 10000, UTC
        (cloud_event(time="1969-12-31T23:59:59Z"), "time"),
        (cloud_event(data=cloud_event()["data"] | {"symptoms": [1e300]}), "symptoms"),
        (cloud_event(datacontenttype="text/xml"), "datacontenttype"),
        (cloud_event(data="text"), "data"),
        (cloud_event(data={"item": 7}), "peer"),
        (cloud_event(data=cloud_event()["data"] | {"item": -1}), "item"),
        (cloud_event(data=cloud_event()["data"] | {"item": 1.5}), "item"),
        (cloud_event(data=cloud_event()["data"] | {"sentiment": float("nan")}), "sentiment"),
        (cloud_event(data=cloud_event()["data"] | {"unheard_of": 1}), "unheard_of"),
        (cloud_event(data=cloud_event()["data"] | {"text": "a" * 10_001}), "text"),
    ],
)
def test_what_is_wrong_is_named(event: object, names: str) -> None:
    assert names in reason(event)


@pytest.mark.parametrize("kind", ACCEPTED_KINDS)
def test_every_accepted_kind_takes_exactly_the_payload_of_the_contract(kind: EventKind) -> None:
    family = KINDS[kind].family
    structs = {struct.name: struct for struct in EVENT.structs()}
    fields = {field.name for field in structs[family].fields} if family else set()
    required = {name for name, field in data_model(kind).model_fields.items() if field.is_required()}
    assert required == fields
    data: dict[str, Any] = dict.fromkeys(fields, 1)
    batch = to_batch([parse_event(cloud_event(kind=KINDS[kind].name, data=data), ARRIVED)], [0])
    assert batch.to_pylist()[0][family] == data if family else True


def test_only_checks_are_not_accepted() -> None:
    assert set(EventKind) - set(ACCEPTED_KINDS) == {kind for kind, spec in KINDS.items() if spec.role is Role.CHECK}


@given(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text()))
def test_the_event_id_is_that_of_source_and_id_together(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (event_id_of(*one) == event_id_of(*other)) == (one == other)
    assert 0 < event_id_of(*one) < 2**64


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_whatever_comes_is_an_event_or_an_invalid_one(value: object) -> None:
    for event in (value, cloud_event(data=value), cloud_event(subject=value), cloud_event(time=value)):
        try:
            accepted = parse_event(event, ARRIVED)
        except InvalidEvent as problem:
            assert str(problem)  # noqa: PT017 - either is right, if it is one of the two
        else:
            assert to_batch([accepted], [0]).num_rows == 1


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
@example(datetime(1, 1, 1), 14 * 60)  # noqa: DTZ001 - the test adds the zone
@example(datetime(9999, 12, 31, 23, 59), -14 * 60)  # noqa: DTZ001 - the same
def test_whatever_time_is_accepted_can_be_sent(time: datetime, offset_minutes: int) -> None:
    zoned = time.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    try:
        event = parse_event(cloud_event(time=zoned.isoformat()), ARRIVED)
    except InvalidEvent:
        assert zoned.year in (1, 9999) or zoned.year <= 1970
        return
    frame = Frame(
        stream="events", tick=tick_of(event.occurred_at), source="test", batch=to_batch([event], [0]), frame_id="x"
    )
    assert len(encode(frame)) == 1


def test_the_schema_names_every_type_once() -> None:
    types = event_schema()["properties"]["type"]["enum"]
    assert len(types) == len(set(types)) == len(ACCEPTED_KINDS)
