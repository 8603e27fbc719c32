"""Lines over time, alone or as small multiples on one scale, each labelled at its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import altair as alt

from infra.pages import numbers
from infra.pages.blocks import Chart, Picture
from infra.pages.charts.canvas import (
    CHARACTER_WIDTH,
    TEXT_SIZE,
    Canvas,
    Margins,
    encoded,
    note,
    paint,
    pictures,
    rows_of,
    written,
)
from infra.pages.charts.scales import Span, apart, decades, linear, logarithmic
from infra.pages.palette import INK, Colour


@dataclass(frozen=True)
class Line:
    """One line: x and y of equal length; a y of NaN or infinity breaks it."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    colour: Colour = INK
    dashed: bool = False


@dataclass(frozen=True)
class LinePanel:
    """One picture of a set of lines."""

    title: str
    lines: tuple[Line, ...]
    colour: Colour | None = None


@dataclass(frozen=True)
class Axes:
    """What the axes say, units included. `limit` draws a labelled horizontal line, such as an SLO."""

    x: str
    y: str
    log: bool = False
    zero: bool = False
    x_ticks: tuple[float, ...] = ()
    limit: tuple[str, float] | None = None


def line_chart(panels: Sequence[LinePanel], axes: Axes, *, caption: str, alt_text: str, columns: int = 1) -> Chart:
    """Lines on shared axes, `columns` panels side by side in a wide window, one below the other in a narrow one."""
    spans = _spans(panels, axes)

    def picture(panel: LinePanel) -> Picture:
        return pictures(lambda canvas: _draw(panel, axes, spans, canvas), columns, panel.title, panel.colour)

    return Chart(tuple(picture(panel) for panel in panels), caption, alt_text, columns=columns)


def series_by_world(panels: Sequence[LinePanel], axes: Axes, *, caption: str, alt_text: str) -> Chart:
    """A panel a world, three side by side: such as focus over the day, the run against its twin."""
    return line_chart(panels, axes, caption=caption, alt_text=alt_text, columns=3)


def percentiles_over_time(lines: Sequence[Line], axes: Axes, *, caption: str, alt_text: str) -> Chart:
    """Percentiles of latency as lines in one picture over the width of the page."""
    return line_chart([LinePanel("", tuple(lines))], axes, caption=caption, alt_text=alt_text)


def _spans(panels: Sequence[LinePanel], axes: Axes) -> tuple[Span, Span]:
    xs = [x for panel in panels for line in panel.lines for x in line.x] + list(axes.x_ticks)
    ys = [y for panel in panels for line in panel.lines for y in line.y] + ([axes.limit[1]] if axes.limit else [])
    x = Span(min(xs, default=0.0), max(xs, default=1.0))
    if x.low == x.high:
        x = Span(x.low, x.low + 1)
    return x, logarithmic(ys) if axes.log else linear(ys, zero=axes.zero)


def _draw(panel: LinePanel, axes: Axes, spans: tuple[Span, Span], canvas: Canvas) -> str:
    height = 230.0 if canvas.width > 600 else 190.0 if canvas.width > 300 else 140.0
    longest = max((len(line.label) for line in panel.lines), default=0)
    margins = Margins(_left(spans[1]), longest * CHARACTER_WIDTH + 14, 26, 46)
    width = canvas.width - margins.left - margins.right
    x, y = _encodings(axes, spans, width)
    layers = [_line(line, x, y) for line in panel.lines if line.x]
    layers += _end_labels(panel.lines, spans, width, height)
    layers += [note(axes.y, -margins.left, -16)]
    if axes.limit:
        layers += _limit(axes.limit, y, spans[1], height)
    return paint(layers, canvas, height, margins)


def _left(span: Span) -> float:
    """Space for the widest label of the vertical axis."""
    labels = [numbers.number(value) for value in (span.low, span.high, span.low + (span.high - span.low) / 4)]
    return max(26.0, max(len(label) for label in labels) * CHARACTER_WIDTH + 12)


def _encodings(axes: Axes, spans: tuple[Span, Span], width: float) -> tuple[alt.X, alt.Y]:
    x_span, y_span = spans
    # Vega thins out given ticks when it is told a count as well, so it is told one or the other.
    x_ticks: Any = {"values": list(axes.x_ticks)} if axes.x_ticks else {"tickCount": max(2, round(width / 90))}
    y_ticks: Any = {"values": decades(y_span)} if y_span.log else {"tickCount": 4}
    x_axis = alt.Axis(title=axes.x, titleAnchor="start", grid=False, labelOverlap=not axes.x_ticks, **x_ticks)
    y_axis = alt.Axis(title=None, labelOverlap=not y_span.log, **y_ticks)
    scale = alt.Scale(type="log" if y_span.log else "linear", domain=[y_span.low, y_span.high], nice=False)
    x_scale = alt.Scale(domain=[x_span.low, x_span.high], nice=False)
    return alt.X("x:Q", scale=x_scale, axis=x_axis), alt.Y("y:Q", scale=scale, axis=y_axis)


def _line(line: Line, x: alt.X, y: alt.Y) -> alt.Chart:
    data = [{"x": a, "y": b if isfinite(b) else None} for a, b in zip(line.x, line.y, strict=True)]
    dash = [4, 3] if line.dashed else [1, 0]
    mark = alt.Chart(rows_of(*data)).mark_line(
        color=line.colour.drawn,
        strokeWidth=1.75,
        strokeDash=dash,
        strokeJoin="round",
        invalid="break-paths-show-domains",
    )
    return encoded(mark, x=x, y=y)


def _end_labels(lines: Sequence[Line], spans: tuple[Span, Span], width: float, height: float) -> list[alt.Chart]:
    """Each line's name beside its last point, moved up or down where two would touch."""
    x, y = spans
    drawn = [(line, end) for line in lines if line.label and (end := _last(line))]
    places = apart([height * (1 - y.fraction(end[1])) for _, end in drawn], TEXT_SIZE + 3, height)
    texts = [
        {"text": line.label, "x": x.fraction(end[0]) * width + 7, "y": place}
        for (line, end), place in zip(drawn, places, strict=True)
    ]
    return [written(texts)] if texts else []


def _last(line: Line) -> tuple[float, float] | None:
    points = [(x, y) for x, y in zip(line.x, line.y, strict=True) if isfinite(y)]
    return points[-1] if points else None


def _limit(limit: tuple[str, float], y: alt.Y, span: Span, height: float) -> list[alt.Chart]:
    label, value = limit
    rule = alt.Chart(rows_of({"y": value})).mark_rule(color=INK.drawn, strokeWidth=1.25, strokeDash=[2, 3])
    return [encoded(rule, y=y), note(label, 4, height * (1 - span.fraction(value)) - 9, INK)]
