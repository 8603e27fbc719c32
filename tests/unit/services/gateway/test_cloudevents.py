"""The three ways in which HTTP carries CloudEvents."""

import json

import pytest

from services.gateway.cloudevents import BATCHED, BINARY, STRUCTURED, read_request
from services.gateway.refusals import Refused
from tests.unit.services.gateway.builders import cloud_event

EVENT = cloud_event()
HEADERS = {f"ce-{name}": str(value) for name, value in EVENT.items() if name != "data"} | {"content-type": BINARY}
MOST = 10


def test_a_structured_body_is_one_event() -> None:
    envelopes = read_request({"content-type": f"{STRUCTURED}; charset=UTF-8"}, json.dumps(EVENT).encode(), MOST)
    assert (envelopes.events, envelopes.batched) == ([EVENT], False)


def test_a_batch_is_a_list_of_events_and_may_be_empty() -> None:
    assert read_request({"content-type": BATCHED}, json.dumps([EVENT, EVENT]).encode(), MOST).events == [EVENT, EVENT]
    assert read_request({"content-type": BATCHED}, b"[]", MOST).events == []


def test_a_binary_event_has_its_attributes_in_headers() -> None:
    (event,) = read_request(HEADERS | {"host": "x"}, json.dumps(EVENT["data"]).encode(), MOST).events
    assert event == EVENT | {"datacontenttype": BINARY}


def test_header_values_are_percent_decoded() -> None:
    (event,) = read_request(HEADERS | {"ce-id": "caf%C3%A9"}, b"{}", MOST).events
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
        (BATCHED, json.dumps([1] * (MOST + 1)).encode(), 413),
        (BINARY, b"{}", 415),
        ("text/plain", b"{}", 415),
        ("", b"{}", 415),
    ],
)
def test_what_holds_no_events_is_refused_with_the_right_status(content_type: str, body: bytes, status: int) -> None:
    with pytest.raises(Refused) as caught:
        read_request({"content-type": content_type}, body, MOST)
    assert caught.value.status == status
