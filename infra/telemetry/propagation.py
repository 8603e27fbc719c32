"""W3C trace context through Kafka headers and through plain dictionaries (Ray Serve calls, HTTP).

Context does not cross `.remote()`, a Serve handle or a Kafka record by itself: somebody has to carry it.
The format is `traceparent` of https://www.w3.org/TR/trace-context/ (version 00), written and read here
without the global propagator, so that the environment cannot change what goes over the wire.
"""

import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, TraceFlags
from opentelemetry.util.types import AttributeValue

TRACEPARENT: Final = "traceparent"
KafkaHeaders = list[tuple[str, bytes]]

_PATTERN: Final = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")


def traceparent_of(span_context: SpanContext) -> str:
    """Format a valid span context as a `traceparent` value, 55 ASCII characters."""
    flags = int(span_context.trace_flags)
    return f"00-{span_context.trace_id:032x}-{span_context.span_id:016x}-{flags:02x}"


def current_traceparent() -> str | None:
    """Return the `traceparent` of the span that is current here, or None when there is none."""
    context = trace.get_current_span().get_span_context()
    return traceparent_of(context) if context.is_valid else None


def parse_traceparent(value: str | None) -> SpanContext | None:
    """Read a `traceparent`; None when absent, malformed or all zeros: a bad header never breaks a frame."""
    found = _PATTERN.match(value) if value else None
    if found is None:
        return None
    context = SpanContext(
        trace_id=int(found.group(1), 16),
        span_id=int(found.group(2), 16),
        is_remote=True,
        trace_flags=TraceFlags(int(found.group(3), 16)),
    )
    return context if context.is_valid else None


def inject_headers(headers: KafkaHeaders, traceparent: str | None = None) -> None:
    """Append `traceparent` (or the current span's) to Kafka record headers; nothing when there is no span."""
    value = traceparent or current_traceparent()
    if value is not None:
        headers.append((TRACEPARENT, value.encode("ascii")))


def extract_headers(headers: Iterable[tuple[str, bytes]]) -> str | None:
    """Return the valid `traceparent` of Kafka record headers, or None."""
    for name, value in headers:
        if name == TRACEPARENT and value is not None:
            text = value.decode("ascii", errors="replace")
            return text if parse_traceparent(text) is not None else None
    return None


def inject_carrier(carrier: MutableMapping[str, str]) -> None:
    """Put the current span's `traceparent` into `carrier`; nothing when there is no span."""
    value = current_traceparent()
    if value is not None:
        carrier[TRACEPARENT] = value


def extract_carrier(carrier: Mapping[str, str]) -> Context:
    """Return a context whose current span is the one named by `carrier`; an empty one when it names none."""
    return context_of(carrier.get(TRACEPARENT))


def context_of(traceparent: str | None) -> Context:
    """Return a context to start child spans in; an empty one (a new trace) for a missing or bad value."""
    remote = parse_traceparent(traceparent)
    if remote is None:
        return Context()
    return trace.set_span_in_context(NonRecordingSpan(remote), Context())


def links_of(traceparents: Iterable[str | None], attributes: Mapping[str, AttributeValue] | None = None) -> list[Link]:
    """Return one link for each distinct valid `traceparent`, in order of first appearance.

    The conventions ask for links, not parents, when a span processes more than one message.
    """
    distinct = dict.fromkeys(value for value in traceparents if value)
    contexts = (parse_traceparent(value) for value in distinct)
    return [Link(context, attributes) for context in contexts if context is not None]
