"""Spans and metrics reach the disk, equal to what the standard encoder writes; drops are counted."""

import json
import random
import threading
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from infra.contracts.errors import EnvironmentFailed
from infra.telemetry import names
from infra.telemetry.otlp import encode_line
from infra.telemetry.propagation import context_of
from infra.telemetry.setup import Telemetry
from infra.telemetry.spans import read_spans, read_totals
from infra.telemetry.spooling import SpoolingProcessor

RESOURCE = Resource({names.SERVICE_NAME: "test", names.PROCESS_PID: 7})
REMOTE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
VALUES = st.one_of(
    st.text(st.characters(codec="utf-8")),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.integers(0, 9), max_size=3),
)


def finished(attributes: dict[str, AttributeValue], *, failed: bool, remote: bool) -> Sequence[ReadableSpan]:
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("calmverse")
    context = context_of(REMOTE if remote else None)
    with tracer.start_as_current_span("outer", context=context, kind=SpanKind.CONSUMER) as outer:
        link = Link(outer.get_span_context(), {"calm.tick": 1})
        with tracer.start_as_current_span(
            "inner", kind=SpanKind.PRODUCER, links=[link], attributes=attributes
        ) as inner:
            inner.add_event("halfway", {"a": "b"})
            if failed:
                inner.set_status(Status(StatusCode.ERROR, "broke"))
    return memory.get_finished_spans()


@given(st.dictionaries(st.text("abc.", min_size=1), VALUES, max_size=4), st.booleans(), st.booleans())
def test_our_encoder_writes_what_the_standard_one_writes(
    attributes: dict[str, AttributeValue], failed: bool, remote: bool
) -> None:
    spans = finished(attributes, failed=failed, remote=remote)
    assert json.loads(encode_line(RESOURCE, "calmverse", spans)) == encode_spans(spans).to_dict()


def test_every_finished_span_is_in_the_file_when_telemetry_has_closed(tmp_path: Path) -> None:
    with Telemetry("monitor", tmp_path) as telemetry:
        for tick in range(700):
            with telemetry.tracer.start_as_current_span("process events", attributes={names.CALM_TICK: tick}):
                pass
    spans = read_spans(tmp_path)
    assert spans["calm_tick"].to_list() == list(range(700))
    assert set(spans["service"]) == {"monitor"}
    totals = read_totals(tmp_path)
    assert (totals.written, totals.dropped, totals.unclosed) == (700, 0, ())


def test_flush_waits_for_the_disk(tmp_path: Path) -> None:
    with Telemetry("monitor", tmp_path) as telemetry:
        telemetry.tracer.start_span("one").end()
        assert telemetry.flush()
        assert read_spans(tmp_path).height == 1


def test_two_telemetries_of_one_process_do_not_share_a_file(tmp_path: Path) -> None:
    for _ in range(2):
        with Telemetry("monitor", tmp_path) as telemetry:
            telemetry.tracer.start_span("one").end()
    assert read_totals(tmp_path).written == 2
    assert read_spans(tmp_path).height == 2


def test_ids_do_not_repeat_when_training_code_seeds_the_random_module(tmp_path: Path) -> None:
    seen = set()
    for _ in range(2):
        random.seed(7)
        with Telemetry("monitor", tmp_path) as telemetry:
            span = telemetry.tracer.start_span("one")
            span.end()
            seen.add(span.get_span_context().trace_id)
    assert len(seen) == 2


def test_a_span_keeps_more_links_than_the_sdk_would_by_default(tmp_path: Path) -> None:
    with Telemetry("monitor", tmp_path) as telemetry:
        spans = [telemetry.tracer.start_span("send events") for _ in range(300)]
        links = [Link(span.get_span_context()) for span in spans]
        telemetry.tracer.start_span("process events", links=links).end()
    assert read_spans(tmp_path)["links"].list.len().to_list() == [300]


