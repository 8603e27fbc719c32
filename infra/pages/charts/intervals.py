"""Points with their intervals: effects, forest plots, paired differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import altair as alt

from infra.pages import numbers
from infra.pages.blocks import Chart
from infra.pages.charts.canvas import Canvas, encoded, paint, pictures, rows_of
from infra.pages.charts.rows import Layout, arrange, row_axis, x_axis
from infra.pages.charts.scales import padded
from infra.pages.palette import INK, Colour


@dataclass(frozen=True)
class Interval:
    """One row: an estimate with its interval, and the single pairs it is made of, where these are to be shown."""

    label: str
    value: float
    low: float
    high: float
    colour: Colour = INK
    pairs: tuple[float, ...] = ()


def interval_plot(rows: Sequence[Interval], *, unit: str, caption: str, alt_text: str, zero: bool = True) -> Chart:
    """Estimates as points on lines, one a row, numbers beside them; `zero` draws the line of no difference.

    `pairs` of a row are drawn as small rings under its point: paired differences, one a seed. An interval that is
    not finite is left out, and its text says so.
    """
    return Chart((pictures(lambda canvas: _draw(rows, unit, zero, canvas), 1),), caption, alt_text)


def paired_differences(rows: Sequence[Interval], *, unit: str, caption: str, alt_text: str) -> Chart:
    """The same chart with a zero line, for rows that carry their pairs (one a seed)."""
    return interval_plot(rows, unit=unit, caption=caption, alt_text=alt_text, zero=True)


def _draw(rows: Sequence[Interval], unit: str, zero: bool, canvas: Canvas) -> str:
    texts = [numbers.estimate(row.value, row.low, row.high) for row in rows]
    layout = arrange(canvas, [row.label for row in rows], texts, unit)
    everything = [number for row in rows for number in (row.value, row.low, row.high, *row.pairs)]
    span = padded(everything, zero=zero)
    axis = x_axis(span, layout)
    layers = [_pairs(rows, layout, axis)] if any(row.pairs for row in rows) else []
    layers += [_lines(rows, layout, axis), _points(rows, layout, axis), *layout.texts()]
    if zero:
        layers.insert(0, zero_line(axis))
    return paint(layers, canvas, layout.height, layout.margins)


def zero_line(axis: alt.X) -> alt.Chart:
    """The line of no difference, from top to bottom."""
    return encoded(alt.Chart(rows_of({"x": 0})).mark_rule(color=INK.drawn, strokeWidth=1.25), x=axis)


def _lines(rows: Sequence[Interval], layout: Layout, axis: alt.X) -> alt.Chart:
    data = [
        {"x": row.low, "x2": row.high, "y": layout.y(index), "colour": row.colour.drawn}
        for index, row in enumerate(rows)
        if isfinite(row.low) and isfinite(row.high)
    ]
    mark = alt.Chart(rows_of(*data)).mark_rule(strokeWidth=2.5, strokeCap="round")
    return encoded(mark, x=axis, x2="x2:Q", y=row_axis(), color=alt.Color("colour:N", scale=None))


def _points(rows: Sequence[Interval], layout: Layout, axis: alt.X) -> alt.Chart:
    data = [
        {"x": row.value, "y": layout.y(index), "colour": row.colour.drawn}
        for index, row in enumerate(rows)
        if isfinite(row.value)
    ]
    mark = alt.Chart(rows_of(*data)).mark_point(filled=True, size=95, opacity=1)
    return encoded(mark, x=axis, y=row_axis(), color=alt.Color("colour:N", scale=None))


def _pairs(rows: Sequence[Interval], layout: Layout, axis: alt.X) -> alt.Chart:
    data = [
        {"x": pair, "y": layout.y(index) + 9, "colour": row.colour.drawn}
        for index, row in enumerate(rows)
        for pair in row.pairs
        if isfinite(pair)
    ]
    mark = alt.Chart(rows_of(*data)).mark_point(filled=False, size=22, strokeWidth=1.25, opacity=1)
    return encoded(mark, x=axis, y=row_axis(), color=alt.Color("colour:N", scale=None))


def covers_zero(low: float, high: float) -> bool:
    """Whether an interval leaves open in which direction a difference goes; one that is not finite does."""
    return not (isfinite(low) and isfinite(high)) or low <= 0 <= high
