"""Charts follow the theme, are drawn at the size they are read, and say their numbers exactly."""

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.pages import Chart, charts
from infra.pages.charts import canvas, scales
from infra.pages.palette import VERMILLION, of_world
from tests.unit.infra.pages.example_page import example_page

INTERVALS = [
    charts.Interval("Focus", 0.0031, 0.0012, 0.0050, VERMILLION, (0.001, 0.004)),
    charts.Interval("Nothing known", float("nan"), float("nan"), float("nan")),
]


@pytest.fixture(scope="module")
def all_charts() -> list[Chart]:
    return [block for section in example_page().sections for block in section.body if isinstance(block, Chart)]


def drawings(chart: Chart) -> list[str]:
    return [svg for picture in chart.pictures for svg in (picture.wide, picture.narrow)]


def plot(rows: Sequence[charts.Interval] = INTERVALS, *, zero: bool = True) -> Chart:
    return charts.interval_plot(rows, unit="min a day", caption="c", alt_text="a", zero=zero)


def test_every_colour_in_a_chart_follows_the_theme(all_charts: list[Chart]) -> None:
    for svg in (svg for chart in all_charts for svg in drawings(chart)):
        colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg))
        assert colours
        assert all(colour in ("none", "transparent") or colour.startswith("var(--") for colour in colours)


def test_a_colour_outside_the_palette_is_refused() -> None:
    with pytest.raises(ValueError, match=r"#123456, which is not in infra/pages/palette.py"):
        canvas.themed('<svg><path fill="#123456"/></svg>')


def test_a_chart_points_nowhere_outside_and_takes_the_fonts_of_the_page(all_charts: list[Chart]) -> None:
    for svg in (svg for chart in all_charts for svg in drawings(chart)):
        assert "http" not in svg
        assert "font-family" not in svg


@pytest.mark.parametrize(("columns", "width"), [(1, 832), (2, 406), (3, 264)])
def test_a_chart_is_drawn_at_the_width_it_is_read_at(columns: int, width: int) -> None:
    panels = [charts.BarPanel(world, (charts.Bar("a", 3),), of_world(world)) for world in ("social", "work")]
    chart = charts.bars(panels, unit="", caption="c", alt_text="a", columns=columns)
    assert all(f'width="{width}"' in picture.wide for picture in chart.pictures)
    assert all('width="358"' in picture.narrow and 'viewBox="0 0 358 ' in picture.narrow for picture in chart.pictures)


def test_rounding_pixels_leaves_the_numbers_alone() -> None:
    svg = plot(rows=[charts.Interval("Focus", 0.00312, 0.00121, 0.00503)]).pictures[0].wide
    assert ">0.0031 [0.0012, 0.0050]<" in svg
    assert not re.search(r'="[^"]*\d\.\d{3,}', svg)


def test_a_zero_line_is_drawn_where_differences_are_shown() -> None:
    with_zero, without = (plot(zero=zero, rows=INTERVALS[:1]).pictures[0].wide for zero in (True, False))
    assert with_zero.count('stroke="var(--ink)"') == without.count('stroke="var(--ink)"') + 1


def test_an_estimate_that_is_not_known_is_not_drawn_at_some_place() -> None:
    known, both = (plot(rows=INTERVALS[:n]).pictures[0].wide for n in (1, 2))
    assert "Nothing known" in both
    assert both.count('fill="var(--vermillion)"') == known.count('fill="var(--vermillion)"')
    assert "NaN" not in both


def test_labels_of_people_cannot_break_a_drawing() -> None:
    svg = plot(rows=[charts.Interval("<b>&", 1.0, 0.5, 1.5)]).pictures[0].wide
    assert "&lt;b&gt;&amp;" in svg
    assert "<b>" not in svg


def test_small_multiples_share_one_scale() -> None:
    chart = charts.bars_by_world({"social": [("a", 100.0)], "work": [("a", 50.0)]}, unit="", caption="c", alt_text="a")
    whole, half = (_bar_width(picture.narrow) for picture in chart.pictures)
    assert half == pytest.approx(whole / 2, abs=1)


def _bar_width(svg: str) -> float:
    found = re.search(r'd="M0,[\d.]+h([\d.]+)v9h', svg)
    assert found, svg
    return float(found.group(1))


def test_a_world_has_its_colour_in_its_panel() -> None:
    chart = charts.bars_by_world({"gaming": [("a", 1.0)]}, unit="", caption="c", alt_text="a")
    assert 'fill="var(--vermillion)"' in chart.pictures[0].wide
    assert chart.pictures[0].colour is of_world("gaming")


