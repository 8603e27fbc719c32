"""Sizes, type and colours that all charts share, and the way from an Altair chart to an SVG that follows the theme."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import vl_convert

from infra.pages.blocks import Picture
from infra.pages.palette import COLOURS, INK, LINE, MUTED, Colour

TEXT_SIZE = 12
# A system font's mean advance at 12 px; label columns are sized with it, since the reader's font is not known here.
CHARACTER_WIDTH = 6.4

_CONFIG: dict[str, Any] = {
    "aria": False,
    "background": None,
    "font": "sans-serif",
    "view": {"stroke": None},
    "text": {"fontSize": TEXT_SIZE, "color": INK.drawn},
    "axis": {
        "domain": False,
        "ticks": False,
        "gridColor": LINE.drawn,
        "labelColor": MUTED.drawn,
        "labelFontSize": TEXT_SIZE,
        "labelPadding": 7,
        "titleColor": MUTED.drawn,
        "titleFontSize": TEXT_SIZE,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
}


@dataclass(frozen=True)
class Canvas:
    """A drawing's outer width in CSS pixels, and whether its row labels stand beside the rows or above them."""

    width: int
    beside: bool


# The page's column is 832 px wide; 358 px is a 390 px telephone less the page's margins. Drawn at the size they are
# read, so that 12 px stay 12 px.
NARROW = Canvas(358, beside=False)
_WIDE = {1: Canvas(832, beside=True), 2: Canvas(406, beside=False), 3: Canvas(264, beside=False)}


@dataclass(frozen=True)
class Margins:
    """Space around the plotting area in CSS pixels, for labels and axes."""

    left: float = 0
    right: float = 0
    top: float = 0
    bottom: float = 0


def pictures(draw: Callable[[Canvas], str], columns: int, title: str = "", colour: Colour | None = None) -> Picture:
    """Draw for a wide window with `columns` pictures side by side (1, 2 or 3), and for a narrow one."""
    return Picture(wide=draw(_WIDE[columns]), narrow=draw(NARROW), title=title, colour=colour)


def rows_of(*rows: dict[str, Any]) -> alt.Data:
    """Chart data in the chart itself."""
    return alt.Data(values=list(rows))  # type: ignore[no-untyped-call]  # Altair leaves its data class untyped


def paint(layers: Sequence[alt.Chart], canvas: Canvas, height: float, margins: Margins) -> str:
    """Render layers into one SVG of the canvas's width; `height` and the rest of the width are the plotting area's.

    Raises:
        ValueError: a layer uses a colour that is not in the palette.
    """
    inner = round(canvas.width - margins.left - margins.right)
    chart = alt.layer(*layers).properties(width=inner, height=round(height))
    specification = chart.to_dict(validate=False)  # a second of schema checks a page, on specifications tests cover
    specification["config"] = _CONFIG
    specification["autosize"] = "none"
    specification["padding"] = {
        "left": margins.left,
        "right": canvas.width - inner - margins.left,
        "top": margins.top,
        "bottom": margins.bottom,
    }
    return themed(vl_convert.vegalite_to_svg(specification))


def note(text: str, x: float, y: float, colour: Colour = MUTED, align: str = "left") -> alt.Chart:
    """A piece of text at a pixel of the plotting area; outside of it is allowed."""
    return written([{"text": text, "x": x, "y": y}], colour, align)


def written(texts: Sequence[dict[str, Any]], colour: Colour = INK, align: str = "left") -> alt.Chart:
    """Texts at pixels: rows with `text`, `x`, `y`."""
    mark = alt.Chart(rows_of(*texts)).mark_text(
        align=align,  # type: ignore[arg-type]  # Altair lists the words, callers pass one of them
        baseline="middle",
        color=colour.drawn,
        fontSize=TEXT_SIZE,
    )
    x, y = alt.X("x:Q", scale=None, axis=None), alt.Y("y:Q", scale=None, axis=None)
    return encoded(mark, x=x, y=y, text=alt.Text("text:N"))


def encoded(mark: alt.Chart, **channels: Any) -> alt.Chart:  # noqa: ANN401 channels are Altair's union of forty types
    """`mark.encode(...)`, with the type that Altair's own decorator loses."""
    chart: alt.Chart = mark.encode(**channels)
    return chart


def themed(svg: str) -> str:
    """Make a rendered SVG part of a page: colours follow the theme, fonts the page, and nothing points outside.

    Raises:
        ValueError: it holds a colour that is not in the palette.
    """
    svg = re.sub(r'(fill|stroke)="(#[0-9a-fA-F]{3,8})"', _theme_colour, svg)
    svg = re.sub(r' (?:xmlns(?::xlink)?|version|class|role|aria-[a-z]+|pointer-events|font-family)="[^"]*"', "", svg)
    svg = svg.replace(' opacity="1"', "")
    svg = re.sub(r'<path[^>]*? d=""[^>]*/>', "", svg)
    svg = re.sub(r"<[^>]*>", lambda tag: re.sub(r"-?\d+\.\d{3,}", _rounded, tag.group()), svg)
    return svg.replace("<svg ", '<svg focusable="false" ', 1)


def _rounded(match: re.Match[str]) -> str:
    """Hundredths of a pixel are enough. Only within tags: the numbers between them are what a reader is told."""
    return f"{float(match.group()):.2f}".rstrip("0").rstrip(".")


_BY_DRAWN = {colour.drawn: colour for colour in COLOURS}


def _theme_colour(match: re.Match[str]) -> str:
    colour = _BY_DRAWN.get(match.group(2).lower())
    if colour is None:
        raise ValueError(f"a chart uses the colour {match.group(2)}, which is not in infra/pages/palette.py")
    return f'{match.group(1)}="{colour.css}"'
