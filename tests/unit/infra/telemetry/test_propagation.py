import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanContext, TraceFlags

from infra.telemetry.propagation import (
    TRACEPARENT,
    KafkaHeaders,
    context_of,
    current_traceparent,
    extract_carrier,
    extract_headers,
    inject_carrier,
    inject_headers,
    links_of,
    parse_traceparent,
    traceparent_of,
)

GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACER = TracerProvider(shutdown_on_exit=False).get_tracer("test")


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.sampled_from([0, 1]))
def test_a_span_context_survives_the_header(trace_id: int, span_id: int, flags: int) -> None:
    context = SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(flags))
    parsed = parse_traceparent(traceparent_of(context))
    assert parsed is not None
    assert (parsed.trace_id, parsed.span_id, parsed.trace_flags) == (trace_id, span_id, flags)
    assert parsed.is_remote


@pytest.mark.parametrize(
    "value",
    [None, "", "garbage", GOOD.upper(), GOOD + "-extra", "01" + GOOD[2:], "00-" + "0" * 32 + "-" + "0" * 16 + "-01"],
)
def test_a_missing_or_bad_header_is_no_context_and_no_error(value: str | None) -> None:
    assert parse_traceparent(value) is None
    assert not trace.get_current_span(context_of(value)).get_span_context().is_valid
    assert extract_headers([(TRACEPARENT, (value or "").encode())]) is None


def test_the_current_span_travels_in_kafka_headers() -> None:
    headers: KafkaHeaders = [("ce_id", b"1")]
    with TRACER.start_as_current_span("send events") as span:
        inject_headers(headers)
    carried = extract_headers(headers)
    assert carried == traceparent_of(span.get_span_context())
    assert headers[0] == ("ce_id", b"1")


def test_a_given_traceparent_goes_before_the_current_span() -> None:
    headers: KafkaHeaders = []
    with TRACER.start_as_current_span("other"):
        inject_headers(headers, GOOD)
    assert headers == [(TRACEPARENT, GOOD.encode())]


def test_without_a_span_nothing_is_injected() -> None:
    headers: KafkaHeaders = []
    carrier: dict[str, str] = {}
    inject_headers(headers)
    inject_carrier(carrier)
    assert headers == []
    assert carrier == {}
    assert current_traceparent() is None


def test_a_span_started_from_a_carrier_is_a_child_of_the_caller() -> None:
    carrier: dict[str, str] = {}
    with TRACER.start_as_current_span("forward call") as caller:
        inject_carrier(carrier)
    child = TRACER.start_span("forward", context=extract_carrier(carrier))
    assert child.get_span_context().trace_id == caller.get_span_context().trace_id
    parent = getattr(child, "parent", None)
    assert parent is not None
    assert parent.span_id == caller.get_span_context().span_id


def test_links_are_distinct_and_skip_what_is_no_context() -> None:
    other = GOOD.replace("b7ad", "c8be")
    links = links_of([GOOD, None, "bad", other, GOOD])
    assert [traceparent_of(link.context) for link in links] == [GOOD, other]
