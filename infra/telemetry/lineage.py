"""Does every applied command lead back to the events that caused it?

Spans make a graph: a span depends on its parent and on the spans it links to. In this system the way back is

    apply command (simulation) ─link→ send interventions ─parent→ process scores (interventions)
      ─link→ send scores ─parent→ process events (monitor) ─link→ send events (simulation)

but nothing here knows these steps: a command's lineage is complete when walking back over parents and links
reaches at least one producer span named "send events". That is computed forwards, from all such spans at once,
so that it costs one pass over the edges.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from infra.telemetry.names import APPLY_COMMAND, SEND, span_name

ORIGIN: Final = span_name(SEND, "events")
SpanKey = tuple[str, str]  # trace id, span id


@dataclass(frozen=True)
class SpanGraph:
    """Spans by row number of the table they came from, with the rows each depends on."""

    spans: pl.DataFrame
    names: list[str]
    parents: list[int | None]  # None: a root, or a parent that was never written
    links: list[list[int]]  # only those whose span was written

    @classmethod
    def build(cls, spans: pl.DataFrame) -> "SpanGraph":
        """Index the table of `spans.read_spans`."""
        trace_ids = spans["trace_id"].to_list()
        row_of: dict[SpanKey, int] = {
            key: row for row, key in enumerate(zip(trace_ids, spans["span_id"].to_list(), strict=True))
        }
        parents = [
            None if parent is None else row_of.get((trace_id, parent))
            for trace_id, parent in zip(trace_ids, spans["parent_id"].to_list(), strict=True)
        ]
        links = [
            [row for link in found if (row := row_of.get((link["trace_id"], link["span_id"]))) is not None]
            for found in spans["links"].to_list()
        ]
        return cls(spans, spans["name"].to_list(), parents, links)

    def causes(self, row: int) -> list[int]:
        """Return the rows that `row` depends on directly."""
        parent = self.parents[row]
        return self.links[row] if parent is None else [parent, *self.links[row]]

    def rows_named(self, name: str) -> list[int]:
        """Return the rows of all spans called `name`."""
        return [row for row, each in enumerate(self.names) if each == name]

    def descendants(self, origins: Iterable[int]) -> set[int]:
        """Return `origins` and every row that depends on one of them, directly or not."""
        effects: dict[int, list[int]] = {}
        for row in range(len(self.names)):
            for cause in self.causes(row):
                effects.setdefault(cause, []).append(row)
        reached = set(origins)
        waiting = deque(reached)
        while waiting:
            for effect in effects.get(waiting.popleft(), ()):
                if effect not in reached:
                    reached.add(effect)
                    waiting.append(effect)
        return reached

    def ancestors(self, row: int) -> set[int]:
        """Return every row that `row` depends on, directly or not."""
        reached: set[int] = set()
        waiting = deque(self.causes(row))
        while waiting:
            cause = waiting.popleft()
            if cause not in reached:
                reached.add(cause)
                waiting.extend(self.causes(cause))
        return reached


def complete_fraction(spans: pl.DataFrame, applied: int | None = None) -> float | None:
    """Return the share of applied commands whose lineage reaches events, 0 to 1; None when none was applied.

    There is one "apply command" span a command. `applied`, the number of commands that the simulation says it
    applied, makes commands without a span count as broken.
    """
    graph = SpanGraph.build(spans)
    applications = graph.rows_named(APPLY_COMMAND)
    total = max(len(applications), applied or 0)
    if total == 0:
        return None
    reached = graph.descendants(_origins(graph))
    return sum(row in reached for row in applications) / total


def broken_lineages(spans: pl.DataFrame, limit: int = 20) -> pl.DataFrame:
    """Return up to `limit` applied commands that do not lead back to events, and how far each leads.

    Columns: trace_id, span_id, reaches (sorted distinct span names on the way back).
    """
    graph = SpanGraph.build(spans)
    reached = graph.descendants(_origins(graph))
    broken = [row for row in graph.rows_named(APPLY_COMMAND) if row not in reached][:limit]
    names = [sorted({graph.names[each] for each in graph.ancestors(row)}) for row in broken]
    found = spans[broken].select("trace_id", "span_id")
    return found.with_columns(pl.Series("reaches", names, dtype=pl.List(pl.String)))


def _origins(graph: SpanGraph) -> list[int]:
    kinds = graph.spans["kind"].to_list()
    return [row for row in graph.rows_named(ORIGIN) if kinds[row] == "producer"]
