"""What the pages of a run are made from: its folder, read once, with everything optional missing gracefully."""

import json
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, cast

import polars as pl
import pyarrow as pa

from infra.contracts.errors import BadInput
from infra.storage import lake
from infra.telemetry import hops, spans

Facts = dict[str, Any]
SERIES_COLUMNS = ("arm", "tick", "world", "people", "focus_mean", "stress_mean", "mood_mean", "events")
_TRACES = 3


@dataclass(frozen=True)
class RunFacts:
    """One run as its folder tells it.

    summary: `summary.json`. quality: `quality.json`, empty without it. environment: `environment.json`, the same.
    series: rows (arm, tick, world, ...) of both arms, or None. kinds: (world, kind, events) of the run, or None.
    """

    summary: Facts
    quality: Facts = field(default_factory=dict)
    environment: Facts = field(default_factory=dict)
    series: pl.DataFrame | None = None
    kinds: pl.DataFrame | None = None

    def number(self, *path: str) -> float | None:
        """A number of the summary by its path; None where it is missing, null, NaN or no number."""
        value: Any = self.summary
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value if is_number and isfinite(value) else None

    def part(self, name: str) -> Facts:
        """A mapping of the summary; empty where it is missing."""
        value = self.summary.get(name)
        return value if isinstance(value, dict) else {}

    @property
    def policy(self) -> str:
        """The policy's name; the summary has its id, such as `random(probability=0.02)`."""
        return str(self.summary.get("policy") or "unknown").partition("(")[0]

    @property
    def partial(self) -> bool:
        """Whether the run says that it is partial, or did fewer ticks than it planned."""
        planned, done = self.number("ticks_planned"), self.number("ticks")
        return bool(self.summary.get("partial")) or (planned is not None and done is not None and done < planned)


def read_run(run_dir: Path) -> RunFacts:
    """Read a run's folder. Raises BadInput when it has no readable `summary.json`; all else may be missing."""
    summary = _document(run_dir / "summary.json")
    if not summary:
        raise BadInput(f"{run_dir} has no summary.json: name the folder of a run, or run again")
    series = _series(run_dir / "series.parquet")
    return RunFacts(
        summary=_with_latency(summary, run_dir / "spans"),
        quality=_document(run_dir / "quality.json"),
        environment=_document(run_dir / "environment.json"),
        series=series,
        kinds=_kinds(run_dir / "lake", series),
    )


def _document(path: Path) -> Facts:
    if not path.is_file():
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as problem:
        raise BadInput(f"{path} is not JSON ({problem}): run again") from problem
    return cast(Facts, document) if isinstance(document, dict) else {}


def _series(path: Path) -> pl.DataFrame | None:
    if not path.is_file():
        return None
    table = pl.read_parquet(path)
    missing = [name for name in SERIES_COLUMNS if name not in table.columns]
    if missing:
        raise BadInput(f"{path} has no column {', '.join(missing)}: it is of another version; run again")
    return table.with_columns(pl.col("arm", "world").cast(pl.String)) if table.height else None


def _kinds(root: Path, series: pl.DataFrame | None) -> pl.DataFrame | None:
    """Events by world and kind, of the run's ticks only where the series tells which these are."""
    if lake.count(root, "events") == 0:
        return None
    ticks = None
    if series is not None:
        run = series.filter(pl.col("arm") == "run")["tick"]
        ticks = range(int(cast(int, run.min())), int(cast(int, run.max())) + 1) if run.len() else None
    table: pa.Table = lake.read(root, "events", columns=["world", "kind"], ticks=ticks)
    frame = cast(pl.DataFrame, pl.from_arrow(table)).with_columns(pl.col("world", "kind").cast(pl.String))
    return (
        frame.group_by("world", "kind").agg(pl.len().alias("events")).sort("world", "events", descending=[False, True])
    )


def _with_latency(summary: Facts, directory: Path) -> Facts:
    """Add hops and slowest traces from the spans where the summary has none."""
    if ("hops" in summary and "slowest_traces" in summary) or not directory.is_dir():
        return summary
    table = spans.read_spans(directory)
    if table.is_empty():
        return summary
    found = {
        row["hop"]: {"p50": row["p50_ms"], "p95": row["p95_ms"], "p99": row["p99_ms"], "max": row["max_ms"]}
        | {"count": row["count"], "kind": row["kind"]}
        for row in hops.latency_by_hop(table).iter_rows(named=True)
    }
    slowest = [
        [vars(step) | {"depth": depth} for depth, step in enumerate(chain.steps)]
        for chain in hops.slowest_chains(table, _TRACES)
    ]
    return {"hops": found, "slowest_traces": slowest} | summary
