"""Where time goes: percentiles by hop, and the waterfall of one trace."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from infra.pages import numbers
from infra.pages.blocks import Chart, Picture
from infra.pages.charts.canvas import Canvas, encoded, note, paint, pictures, rows_of
from infra.pages.charts.rows import Layout, arrange, row_axis, x_axis
from infra.pages.charts.scales import Span, decades, logarithmic
from infra.pages.palette import BLUE, PAPER, of_service

_MILLISECONDS = (
    "datum.value >= 1000 ? datum.value / 1000 + ' s' : "
    "datum.value < 1 ? datum.value * 1000 + ' µs' : datum.value + ' ms'"
)


@dataclass(frozen=True)
class Hop:
    """One stretch of the way from cause to effect: percentiles of its duration in milliseconds."""

    label: str
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True)
class TraceSpan:
    """One span of a trace: times in milliseconds from the trace's start, depth 0 for the outermost."""

    label: str
    service: str
    start_ms: float
    duration_ms: float
    depth: int = 0


def latency_by_hop(hops: Sequence[Hop], *, caption: str, alt_text: str) -> Chart:
    """Median, 95th and 99th percentile of each hop on one logarithmic axis of time, numbers beside them."""
    return Chart((pictures(lambda canvas: _draw_hops(hops, canvas), 1),), caption, alt_text)


def trace_waterfall(traces: Sequence[tuple[str, Sequence[TraceSpan]]], *, caption: str, alt_text: str) -> Chart:
    """One picture a trace (title, spans in order): spans as bars on the trace's own time axis, coloured by service."""

    def picture(title: str, spans: Sequence[TraceSpan]) -> Picture:
        return pictures(lambda canvas: _draw_trace(spans, canvas), 1, title)

    return Chart(tuple(picture(title, spans) for title, spans in traces), caption, alt_text)


def _draw_hops(hops: Sequence[Hop], canvas: Canvas) -> str:
    texts = [" / ".join(_short(p) for p in (hop.p50, hop.p95, hop.p99)) + " ms" for hop in hops]
    layout = arrange(canvas, [hop.label for hop in hops], texts, "time, logarithmic", top=24)
    span = logarithmic([value for hop in hops for value in (hop.p50, hop.p95, hop.p99)])
    axis = x_axis(span, layout, values=decades(span), labelExpr=_MILLISECONDS, labelOverlap=False)
    layers = [_hop_lines(hops, layout, axis), *_hop_points(hops, layout, axis), *layout.texts()]
    layers += _hop_heads(layout)
    return paint(layers, canvas, layout.height, layout.margins)


def _hop_lines(hops: Sequence[Hop], layout: Layout, axis: alt.X) -> alt.Chart:
    data = [{"x": hop.p50, "x2": hop.p99, "y": layout.y(row)} for row, hop in enumerate(hops)]
    mark = alt.Chart(rows_of(*data)).mark_rule(strokeWidth=2, color=BLUE.drawn)
    return encoded(mark, x=axis, x2="x2:Q", y=row_axis())


def _hop_points(hops: Sequence[Hop], layout: Layout, axis: alt.X) -> list[alt.Chart]:
    """Filled for the median, a bar for the 95th, a ring for the 99th percentile: told apart without colour."""

    def layer(field: str, **mark: object) -> alt.Chart:
        data = [{"x": getattr(hop, field), "y": layout.y(row)} for row, hop in enumerate(hops)]
        chart = alt.Chart(rows_of(*data)).mark_point(opacity=1, **mark)  # type: ignore[arg-type]  # checked by Altair
        return encoded(chart, x=axis, y=row_axis())

    return [
        layer("p99", shape="circle", size=80, fill=PAPER.drawn, stroke=BLUE.drawn, strokeWidth=2),
        layer("p95", shape="stroke", size=130, angle=90, stroke=BLUE.drawn, strokeWidth=2.5),
        layer("p50", shape="circle", size=90, fill=BLUE.drawn, stroke=BLUE.drawn, strokeWidth=1),
    ]


def _hop_heads(layout: Layout) -> list[alt.Chart]:
    right = layout.width + (layout.margins.right if layout.canvas.beside else 0)
    key = "● median   | 95th   ○ 99th percentile"
    return [
        note(key, 0, -14),
        *([note("p50 / p95 / p99", right, -14, align="right")] if layout.canvas.beside else []),
    ]


def _draw_trace(spans: Sequence[TraceSpan], canvas: Canvas) -> str:
    labels = [f"{span.label} · {span.service}" for span in spans]
    durations = [numbers.milliseconds(span.duration_ms) for span in spans]
    indents = [12.0 * span.depth for span in spans]
    layout = arrange(canvas, labels, durations, "milliseconds from the start of the trace", indents=indents)
    end = max((span.start_ms + span.duration_ms for span in spans), default=1.0)
    axis_span = Span(0.0, end or 1.0)
    axis = x_axis(axis_span, layout)
    least = axis_span.high / layout.width * 2  # a span of no length is still seen, two pixels wide
    data = [
        {
            "x": span.start_ms,
            "x2": span.start_ms + max(span.duration_ms, least),
            "y": layout.y(row),
            "colour": of_service(span.service).drawn,
        }
        for row, span in enumerate(spans)
    ]
    mark = alt.Chart(rows_of(*data)).mark_bar(size=13 if canvas.beside else 10)
    bars = encoded(mark, x=axis, x2="x2:Q", y=row_axis(), color=alt.Color("colour:N", scale=None))
    return paint([bars, *layout.texts()], canvas, layout.height, layout.margins)


def _short(value: float) -> str:
    return numbers.number(value, numbers.significant(value, 2))
