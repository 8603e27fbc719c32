"""Bars with their numbers beside them, alone or as small multiples on one scale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import altair as alt

from infra.pages import numbers
from infra.pages.blocks import Chart, Picture
from infra.pages.charts.canvas import Canvas, encoded, paint, pictures, rows_of
from infra.pages.charts.rows import arrange, row_axis, x_axis
from infra.pages.charts.scales import Span
from infra.pages.palette import MUTED, Colour, of_world


@dataclass(frozen=True)
class Bar:
    """One row: a value of zero or more, and its text where the number alone would not do."""

    label: str
    value: float
    text: str = ""
    colour: Colour | None = None


@dataclass(frozen=True)
class BarPanel:
    """One picture of a set of bars, with its title and colour."""

    title: str
    bars: tuple[Bar, ...]
    colour: Colour = MUTED


def bars(panels: Sequence[BarPanel], *, unit: str, caption: str, alt_text: str, columns: int = 1) -> Chart:
    """Bars from zero, all panels on one scale, each bar's number beside it instead of an axis."""
    span = Span(0, max((bar.value for panel in panels for bar in panel.bars), default=0) or 1)

    def picture(panel: BarPanel) -> Picture:
        return pictures(lambda canvas: _draw(panel, span, unit, canvas), columns, panel.title, panel.colour)

    return Chart(tuple(picture(panel) for panel in panels), caption, alt_text, columns=columns)


def bars_by_world(
    values: Mapping[str, Sequence[tuple[str, float]]], *, unit: str, caption: str, alt_text: str
) -> Chart:
    """Small multiples, a world each in its own colour: world name → (label, value) from top to bottom."""
    panels = [
        BarPanel(world, tuple(Bar(label, value) for label, value in rows), of_world(world))
        for world, rows in values.items()
    ]
    return bars(panels, unit=unit, caption=caption, alt_text=alt_text, columns=3)


def _draw(panel: BarPanel, span: Span, unit: str, canvas: Canvas) -> str:
    texts = [bar.text or f"{numbers.number(_whole(bar.value))} {unit}".strip() for bar in panel.bars]
    layout = arrange(canvas, [bar.label for bar in panel.bars], texts)
    data = [
        {"x": 0, "x2": bar.value, "y": layout.y(index), "colour": (bar.colour or panel.colour).drawn}
        for index, bar in enumerate(panel.bars)
    ]
    axis = x_axis(span, layout).axis(None)
    mark = alt.Chart(rows_of(*data)).mark_bar(size=13 if canvas.beside else 9)
    chart = encoded(mark, x=axis, x2="x2:Q", y=row_axis(), color=alt.Color("colour:N", scale=None))
    return paint([chart, *layout.texts()], canvas, layout.height, layout.margins)


def _whole(value: float) -> float | int:
    return int(value) if float(value).is_integer() else value
