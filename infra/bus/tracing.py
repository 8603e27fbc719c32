"""Spans around sending and processing frames, as the messaging conventions have them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.util.types import AttributeValue

from infra.bus.messages import Received, TopicPartition
from infra.contracts.frames import Frame
from infra.contracts.topics import stream_of
from infra.telemetry import names
from infra.telemetry.propagation import current_traceparent, links_of


@contextmanager
def send_span(
    tracer: Tracer | None,
    destination: TopicPartition,
    frame: Frame,
    client_id: str,
    traceparent: str | None = None,
) -> Iterator[str | None]:
    """A PRODUCER span "send <stream>" for one frame; yields the trace context to put into the headers.

    Without a tracer there is no span, and `traceparent` is yielded as it is.
    """
    if tracer is None:
        yield traceparent
        return
    attributes = _attributes(names.SEND, destination[0], client_id) | {
        names.MESSAGING_DESTINATION_PARTITION_ID: str(destination[1]),
        names.CALM_STREAM: frame.stream,
        names.CALM_TICK: frame.tick,
        names.CALM_SOURCE: frame.source,
        names.CALM_ROWS: frame.batch.num_rows,
    }
    name = names.span_name(names.SEND, frame.stream)
    with tracer.start_as_current_span(name, kind=SpanKind.PRODUCER, attributes=attributes):
        yield current_traceparent() or traceparent


@contextmanager
def process_span(
    tracer: Tracer | None, topic: str, tick: int, received: Iterable[Received], client_id: str
) -> Iterator[None]:
    """A CONSUMER span "process <stream>" around the work on one tick, current while it lasts.

    It starts a trace of its own and is linked to the "send" span of every frame it works on.
    """
    if tracer is None:
        yield
        return
    frames = list(received)
    stream = stream_of(topic)
    attributes = _attributes(names.PROCESS, topic, client_id) | {
        names.MESSAGING_BATCH_MESSAGE_COUNT: len(frames),
        names.CALM_STREAM: stream,
        names.CALM_TICK: tick,
    }
    with tracer.start_as_current_span(
        names.span_name(names.PROCESS, stream),
        context=Context(),
        kind=SpanKind.CONSUMER,
        attributes=attributes,
        links=links_of(frame.traceparent for frame in frames),
    ):
        yield


def _attributes(operation: str, topic: str, client_id: str) -> dict[str, AttributeValue]:
    return {
        names.MESSAGING_SYSTEM: names.MESSAGING_SYSTEM_KAFKA,
        names.MESSAGING_OPERATION_NAME: operation,
        names.MESSAGING_OPERATION_TYPE: names.OPERATION_TYPES[operation],
        names.MESSAGING_DESTINATION_NAME: topic,
        names.MESSAGING_CLIENT_ID: client_id,
    }
