"""The three ways in which HTTP carries CloudEvents."""

import json

import pytest

from services.gateway import cloudevents
from services.gateway.cloudevents import BATCHED, BINARY, MAX_BATCH, STRUCTURED, UnreadableBody, read_request
from tests.unit.services.gateway.builders import cloud_event

EVENT = cloud_event()
HEADERS = {f"ce-{name}": str(value) for name, value in EVENT.items() if name != "data"}


def test_a_structured_body_is_one_event() -> None:
    envelopes = read_request(f"{STRUCTURED}; charset=UTF-8", {}, json.dumps(EVENT).encode())
    assert (envelopes.events, envelopes.batched) == ([EVENT], False)


def test_a_batch_is_a_list_of_events_and_may_be_empty() -> None:
    assert read_request(BATCHED, {}, json.dumps([EVENT, EVENT]).encode()).events == [EVENT, EVENT]
    assert read_request(BATCHED, {}, b"[]").events == []


def test_a_binary_event_has_its_attributes_in_headers() -> None:
    (event,) = read_request(BINARY, HEADERS | {"host": "x"}, json.dumps(EVENT["data"]).encode()).events
    assert event == EVENT | {"datacontenttype": BINARY}


def test_header_values_are_percent_decoded() -> None:
    (event,) = read_request(BINARY, HEADERS | {"ce-id": "caf%C3%A9"}, b"{}").events
    assert isinstance(event, dict)
    assert event["id"] == "café"


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        (STRUCTURED, b"{", 400),
        (STRUCTURED, b"[]", 400),
        (STRUCTURED, b"", 400),
        (STRUCTURED, b'{"id": "\xff"}', 400),
        (BATCHED, b"{}", 400),
        (BATCHED, json.dumps([1] * (MAX_BATCH + 1)).encode(), 413),
        (STRUCTURED, b" " * (cloudevents.MAX_BODY_BYTES + 1), 413),
        (BINARY, b"{}", 415),
        ("text/plain", b"{}", 415),
        ("", b"{}", 415),
    ],
)
def test_what_holds_no_events_is_refused_with_the_right_status(content_type: str, body: bytes, status: int) -> None:
    with pytest.raises(UnreadableBody) as caught:
        read_request(content_type, {}, body)
    assert caught.value.status == status
