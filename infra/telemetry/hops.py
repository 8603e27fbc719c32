"""Where the time goes: latency of each hop, and the slowest ways from an event to an applied command.

A hop is either *work*, the duration of a span of one name in one service, or *transit*, the time from the end of
a "send" span to the start of the span that links to it (Kafka, and waiting for the tick to be complete). Both are
read off one machine's clock; across machines, transit includes the difference of their clocks.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from infra.telemetry.lineage import ORIGIN, SpanGraph
from infra.telemetry.names import APPLY_COMMAND

WORK: Final = "work"
TRANSIT: Final = "transit"


@dataclass(frozen=True)
class Step:
    """One span on the way: when it began after the first one, and how long it took."""

    name: str
    service: str
    start_ms: float
    duration_ms: float


@dataclass(frozen=True)
class Chain:
    """The way from one "send events" span to one span that it caused in the end."""

    trace_id: str  # of the last span
    span_id: str
    total_ms: float  # from the start of the first span to the end of the last
    steps: tuple[Step, ...]


def latency_by_hop(spans: pl.DataFrame) -> pl.DataFrame:
    """Return one row a hop: hop, kind (work or transit), count, p50_ms, p95_ms, p99_ms, max_ms.

    Quantiles are of the nearest rank, so each is a latency that was seen. Sorted by the order in which hops
    first happen.
    """
    hops = pl.concat([_work(spans), _transit(spans)])
    quantiles = [
        pl.col("ms").quantile(share, interpolation="nearest").alias(f"p{round(share * 100)}_ms")
        for share in (0.5, 0.95, 0.99)
    ]
    table = hops.group_by("hop", "kind").agg(
        pl.len().alias("count"), *quantiles, pl.col("ms").max().alias("max_ms"), pl.col("at").min()
    )
    return table.sort("at", "hop").drop("at")


def slowest_chains(spans: pl.DataFrame, limit: int = 10, last: str = APPLY_COMMAND) -> list[Chain]:
    """Return the `limit` slowest ways from a "send events" span to a span named `last`, slowest first.

    Where a span waited for several others, the way goes through the one that ended last: that one held it up. Of the
    ways that share everything but their last two steps (the commands of one tick), the slowest stands for all.
    """
    graph = SpanGraph.build(spans)
    reached = graph.descendants(graph.rows_named(ORIGIN))
    ends = spans["end_us"].to_list()
    starts = spans["start_us"].to_list()
    ways = [_way(graph, row, reached, ends) for row in graph.rows_named(last) if row in reached]
    ways.sort(key=lambda way: starts[way[0]] - ends[way[-1]])
    different: dict[tuple[int, ...], list[int]] = {}
    for way in ways:
        different.setdefault(tuple(way[:-2]), way)
    return [_chain(spans, way) for way in list(different.values())[:limit]]


def _work(spans: pl.DataFrame) -> pl.DataFrame:
    return spans.select(
        pl.format("{} ({})", "name", "service").alias("hop"),
        pl.lit(WORK).alias("kind"),
        pl.col("duration_ms").alias("ms"),
        pl.col("start_us").alias("at"),
    )


def _transit(spans: pl.DataFrame) -> pl.DataFrame:
    senders = spans.filter(pl.col("kind") == "producer").select(
        "trace_id", "span_id", pl.col("name").alias("sender"), pl.col("end_us").alias("sent_us")
    )
    links = (
        spans.select("name", "start_us", "links")
        .explode("links")
        .drop_nulls("links")
        .unnest("links")
        .join(senders, on=["trace_id", "span_id"])
    )
    return links.select(
        pl.format("{} → {}", "sender", "name").alias("hop"),
        pl.lit(TRANSIT).alias("kind"),
        ((pl.col("start_us") - pl.col("sent_us")) / 1000.0).alias("ms"),
        pl.col("start_us").alias("at"),
    )


def _way(graph: SpanGraph, last: int, reached: set[int], ends: list[int]) -> list[int]:
    """Return the rows from an origin to `last`, which must be in `reached`."""
    way = [last]
    while graph.names[way[-1]] != ORIGIN:
        row = way[-1]
        linked = [cause for cause in graph.links[row] if cause in reached and cause not in way]
        parent = graph.parents[row]
        if linked:
            way.append(max(linked, key=ends.__getitem__))
        elif parent is not None and parent in reached and parent not in way:
            way.append(parent)
        else:
            break
    return way[::-1]


def _chain(spans: pl.DataFrame, way: list[int]) -> Chain:
    rows = spans[way].select("name", "service", "start_us", "end_us", "duration_ms").rows()
    begin = rows[0][2]
    steps = tuple(
        Step(name=name, service=service, start_ms=(start - begin) / 1000, duration_ms=duration)
        for name, service, start, _, duration in rows
    )
    last = spans.row(way[-1], named=True)
    return Chain(last["trace_id"], last["span_id"], (rows[-1][3] - begin) / 1000, steps)
