"""One page with every kind of block, with numbers as a run of the demo makes them: for the tests, and to look at."""

import math
from functools import cache

import numpy as np

from infra.pages import (
    Chart,
    Check,
    Column,
    Estimate,
    Figure,
    Figures,
    Mark,
    Outcome,
    Page,
    Paragraph,
    Reproduce,
    Section,
    Swatch,
    Table,
    Verdict,
    charts,
)
from infra.pages.palette import TWIN, of_policy, of_world

WORLDS = ("social", "learning", "work", "gaming", "medical")


@cache
def example_page() -> Page:
    return Page(
        title="Run demo-20261114-0921",
        subtitle="5,000 people, one simulated day, policy threshold, seed 7",
        verdict=Verdict(
            Outcome.OK,
            "The threshold policy added 3.1 focus minutes a person and day [1.2, 5.0]; nothing was lost.",
        ),
        notices=("This run was stopped at tick 812 of 1,440: every figure is over the ticks that were finished.",),
        table=_main_table(),
        sections=(
            Section("Effect", (_effect(), _paired())),
            Section("What happened", (_figures(), _series(), _bars())),
            Section("Model", (_model_table(), _calibration())),
            Section("Decisions", (Paragraph("Every eligible moment is logged, no offer included."), _decisions())),
            Section("Latency", (_hops(), _waterfall(), _over_time())),
        ),
        health=(
            Check("Events lost", True, "0 of 612,408"),
            Check("Spans dropped", False, "14 of 80,211; raise the exporter's queue"),
            Check("Lineage complete", None, "not looked at: no command was applied"),
        ),
        reproduce=Reproduce(
            "calmverse run demo --seed 7 --set people=5000",
            7,
            {"calmverse": "0.1.0", "python": "3.11.2", "ray": "2.60.0"},
            {"digest": "9c0f6e8f3b2d4f51a7781be0f2c3d9aa"},
        ),
    )


def _main_table() -> Table:
    return Table(
        (
            Column("Measure", align="left"),
            Column("Unit", align="left"),
            Column("With offers"),
            Column("Without"),
            Column("Difference"),
        ),
        (
            ("Focus", "min a person and day", 214.2, 211.1, Estimate(3.1, 1.2, 5.0)),
            ("Lapses", "a person and day", 9.81, 10.33, Estimate(-0.52, -0.81, -0.23)),
            ("Stress", "0 to 1", 0.412, 0.415, Estimate(-0.003, -0.009, 0.003)),
            ("Time in practice", "min a person and day", 6.4, 0, Estimate(6.4, 6.1, 6.7)),
        ),
        "With offers against the same people, days and random numbers without; 95% intervals over people.",
    )


def _effect() -> Chart:
    return charts.interval_plot(
        [
            charts.Interval("Focus", 3.1, 1.2, 5.0, of_policy("threshold")),
            charts.Interval("Time in practice", 6.4, 6.1, 6.7, of_policy("threshold")),
            charts.Interval("Lapses of attention", -0.52, -0.81, -0.23, of_policy("threshold")),
        ],
        unit="difference with offers, minutes or lapses a person and day",
        caption="Focus rose by 3.1 minutes and lapses fell by 0.5; both intervals leave zero out.",
        alt_text="Three intervals beside a zero line.",
    )


def _paired() -> Chart:
    return charts.paired_differences(
        [
            charts.Interval("random − never", 0.9, -0.4, 2.2, of_policy("random"), (0.1, 2.0, 1.4, 0.2)),
            charts.Interval("threshold − never", 3.1, 1.8, 4.4, of_policy("threshold"), (2.2, 4.1, 3.3, 2.8)),
        ],
        unit="focus, minutes a person and day more than never",
        caption="Threshold is above never on every one of 4 seeds; random is not told from never.",
        alt_text="Two rows of four rings and an interval.",
    )


def _figures() -> Figures:
    return Figures(
        (
            Figure("Events", "612,408", note="122 a person"),
            Figure("Decisions", "48,120", note="8.1% with an offer"),
            Figure("Practices applied", "3,894", note="0.78 a person"),
            Figure("Wall time", "3 min 41 s", note="391 times faster than life"),
        )
    )


def _series() -> Chart:
    noise = np.random.default_rng(3)
    hours = tuple(h / 4 for h in range(96))

    def line(phase: float, lift: float) -> tuple[float, ...]:
        return tuple(14 + lift + 5 * math.sin((h - phase) / 24 * 6.283) + float(noise.normal(0, 0.35)) for h in hours)

    panels = [
        charts.LinePanel(
            world,
            (
                charts.Line("twin", hours, line(9 + i, 0), TWIN, dashed=True),
                charts.Line("run", hours, line(9 + i, 0.9), of_world(world)),
            ),
            of_world(world),
        )
        for i, world in enumerate(WORLDS)
    ]
    return charts.series_by_world(
        panels,
        charts.Axes("hour of the day", "focus, min an hour", x_ticks=(0, 6, 12, 18, 24)),
        caption="Focus with offers is above the twin's in 5 of 5 worlds, most in learning (+0.9 minutes an hour).",
        alt_text="Five small line charts, run against twin.",
    )


