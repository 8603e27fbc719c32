"""Spans of a made-up run, written the way a process writes them."""

from pathlib import Path

from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Tracer, set_span_in_context

from infra.telemetry import names
from infra.telemetry.setup import Telemetry

SECOND = 1_000_000_000
STEP = 10_000_000  # every span below lasts 10 ms and begins where it is told to


class Run:
    """One tick of the loop: send events → process → send scores → process → send interventions → apply."""

    def __init__(self, directory: Path) -> None:
        self.telemetry = Telemetry("test", directory)
        self.tracer: Tracer = self.telemetry.tracer

    def span(
        self,
        name: str,
        start: int,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        parent: SpanContext | None = None,
        links: tuple[SpanContext, ...] = (),
    ) -> SpanContext:
        """Write one span of 10 ms that begins `start` steps after the epoch's first second."""
        context = _as_parent(parent) if parent else Context()
        begin = SECOND + start * STEP
        span = self.tracer.start_span(
            name, context=context, kind=kind, links=[Link(link) for link in links], start_time=begin
        )
        span.end(begin + STEP)
        return span.get_span_context()

    def events(self, start: int = 0) -> SpanContext:
        """A "send events" span of the simulation."""
        return self.span("send events", start, kind=SpanKind.PRODUCER)

    def derive(self, source: str, result: str, cause: SpanContext | None, start: int) -> SpanContext:
        """A "process <source>" span linked to `cause`, and its child "send <result>"."""
        links = (cause,) if cause else ()
        process = self.span(f"process {source}", start, kind=SpanKind.CONSUMER, links=links)
        return self.span(f"send {result}", start, kind=SpanKind.PRODUCER, parent=process)

    def loop(self, start: int = 0) -> SpanContext:
        """A whole way from events to an applied command; each hop waits two steps in Kafka."""
        scores = self.derive("events", "scores", self.events(start), start + 3)
        command = self.derive("scores", "interventions", scores, start + 6)
        return self.apply(command, start + 9)

    def apply(self, command: SpanContext | None, start: int = 9) -> SpanContext:
        """An "apply command" span of the simulation, a child of a "step tick" span."""
        step = self.span(names.STEP_TICK, start)
        return self.span(names.APPLY_COMMAND, start, parent=step, links=(command,) if command else ())


def _as_parent(parent: SpanContext) -> Context:
    return set_span_in_context(NonRecordingSpan(parent), Context())
