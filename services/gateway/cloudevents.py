"""The three ways in which HTTP carries CloudEvents 1.0, read into JSON form. No I/O.

Structured (`application/cloudevents+json`), batched (`application/cloudevents-batch+json`) and binary (`ce-*`
headers, the data in the body as `application/json`): CloudEvents HTTP protocol binding 1.0.2, section 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import orjson

from services.gateway.refusals import Refused

STRUCTURED: Final = "application/cloudevents+json"
BATCHED: Final = "application/cloudevents-batch+json"
BINARY: Final = "application/json"
_HEADER_PREFIX: Final = "ce-"


@dataclass(frozen=True)
class Envelopes:
    """The events of one request in JSON form, not yet checked, and whether they came as a batch."""

    events: list[object]
    batched: bool


def read_request(headers: Mapping[str, str], body: bytes | bytearray, most: int) -> Envelopes:
    """Return the events of one request, at most `most`; `headers` has lower-case names.

    Raises Refused: 400 for what is no JSON of the right shape, 413 for too many events, 415 for another type.
    """
    content_type = headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == STRUCTURED:
        return Envelopes([_object(_json(body))], batched=False)
    if media_type == BATCHED:
        return Envelopes(_array(_json(body), most), batched=True)
    if media_type == BINARY and f"{_HEADER_PREFIX}specversion" in headers:
        return Envelopes([_binary(headers, _json(body))], batched=False)
    raise Refused(
        415,
        f"content type {content_type[:80] or 'none'!r}: send {STRUCTURED}, {BATCHED}, or {BINARY} with ce- headers",
    )


def _json(body: bytes | bytearray) -> Any:  # noqa: ANN401 - whatever JSON can hold
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"the body is not JSON: {error}") from error


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused(400, "the body is JSON but no object: one CloudEvent is an object")
    return value


def _array(value: object, most: int) -> list[object]:
    if not isinstance(value, list):
        raise Refused(400, "the body is JSON but no array: a batch of CloudEvents is an array")
    if len(value) > most:
        raise Refused(413, f"{len(value)} events in one batch: send at most {most}")
    return value


def _binary(headers: Mapping[str, str], data: object) -> dict[str, Any]:
    attributes = {
        name.removeprefix(_HEADER_PREFIX): unquote(text)
        for name, text in headers.items()
        if name.startswith(_HEADER_PREFIX)
    }
    return {**attributes, "datacontenttype": BINARY, "data": data}
