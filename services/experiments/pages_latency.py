"""Where the time goes: end to end, by hop, in the slowest traces, and by phase of the run."""

from itertools import pairwise
from typing import Any

from infra.pages import Block, Chart, Column, Figure, Figures, Paragraph, Section, Table, charts, numbers
from infra.pages.palette import BLUE
from services.experiments.pages_facts import RunFacts

_RANKS = ("Slowest", "Second slowest", "Third slowest")
_SPANS = 14
_PERCENTILES = (("p50", "Median"), ("p95", "95th percentile"), ("p99", "99th percentile"), ("max", "Slowest"))


def latency_section(facts: RunFacts) -> Section:
    """Percentiles as numbers, hops on one axis of time, waterfalls of the slowest traces, wall time by phase."""
    body: list[Block] = []
    latency = facts.part("latency_ms")
    if latency:
        body.append(_figures(latency))
        body.append(
            Paragraph(
                "From the moment a tick's events should have been sent to their decisions being applied. In lockstep "
                "nothing queues, so this is service time; a load test measures waiting."
            )
        )
    hops = _complete(facts.part("hops"))
    if hops:
        body.append(_hops(hops))
    kept = facts.summary.get("slowest_traces")
    traces = [steps for steps in kept if steps] if isinstance(kept, list) else []
    if traces:
        body.append(_traces(traces))
    if facts.part("phases_s"):
        body.append(_phases(facts.part("phases_s")))
    return Section("Where the time goes", tuple(body) or (Paragraph("No spans were kept."),))


def _figures(latency: dict[str, float]) -> Figures:
    return Figures(
        tuple(Figure(title, numbers.milliseconds(latency.get(key))) for key, title in _PERCENTILES if key in latency)
    )


def _complete(hops: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The hops that have a median and tails above zero: a logarithmic axis has no place for the others."""
    return {name: hop for name, hop in hops.items() if all((hop.get(key) or 0) > 0 for key in ("p50", "p95", "p99"))}


def _hops(hops: dict[str, dict[str, Any]]) -> Chart:
    longest = max(hops, key=lambda name: float(hops[name]["p50"]))
    half, hundredth = (numbers.milliseconds(hops[longest][key]) for key in ("p50", "p99"))
    chart = charts.latency_by_hop(
        [charts.Hop(name, hop["p50"], hop["p95"], hop["p99"]) for name, hop in hops.items()],
        caption=(
            f"Latency of {numbers.count(len(hops), 'hop')}. The longest is {longest}: half of them take more than "
            f"{half}, one in a hundred more than {hundredth}."
        ),
        alt_text=f"Median, 95th and 99th percentile of {len(hops)} hops on a logarithmic axis.",
    )
    return Chart(chart.pictures, chart.caption, chart.alt, data=_hop_table(hops))


def _hop_table(hops: dict[str, dict[str, Any]]) -> Table:
    keys = ("p50", "p95", "p99", "max")
    columns = (Column("Hop", align="left"), Column("Count"), *(Column(key, "ms") for key in keys))
    rows = tuple((name, hop.get("count"), *(hop.get(key) for key in keys)) for name, hop in hops.items())
    return Table(columns, rows, "Percentiles of the nearest rank: each is a latency that was seen.")


def _traces(traces: list[list[dict[str, Any]]]) -> Chart:
    titled = []
    for rank, steps in zip(_RANKS, traces, strict=False):
        spans = [_span(step) for step in steps[:_SPANS]]
        titled.append((f"{rank}, {_length(spans)}", spans))
    return charts.trace_waterfall(titled, caption=_trace_caption(titled[0][1]), alt_text="Spans as bars over time.")


def _span(step: dict[str, Any]) -> charts.TraceSpan:
    name, service, depth = str(step["name"]), str(step["service"]), int(step.get("depth", 0))
    return charts.TraceSpan(name, service, float(step["start_ms"]), float(step["duration_ms"]), depth)


def _length(spans: list[charts.TraceSpan]) -> str:
    return numbers.milliseconds(max((span.start_ms + span.duration_ms for span in spans), default=0.0))


def _trace_caption(spans: list[charts.TraceSpan]) -> str:
    """Which span of the slowest trace holds most of its time, what its inner spans take left out."""
    end = max(span.start_ms + span.duration_ms for span in spans)
    own = own_time(spans)
    most = max(range(len(spans)), key=own.__getitem__)
    return (
        f"The way from events to an applied command. In the slowest, most time passes in {spans[most].label} "
        f"({spans[most].service}): {numbers.milliseconds(own[most])} of {numbers.milliseconds(end)}."
    )


def own_time(spans: list[charts.TraceSpan]) -> list[float]:
    """Milliseconds of each span in which no span that started later is open: the time that is its own."""
    edges = sorted({edge for span in spans for edge in (span.start_ms, span.start_ms + span.duration_ms)})
    own = [0.0] * len(spans)
    for left, right in pairwise(edges):
        open_ = [i for i, s in enumerate(spans) if s.start_ms <= left and s.start_ms + s.duration_ms >= right]
        if open_:
            own[max(open_, key=lambda i: (spans[i].start_ms, spans[i].depth))] += right - left
    return own


def _phases(phases: dict[str, float]) -> Chart:
    total = sum(phases.values()) or 1.0
    longest = max(phases, key=lambda name: phases[name])
    most = f"{longest.replace('_', ' ')} took {numbers.share(phases[longest] / total, 0)}"
    bars = tuple(
        charts.Bar(name.replace("_", " "), value, f"{numbers.seconds(value)} · {numbers.share(value / total, 0)}")
        for name, value in phases.items()
    )
    return charts.bars(
        [charts.BarPanel("Wall time by phase", bars, BLUE)],
        unit="s",
        caption=f"Of {numbers.seconds(total)}, {most}.",
        alt_text="A bar for each phase of the run.",
    )
