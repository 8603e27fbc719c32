"""Charts of labelled rows: intervals, paired differences, bars, latency by hop, waterfalls. One layout for all of them.

In a wide picture a row's label stands left of it and its number right of it; in a narrow one both stand above it.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from infra.pages.charts.canvas import CHARACTER_WIDTH, Canvas, Margins, written
from infra.pages.charts.scales import Span
from infra.pages.palette import MUTED


@dataclass(frozen=True)
class Layout:
    """Where the rows of one picture stand, in pixels of the plotting area."""

    canvas: Canvas
    labels: tuple[str, ...]
    values: tuple[str, ...]
    step: float
    margins: Margins
    title: tuple[str, ...] = ()
    indents: tuple[float, ...] = ()

    @property
    def width(self) -> float:
        """Width of the plotting area."""
        return self.canvas.width - self.margins.left - self.margins.right

    @property
    def height(self) -> float:
        """Height of the plotting area."""
        return self.step * len(self.labels)

    def y(self, row: int) -> float:
        """The middle of a row's mark."""
        return self.step * row + (self.step / 2 if self.canvas.beside else self.step - 13)

    def x(self, value: float, span: Span) -> float:
        """The pixel at which a value of the x axis stands."""
        return span.fraction(value) * self.width

    def texts(self) -> list[alt.Chart]:
        """The labels and the numbers of all rows, as layers."""
        beside = self.canvas.beside
        lift = 0 if beside else 19
        left, right = (-self.margins.left, self.width + self.margins.right) if beside else (0, self.width)
        labels = [
            {"text": text, "x": left + self._indent(row), "y": self.y(row) - lift}
            for row, text in enumerate(self.labels)
            if text
        ]
        values = [{"text": text, "x": right, "y": self.y(row) - lift} for row, text in enumerate(self.values) if text]
        return [written(labels), written(values, MUTED, "right")]

    def _indent(self, row: int) -> float:
        return self.indents[row] if self.indents else 0.0


def arrange(
    canvas: Canvas,
    labels: Sequence[str],
    values: Sequence[str],
    title: str = "",
    *,
    top: float = 0,
    indents: Sequence[float] = (),
) -> Layout:
    """Lay rows out on a canvas. With a `title` (and unit) of the value axis there is space for that axis below.

    `top` is left free above the rows. `indents`, in pixels, move single labels right: then rows stand closer too.
    """
    sides = (8.0, 8.0) if title else (0.0, 1.0)
    if canvas.beside:
        sides = (_column(labels, 320, max(indents, default=0)), _column(values, 240, 0))
    lines = _wrapped(title, canvas.width - sum(sides))
    bottom = 34.0 + 15 * len(lines) if lines else 4.0
    step = (27 if canvas.beside else 40) if indents or not title else (36 if canvas.beside else 44)
    margins = Margins(*sides, top, bottom)
    return Layout(canvas, tuple(labels), tuple(values), step, margins, lines, tuple(indents))


def x_axis(span: Span, layout: Layout, **more: Any) -> alt.X:  # noqa: ANN401 Altair's own options, checked by it
    """The value axis below the rows, for the field `x` (and `x2`)."""
    ticks: Any = {} if "values" in more else {"tickCount": max(3, min(8, round(layout.width / 90)))}
    axis = alt.Axis(title=list(layout.title), titleAnchor="start", **ticks, **more)
    scale = alt.Scale(type="log" if span.log else "linear", domain=[span.low, span.high], nice=False)
    return alt.X("x:Q", scale=scale, axis=axis)


def row_axis() -> alt.Y:
    """The vertical place of a mark, given in pixels as the field `y`."""
    return alt.Y("y:Q", scale=None, axis=None)


def _column(texts: Sequence[str], most: float, indent: float) -> float:
    longest = max((len(text) for text in texts), default=0)
    return min(most, longest * CHARACTER_WIDTH + 22 + indent) if longest else 10.0


def _wrapped(title: str, width: float) -> tuple[str, ...]:
    return tuple(textwrap.wrap(title, max(20, int(width / CHARACTER_WIDTH))))
