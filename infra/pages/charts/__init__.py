"""Charts as blocks of a page. Importing this package loads Altair (about a second): do it where a page is built."""

from infra.pages.charts.bar_charts import Bar, BarPanel, bars, bars_by_world
from infra.pages.charts.calibration import Bin, Calibration, calibration_curve
from infra.pages.charts.intervals import Interval, covers_zero, interval_plot, paired_differences
from infra.pages.charts.latency import Hop, TraceSpan, latency_by_hop, trace_waterfall
from infra.pages.charts.lines import Axes, Line, LinePanel, line_chart, percentiles_over_time, series_by_world

__all__ = [
    "Axes",
    "Bar",
    "BarPanel",
    "Bin",
    "Calibration",
    "Hop",
    "Interval",
    "Line",
    "LinePanel",
    "TraceSpan",
    "bars",
    "bars_by_world",
    "calibration_curve",
    "covers_zero",
    "interval_plot",
    "latency_by_hop",
    "line_chart",
    "paired_differences",
    "percentiles_over_time",
    "series_by_world",
    "trace_waterfall",
]
