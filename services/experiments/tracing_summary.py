"""What the spans of a run say: how complete its traces are, latency by hop, and the slowest ways through."""

from pathlib import Path
from typing import Any

import polars as pl

from infra.telemetry import hops, lineage, spans

_SLOWEST = 3


def trace_summary(spans_dir: Path, applied: int, since_us: int) -> dict[str, Any]:
    """`trace`, `hops` and `slowest_traces` of summary.json; also writes spans.parquet beside the spans.

    `applied` is how many commands the simulation says it applied: one without a span counts as incomplete. Hops are
    of spans that began at `since_us` (wall) or later: what waited in Kafka for a model to be trained is no latency.
    """
    whole = spans.read_spans(spans_dir)
    spans.write_parquet(whole, spans_dir)
    totals = spans.read_totals(spans_dir)
    table = whole.filter(pl.col("start_us") >= since_us)
    latency = {
        row["hop"]: {key: row[f"{key}_ms"] for key in ("p50", "p95", "p99", "max")}
        | {"count": row["count"], "kind": row["kind"]}
        for row in hops.latency_by_hop(table).iter_rows(named=True)
    }
    slowest = [
        [vars(step) | {"depth": depth} for depth, step in enumerate(chain.steps)]
        for chain in hops.slowest_chains(table, _SLOWEST)
    ]
    complete = lineage.complete_fraction(whole, applied)
    trace = {
        "spans": whole.height,
        "dropped": totals.dropped,
        "unclosed": len(totals.unclosed),
        "complete_fraction": complete,
    }
    return {"trace": trace, "hops": latency, "slowest_traces": slowest}
