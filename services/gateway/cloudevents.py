"""The three ways in which HTTP carries CloudEvents 1.0, read into JSON form. No I/O.

Structured (`application/cloudevents+json`), batched (`application/cloudevents-batch+json`) and binary (`ce-*`
headers, the data in the body as `application/json`): CloudEvents HTTP protocol binding 1.0.2, section 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import orjson

STRUCTURED: Final = "application/cloudevents+json"
BATCHED: Final = "application/cloudevents-batch+json"
BINARY: Final = "application/json"
CONTENT_TYPES: Final = (STRUCTURED, BATCHED, BINARY)
MAX_BODY_BYTES: Final = 4 * 1024 * 1024
MAX_BATCH: Final = 5_000
_HEADER_PREFIX: Final = "ce-"


class UnreadableBody(ValueError):
    """A request that holds no CloudEvents; `status` is the HTTP answer it deserves."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Envelopes:
    """The events of one request in JSON form, not yet checked, and whether they came as a batch."""

    events: list[object]
    batched: bool


def read_request(content_type: str, headers: Mapping[str, str], body: bytes) -> Envelopes:
    """Return the events of one request; `headers` has lower-case names.

    Raises UnreadableBody: 400 for what is no JSON of the right shape, 413 for too much, 415 for another type.
    """
    if len(body) > MAX_BODY_BYTES:
        raise too_large()
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == STRUCTURED:
        return Envelopes([_object(_json(body))], batched=False)
    if media_type == BATCHED:
        return Envelopes(_array(_json(body)), batched=True)
    if media_type == BINARY and f"{_HEADER_PREFIX}specversion" in headers:
        return Envelopes([_binary(headers, _json(body))], batched=False)
    raise UnreadableBody(
        415,
        f"content type {content_type or 'none'!r}: send {STRUCTURED}, {BATCHED}, or {BINARY} with ce- headers",
    )


def too_large() -> UnreadableBody:
    """Return the refusal of a body that is too long."""
    return UnreadableBody(413, f"the body is over {MAX_BODY_BYTES} bytes: send it in parts")


def _json(body: bytes) -> Any:  # noqa: ANN401 - whatever JSON can hold
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableBody(400, f"the body is not JSON: {error}") from error


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UnreadableBody(400, "the body is JSON but no object: one CloudEvent is an object")
    return value


def _array(value: object) -> list[object]:
    if not isinstance(value, list):
        raise UnreadableBody(400, "the body is JSON but no array: a batch of CloudEvents is an array")
    if len(value) > MAX_BATCH:
        raise UnreadableBody(413, f"{len(value)} events in one batch: send at most {MAX_BATCH}")
    return value


def _binary(headers: Mapping[str, str], data: object) -> dict[str, Any]:
    attributes = {
        name.removeprefix(_HEADER_PREFIX): unquote(text)
        for name, text in headers.items()
        if name.startswith(_HEADER_PREFIX)
    }
    return {**attributes, "datacontenttype": BINARY, "data": data}
