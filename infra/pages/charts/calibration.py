"""Predicted against observed: does a forecast of 30% come true three times in ten?"""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt

from infra.pages.blocks import Chart, Picture
from infra.pages.charts.canvas import Canvas, Margins, encoded, note, paint, pictures, rows_of
from infra.pages.charts.scales import Span, linear
from infra.pages.palette import BLUE, MUTED, Colour


@dataclass(frozen=True)
class Bin:
    """Forecasts of about one size: their mean, the share that came true with its interval, how many they are."""

    predicted: float
    observed: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Calibration:
    """The bins of one model head."""

    title: str
    bins: tuple[Bin, ...]
    colour: Colour = BLUE


def calibration_curve(curves: Sequence[Calibration], *, caption: str, alt_text: str) -> Chart:
    """One square panel a head: points on the dashed diagonal are as frequent as forecast."""

    def picture(curve: Calibration) -> Picture:
        return pictures(lambda canvas: _draw(curve, canvas), 2, curve.title)

    return Chart(tuple(picture(curve) for curve in curves), caption, alt_text, columns=2)


def _draw(curve: Calibration, canvas: Canvas) -> str:
    margins = Margins(42, 14, 26, 48)
    side = min(canvas.width - margins.left - margins.right, 300)
    top = linear([b.high for b in curve.bins] + [b.predicted for b in curve.bins], zero=True).high
    x, y = _encodings(Span(0, min(top, 1.0)))
    layers = [_diagonal(min(top, 1.0), x, y), _intervals(curve, x, y), _points(curve, x, y)]
    layers += [
        note("came true, %", -margins.left, -16),
        note("dashed: as forecast", side - 8, side - 14, align="right"),
    ]
    return paint(layers, Canvas(round(side + margins.left + margins.right), canvas.beside), side, margins)


def _encodings(span: Span) -> tuple[alt.X, alt.Y]:
    scale = alt.Scale(domain=[span.low, span.high], nice=False)
    per_cent = "round(datum.value * 1000) / 10"
    x = alt.Axis(title="forecast, %", titleAnchor="start", tickCount=4, labelExpr=per_cent, labelFlush=True)
    y = alt.Axis(title=None, tickCount=4, labelExpr=per_cent)
    return alt.X("x:Q", scale=scale, axis=x), alt.Y("y:Q", scale=scale, axis=y)


def _diagonal(top: float, x: alt.X, y: alt.Y) -> alt.Chart:
    data = rows_of({"x": 0, "y": 0}, {"x": top, "y": top})
    return encoded(alt.Chart(data).mark_line(color=MUTED.drawn, strokeDash=[4, 3], strokeWidth=1.25), x=x, y=y)


def _intervals(curve: Calibration, x: alt.X, y: alt.Y) -> alt.Chart:
    data = rows_of(*({"x": b.predicted, "y": b.low, "y2": b.high} for b in curve.bins))
    return encoded(alt.Chart(data).mark_rule(color=curve.colour.drawn, strokeWidth=2), x=x, y=y, y2="y2:Q")


def _points(curve: Calibration, x: alt.X, y: alt.Y) -> alt.Chart:
    data = rows_of(*({"x": b.predicted, "y": b.observed} for b in curve.bins))
    return encoded(alt.Chart(data).mark_point(filled=True, size=60, opacity=1, color=curve.colour.drawn), x=x, y=y)
