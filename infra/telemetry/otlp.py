"""Finished spans as OTLP JSON, the format of one `ExportTraceServiceRequest`.

Written here because it has to be cheap: the encoder of opentelemetry-exporter-otlp-json-common builds a tree
of objects first, several times the work of a span, and the writer shares its interpreter with the loop that is
being measured. A test holds the two equal.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, SpanContext, SpanKind
from opentelemetry.util.types import AttributeValue

_KINDS: Final[dict[SpanKind, int]] = {
    SpanKind.INTERNAL: 1,
    SpanKind.SERVER: 2,
    SpanKind.CLIENT: 3,
    SpanKind.PRODUCER: 4,
    SpanKind.CONSUMER: 5,
}
_HAS_IS_REMOTE: Final = 0x100  # span flags of opentelemetry-proto, trace.proto
_IS_REMOTE: Final = 0x200


def encode_line(resource: Resource, scope: str, spans: Sequence[ReadableSpan]) -> bytes:
    """Return one JSON line (with its line feed) holding `spans`, all of one resource and one scope."""
    request = {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(resource.attributes)},
                "scopeSpans": [{"scope": {"name": scope}, "spans": [_span(span) for span in spans]}],
            }
        ]
    }
    return orjson.dumps(request, option=orjson.OPT_APPEND_NEWLINE)


def _span(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    encoded: dict[str, Any] = {
        "traceId": f"{context.trace_id:032x}" if context else "0" * 32,
        "spanId": f"{context.span_id:016x}" if context else "0" * 16,
        "flags": _flags(span.parent),
        "name": span.name,
        "kind": _KINDS[span.kind],
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "status": _status(span),
    }
    if span.parent is not None:
        encoded["parentSpanId"] = f"{span.parent.span_id:016x}"
    if span.attributes:
        encoded["attributes"] = _attributes(span.attributes)
    if span.links:
        encoded["links"] = [_link(link) for link in span.links]
    if span.events:
        encoded["events"] = [_event(event.name, event.timestamp, event.attributes) for event in span.events]
    if span.dropped_links:
        encoded["droppedLinksCount"] = span.dropped_links
    return encoded


def _link(link: Link) -> dict[str, Any]:
    encoded: dict[str, Any] = {
        "traceId": f"{link.context.trace_id:032x}",
        "spanId": f"{link.context.span_id:016x}",
        "flags": _flags(link.context),
    }
    if link.attributes:
        encoded["attributes"] = _attributes(link.attributes)
    return encoded


def _event(name: str, timestamp: int, attributes: Mapping[str, AttributeValue] | None) -> dict[str, Any]:
    encoded: dict[str, Any] = {"timeUnixNano": str(timestamp), "name": name}
    if attributes:
        encoded["attributes"] = _attributes(attributes)
    return encoded


def _flags(context: SpanContext | None) -> int:
    return _HAS_IS_REMOTE | (_IS_REMOTE if context is not None and context.is_remote else 0)


def _status(span: ReadableSpan) -> dict[str, Any]:
    encoded: dict[str, Any] = {}
    if span.status.status_code.value:
        encoded["code"] = span.status.status_code.value
    if span.status.description:
        encoded["message"] = span.status.description
    return encoded


def _attributes(attributes: Mapping[str, AttributeValue]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: object) -> dict[str, Any]:
    match value:
        case str():
            return {"stringValue": value}
        case bool():  # before int: a bool is one
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}  # int64 is a string in protobuf's JSON
        case float():
            return {"doubleValue": value}
        case Iterable():
            values = [_value(item) for item in value]
            return {"arrayValue": {"values": values} if values else {}}
        case _:
            return {"stringValue": str(value)}
