"""Counters, gauges and histograms of one process: the OpenTelemetry metrics SDK behind four small methods.

They are read in two ways: as Prometheus text while the process lives (`/metrics`), and as one OTLP JSON line
when it ends. Names and units come from `names`; anything else is a mistake, and says so.
"""

from pathlib import Path
from typing import Final

import orjson
from opentelemetry.exporter.otlp.json.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import Counter, Histogram
from opentelemetry.metrics import _Gauge as Gauge
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, generate_latest

from infra.telemetry import names

# Upper bounds in seconds, three a decade from 1 ms to 100 s: latencies from `intended_at` and tick durations.
SECONDS_BOUNDS: Final = tuple(round(step * 10.0**decade, 6) for decade in range(-3, 3) for step in (1.0, 2.0, 5.0))
Labels = dict[str, str | int]


class Measures:
    """The metrics of one process. Safe to use from any thread."""

    def __init__(self, service: str, resource: Resource) -> None:
        self._registry = CollectorRegistry()
        self._memory = InMemoryMetricReader()
        prometheus = PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False, registry=self._registry)
        self._provider = MeterProvider(
            metric_readers=[self._memory, prometheus], resource=resource, shutdown_on_exit=False
        )
        self._meter = self._provider.get_meter(service)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}

    def add(self, name: str, amount: int = 1, labels: Labels | None = None) -> None:
        """Add `amount` (at least 0) to the counter `name` of `names`."""
        if name not in self._counters:
            self._counters[name] = self._meter.create_counter(name, unit=names.METRIC_UNITS[name])
        self._counters[name].add(amount, labels)

    def set(self, name: str, value: float, labels: Labels | None = None) -> None:
        """Set the gauge `name` of `names`."""
        if name not in self._gauges:
            self._gauges[name] = self._meter.create_gauge(name, unit=names.METRIC_UNITS[name])
        self._gauges[name].set(value, labels)

    def observe(self, name: str, seconds: float, labels: Labels | None = None) -> None:
        """Record a duration in seconds in the histogram `name` of `names`."""
        if name not in self._histograms:
            self._histograms[name] = self._meter.create_histogram(
                name,
                unit=names.METRIC_UNITS[name],
                explicit_bucket_boundaries_advisory=SECONDS_BOUNDS,
            )
        self._histograms[name].record(seconds, labels)

    def prometheus_text(self) -> bytes:
        """Return all metrics in Prometheus' text format 0.0.4."""
        return bytes(generate_latest(self._registry))

    def write(self, path: Path) -> None:
        """Write all metrics as OTLP JSON (ExportMetricsServiceRequest), if there are any."""
        data = self._memory.get_metrics_data()
        if data is not None:
            path.write_bytes(orjson.dumps(encode_metrics(data).to_dict(), option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        """Stop the readers; later calls record nothing."""
        self._provider.shutdown()