def _bars() -> Chart:
    noise = np.random.default_rng(4)
    kinds = ("page browsed", "item clicked", "comment seen", "comment posted", "gaze sampled", "emotion read")
    return charts.bars_by_world(
        {world: [(kind, int(noise.integers(900, 52_000))) for kind in kinds] for world in WORLDS},
        unit="",
        caption="Events by kind. Gaze samples are 41% of all events.",
        alt_text="Five small bar charts.",
    )


def _model_table() -> Table:
    return Table(
        (
            Column("Head", align="left"),
            Column("AUC", decimals=3),
            Column("Attention", "log loss", decimals=4),
            Column("Logistic", "log loss", decimals=4),
            Column("Base rate", "log loss", decimals=4),
            Column("Latent oracle", "log loss", decimals=4),
            Column("Beats logistic", align="left"),
        ),
        (
            ("interaction", 0.742, 0.5133, 0.5311, 0.6012, 0.4988, Mark(Outcome.OK, "yes")),
            ("lapse", 0.701, 0.3981, 0.3984, 0.4210, 0.3702, Mark(Outcome.BAD, "no")),
            (Swatch("social", of_world("social")), None, 0.3, 0.3, 0.4, float("nan"), Mark(Outcome.UNKNOWN, "open")),
        ),
        "On people the model has not seen. The oracle knows the true probability behind every event.",
    )


def _calibration() -> Chart:
    def head(title: str, top: float) -> charts.Calibration:
        marks = [top * (i + 0.5) / 8 for i in range(8)]
        bins = tuple(charts.Bin(p, p * 0.97, p * 0.97 - 0.02, p * 0.97 + 0.02, 900) for p in marks)
        return charts.Calibration(title, bins)

    return charts.calibration_curve(
        [head("interaction", 0.9), head("lapse", 0.3)],
        caption="No bin of 16 is further than 0.03 from its forecast.",
        alt_text="Two calibration curves close to the diagonal.",
    )


def _decisions() -> Chart:
    rows = (("no offer", 44_226), ("focus training", 2_410), ("reflection", 901), ("breathing", 583))
    return charts.bars(
        [charts.BarPanel("", tuple(charts.Bar(label, value) for label, value in rows), of_policy("threshold"))],
        unit="",
        caption="92% of the eligible moments passed without an offer.",
        alt_text="Four bars.",
    )


def _hops() -> Chart:
    return charts.latency_by_hop(
        [
            charts.Hop("simulation to Kafka", 2.1, 4.4, 9.0),
            charts.Hop("Kafka to monitor", 3.0, 8.2, 14.0),
            charts.Hop("score (Serve)", 18.0, 31.0, 64.0),
            charts.Hop("decide", 0.8, 1.6, 2.4),
            charts.Hop("event to applied command", 61.0, 140.0, 1_310.0),
        ],
        caption="Scoring is 30% of the median; the slowest hundredth takes over 1.3 s end to end.",
        alt_text="Five hops on a logarithmic axis.",
    )


def _waterfall() -> Chart:
    spans = [
        charts.TraceSpan("tick 412", "simulation", 0, 1310, 0),
        charts.TraceSpan("send calm.events", "simulation", 4, 8, 1),
        charts.TraceSpan("process calm.events", "monitor", 15, 1100, 1),
        charts.TraceSpan("forward", "serve", 22, 1068, 2),
        charts.TraceSpan("process calm.scores", "interventions", 1120, 60, 1),
        charts.TraceSpan("apply OfferPractice", "simulation", 1300, 0.4, 1),
    ]
    return charts.trace_waterfall(
        [("Slowest, 1.31 s", spans), ("Second, 0.66 s", spans[:4])],
        caption="In the slowest trace the forward pass takes 1.07 s of 1.31 s.",
        alt_text="Two waterfalls.",
    )


def _over_time() -> Chart:
    noise = np.random.default_rng(5)
    seconds = tuple(float(s) for s in range(60))
    lines = [
        charts.Line(name, seconds, tuple(base * (1 + float(noise.random()) * 0.3) for _ in seconds), colour)
        for name, base, colour in (
            ("p50", 12.0, of_world("learning")),
            ("p95", 40.0, of_world("work")),
            ("p99", 47.0, of_world("gaming")),
        )
    ]
    return charts.percentiles_over_time(
        lines,
        charts.Axes("seconds of the test", "latency, ms", log=True, limit=("SLO p99 250 ms", 250.0)),
        caption="p99 stayed below its limit of 250 ms in 60 of 60 seconds.",
        alt_text="Three lines below a limit.",
    )