def test_latencies_are_placed_by_their_logarithm() -> None:
    assert scales.Span(1, 100, log=True).fraction(10) == pytest.approx(0.5)
    svg = charts.latency_by_hop([charts.Hop("h", 1, 10, 1000)], caption="c", alt_text="a").pictures[0].wide
    assert all(f">{tick}<" in svg for tick in ("1 ms", "10 ms", "100 ms", "1 s"))


def test_a_line_is_broken_where_a_value_is_missing_and_named_at_its_last_point() -> None:
    line = charts.Line("run", (0.0, 1.0, 2.0, 3.0, 4.0), (1.0, 2.0, float("nan"), 2.0, 3.0))
    chart = charts.line_chart([charts.LinePanel("", (line,))], charts.Axes("h", "u"), caption="c", alt_text="a")
    path = max(re.findall(r' d="([^"]+)"', chart.pictures[0].wide), key=len)
    assert path.count("M") == 2
    assert ">run<" in chart.pictures[0].wide


@pytest.mark.parametrize(
    "draw",
    [
        lambda: charts.line_chart([charts.LinePanel("", ())], charts.Axes("x", "y"), caption="c", alt_text="a"),
        lambda: charts.line_chart(
            [charts.LinePanel("", (charts.Line("a", (1.0,), (float("nan"),)),))],
            charts.Axes("x", "y", log=True),
            caption="c",
            alt_text="a",
        ),
        lambda: charts.bars([charts.BarPanel("", (charts.Bar("none", 0),))], unit="", caption="c", alt_text="a"),
        lambda: charts.trace_waterfall([("t", [charts.TraceSpan("n", "s", 0, 0)])], caption="c", alt_text="a"),
        lambda: charts.latency_by_hop([charts.Hop("h", 5, 5, 5)], caption="c", alt_text="a"),
        lambda: charts.calibration_curve(
            [charts.Calibration("t", (charts.Bin(0.0, 0.0, 0.0, 0.0, 1),))], caption="c", alt_text="a"
        ),
    ],
)
def test_data_at_the_edge_still_gives_a_drawing(draw: Callable[[], Chart]) -> None:
    for svg in drawings(draw()):
        assert svg.startswith("<svg")
        assert "NaN" not in svg


def test_every_specification_keeps_to_the_schema_of_vega_lite(monkeypatch: pytest.MonkeyPatch) -> None:
    unchecked = alt.LayerChart.to_dict
    checked = []

    def to_dict(chart: alt.LayerChart, validate: bool) -> dict[str, Any]:
        checked.append(chart)
        assert not validate
        return unchecked(chart, validate=True)

    monkeypatch.setattr(alt.LayerChart, "to_dict", to_dict)
    plot()
    charts.latency_by_hop([charts.Hop("h", 1, 2, 3)], caption="c", alt_text="a")
    line = charts.Line("l", (0.0, 1.0), (1.0, 2.0))
    axes = charts.Axes("x", "y", x_ticks=(0, 1), limit=("limit", 3.0))
    charts.line_chart([charts.LinePanel("", (line,))], axes, caption="c", alt_text="a")
    charts.calibration_curve([charts.Calibration("t", (charts.Bin(0.1, 0.1, 0.0, 0.2, 9),))], caption="", alt_text="")
    charts.trace_waterfall([("t", [charts.TraceSpan("n", "s", 0, 1)])], caption="c", alt_text="a")
    assert len(checked) == 10


@given(st.lists(st.floats(0, 200), min_size=1, max_size=8))
def test_labels_never_touch_and_keep_their_order(positions: list[float]) -> None:
    placed = scales.apart(positions, 15, 200)
    ordered = [placed[i] for i in sorted(range(len(placed)), key=lambda i: positions[i])]
    assert all(b - a >= 15 - 1e-9 for a, b in itertools.pairwise(ordered))
    assert max(placed) <= 200


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.booleans())
def test_a_span_holds_every_value(values: list[float], zero: bool) -> None:
    for span in (scales.linear(values, zero=zero), scales.padded(values, zero=zero)):
        hair = (span.high - span.low) * 1e-9
        assert span.low - hair <= min(values)
        assert span.high + hair >= max(values)
        assert span.low < span.high


@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=20))
def test_a_logarithmic_span_holds_every_value_and_has_ticks(values: list[float]) -> None:
    span = scales.logarithmic(values)
    assert span.low <= min(values) * 1.001
    assert span.high >= max(values) * 0.999
    assert len(scales.decades(span)) >= 2
