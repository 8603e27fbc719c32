"""Tracing and metrics of one process, from one context manager at its composition root."""

import itertools
import os
import random
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import NoOpTracer, Tracer

from infra.contracts.errors import EnvironmentFailed
from infra.telemetry import names
from infra.telemetry.measures import Measures
from infra.telemetry.spooling import Sink, SpanCounts, SpoolingProcessor

SILENT: Final[Tracer] = NoOpTracer()
"""A tracer that records nothing: the default of whatever takes a tracer."""

SEND_SECONDS: Final = 5.0  # bound of one request to the OTLP endpoint
# A span over a tick links to every frame it read. The SDK's default of 128 links would cut lineage silently.
_LIMITS: Final = SpanLimits(max_links=8192, max_attributes=128, max_events=128)


class _PrivateIds(IdGenerator):
    """Trace and span ids from a generator of our own.

    The SDK takes them from the `random` module's shared state, which training code seeds: two processes with
    one seed would then write the same ids.
    """

    def __init__(self) -> None:
        self._random = random.Random()  # noqa: S311 - ids have to differ, not to be secret

    def generate_span_id(self) -> int:
        return self._random.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        return self._random.getrandbits(128) or 1


class Telemetry:
    """The spans and metrics of one process.

    Spans go to `<spans_dir>/<service>-<pid>.jsonl` (OTLP JSON lines), their counts to `….counts.json`, and
    the metrics, at the end, to `….metrics.json`. With `otlp_endpoint` (a base URL such as
    http://127.0.0.1:4318) spans are sent there too. Raises EnvironmentFailed when the directory cannot be
    written.

    Nothing global is set: pass `tracer` and `measures` to whoever needs them.
    """

    def __init__(self, service: str, spans_dir: Path, otlp_endpoint: str | None = None) -> None:
        self.service = service
        resource = Resource({names.SERVICE_NAME: service, names.PROCESS_PID: os.getpid()})
        stem = _free_stem(spans_dir, service)
        self._metrics_path = spans_dir / f"{stem}.metrics.json"
        sink = _otlp_sink(otlp_endpoint) if otlp_endpoint else None
        self._processor = SpoolingProcessor(
            spans_dir / f"{stem}.jsonl", spans_dir / f"{stem}.counts.json", resource, sink=sink
        )
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=resource,
            shutdown_on_exit=False,
            id_generator=_PrivateIds(),
            span_limits=_LIMITS,
        )
        self._provider.add_span_processor(self._processor)
        self.tracer: Tracer = self._provider.get_tracer("calmverse")
        self.measures = Measures(service, resource)

    @property
    def span_counts(self) -> SpanCounts:
        """Spans written, dropped and sent so far."""
        return self._processor.counts

    def flush(self, timeout_seconds: float = 10.0) -> bool:
        """Wait until every finished span is on disk; False when that took longer than `timeout_seconds`."""
        return self._processor.force_flush(int(timeout_seconds * 1000))

    def close(self) -> None:
        """Write what is left, in bounded time, and stop. Safe to call twice."""
        self._provider.shutdown()
        self.measures.add(names.METRIC_SPANS, self.span_counts.written)
        self.measures.add(names.METRIC_SPANS_DROPPED, self.span_counts.dropped)
        self.measures.write(self._metrics_path)
        self.measures.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _free_stem(spans_dir: Path, service: str) -> str:
    """Return a file stem that no earlier process of this service and pid has used."""
    try:
        spans_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFailed(
            f"cannot create the directory for spans {spans_dir}: {error.strerror}; "
            "choose a run directory that can be written"
        ) from error
    stems = itertools.chain(
        [f"{service}-{os.getpid()}"], (f"{service}-{os.getpid()}.{turn}" for turn in itertools.count(2))
    )
    return next(stem for stem in stems if not (spans_dir / f"{stem}.jsonl").exists())


def _otlp_sink(endpoint: str) -> Sink:
    """Return a function that sends a batch of spans to an OTLP/HTTP endpoint, given as its base URL."""
    # It brings `requests` and protobuf, half a second that a process without an endpoint need not pay.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415

    url = endpoint if endpoint.endswith("/v1/traces") else f"{endpoint.rstrip('/')}/v1/traces"
    exporter = OTLPSpanExporter(endpoint=url, timeout=SEND_SECONDS)

    def send(batch: Sequence[ReadableSpan]) -> bool:
        return exporter.export(batch) is SpanExportResult.SUCCESS

    return send