def test_a_full_queue_drops_after_the_wait_and_counts_every_drop(tmp_path: Path) -> None:
    writing, go_on = threading.Event(), threading.Event()

    def held_up(_batch: Sequence[ReadableSpan]) -> bool:
        writing.set()
        return go_on.wait(60)

    counts_path = tmp_path / "s.counts.json"
    processor = SpoolingProcessor(
        tmp_path / "s.jsonl", counts_path, RESOURCE, sink=held_up, queue_spans=1, block_seconds=0.0
    )
    span = finished({}, failed=False, remote=False)[0]
    processor.on_end(span)
    assert writing.wait(60)  # the writer has taken that one, and takes no more: there is room for one
    for _ in range(100):
        processor.on_end(span)
    go_on.set()
    processor.shutdown()
    counts = orjson.loads(counts_path.read_bytes())
    assert (counts["written"], counts["dropped"]) == (2, 99)
    assert counts["closed"]


def test_a_span_that_ends_after_closing_is_counted_as_dropped(tmp_path: Path) -> None:
    telemetry = Telemetry("monitor", tmp_path)
    late = telemetry.tracer.start_span("late")
    telemetry.close()
    late.end()
    assert telemetry.span_counts.dropped == 1


def test_a_span_that_cannot_be_encoded_is_dropped_and_the_writer_goes_on(tmp_path: Path) -> None:
    with Telemetry("monitor", tmp_path) as telemetry:
        telemetry.tracer.start_span("\ud800").end()
        assert telemetry.flush()
        telemetry.tracer.start_span("fine").end()
        assert telemetry.flush()
        assert telemetry.span_counts.dropped == 1
    assert read_spans(tmp_path)["name"].to_list() == ["fine"]


def test_an_otlp_endpoint_that_refuses_is_counted_and_the_file_has_all(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    processor = SpoolingProcessor(path, tmp_path / "s.counts.json", RESOURCE, sink=lambda _batch: False)
    processor.on_end(finished({}, failed=False, remote=False)[0])
    processor.shutdown()
    assert (processor.counts.written, processor.counts.sent, processor.counts.unsent) == (1, 0, 1)


def test_metrics_are_prometheus_text_while_alive_and_a_file_at_the_end(tmp_path: Path) -> None:
    with Telemetry("archiver", tmp_path) as telemetry:
        telemetry.measures.add(names.METRIC_LAKE_ROWS, 5, {"stream": "events"})
        telemetry.measures.add(names.METRIC_LAKE_ROWS, 2, {"stream": "events"})
        telemetry.measures.set(names.METRIC_TICK, 9)
        telemetry.measures.observe(names.METRIC_LATENCY, 0.004)
        text = telemetry.measures.prometheus_text().decode()
    assert 'calm_lake_rows_total{stream="events"} 7.0' in text
    assert "calm_tick_released 9.0" in text
    assert 'calm_latency_seconds_bucket{le="0.005"} 1.0' in text
    (path,) = tmp_path.glob("*.metrics.json")
    metrics = orjson.loads(path.read_bytes())["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
    assert {names.METRIC_LAKE_ROWS, names.METRIC_LATENCY, names.METRIC_SPANS} <= {each["name"] for each in metrics}


def test_a_metric_that_has_no_name_in_names_is_refused(tmp_path: Path) -> None:
    with Telemetry("archiver", tmp_path) as telemetry, pytest.raises(KeyError):
        telemetry.measures.add("calm.unheard.of")


def test_a_directory_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailed, match="spans"):
        Telemetry("monitor", tmp_path / "file" / "spans")


def test_every_metric_has_a_unit_and_every_operation_a_type() -> None:
    metrics = {value for name, value in vars(names).items() if name.startswith("METRIC_") and isinstance(value, str)}
    assert metrics == set(names.METRIC_UNITS)
    assert set(names.OPERATION_TYPES) == {"send", "poll", "process", "commit"}
