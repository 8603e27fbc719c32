"""Counts that must add up: every event emitted was archived once and scored once, and the digest of what arrived."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infra.contracts.commands import Practice
from infra.contracts.decisions import DECISION, Reason
from infra.contracts.digest import Digest
from infra.contracts.events import EVENT
from infra.contracts.worlds import World
from infra.storage import lake


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What the lake says about a range of ticks. `lost` and `duplicated` count events by their scores."""

    archived: int
    scored: int
    lost: int
    duplicated: int
    out_of_order: int
    worlds: dict[str, int]

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing twice, everyone's scores in order."""
        return not (self.lost or self.duplicated or self.out_of_order)


def audit(lake_dir: Path, emitted: int, ticks: range) -> Audit:
    """Compare what the source emitted in `ticks` with what was archived and scored."""
    events = _read(lake_dir, "events", ["event_id", "world"], ticks)
    scores = _read(lake_dir, "scores", ["event_id", "person", "seq", "offset"], ticks)
    scored = np.unique(_values(scores, "event_id"))
    archived = np.unique(_values(events, "event_id"))
    known = np.intersect1d(scored, archived, assume_unique=True)
    return Audit(
        archived=len(archived),
        scored=scores.num_rows,
        lost=max(emitted - len(known), 0),
        duplicated=(scores.num_rows - len(scored)) + (events.num_rows - len(archived)),
        out_of_order=_out_of_order(scores),
        worlds=_by_world(events),
    )


def digest_of(lake_dir: Path) -> str:
    """The digest over all events and decisions in the lake."""
    digest = Digest()
    for events in lake.read_files(lake_dir, "events", codes=True):
        digest.add_events(_as_record(events, EVENT.arrow))
    for decisions in lake.read_files(lake_dir, "decisions", codes=True):
        digest.add_decisions(_as_record(decisions, DECISION.arrow))
    return digest.hexdigest()


def decision_counts(lake_dir: Path) -> dict[str, dict[str, int]]:
    """Decisions by final action and by reason, as people read them, under the keys `action` and `reason`."""
    counts: dict[str, dict[str, int]] = {}
    labels: dict[str, type[Practice | Reason]] = {"action": Practice, "reason": Reason}
    for name, codes in labels.items():
        table = _read(lake_dir, "decisions", [name], None)
        found = np.bincount(_values(table, name), minlength=len(codes)) if table.num_rows else np.zeros(len(codes))
        counts[name] = {code.label: int(found[code]) for code in codes}
    return counts


def _read(lake_dir: Path, stream: str, columns: list[str], ticks: range | None) -> pa.Table:
    """Columns of a stream; no rows where nothing was archived of it."""
    if lake.count(lake_dir, stream) == 0:
        return pa.table({name: pa.array([], pa.uint64()) for name in columns})
    return lake.read(lake_dir, stream, columns=columns, ticks=ticks, codes=True)


def _as_record(table: pa.Table, schema: pa.Schema) -> pa.Table:
    # Values below a null payload are null in the lake and zero on the wire; the digest looks at neither.
    return table.select(schema.names)


def _values(table: pa.Table, name: str) -> Any:  # noqa: ANN401 - an array of the column's type
    return table.column(name).to_numpy()


def _out_of_order(scores: pa.Table) -> int:
    """Neighbouring scores of one person whose offsets go back though their ordinals go on; read sorted by both."""
    person, offset = _values(scores, "person"), _values(scores, "offset")
    same = person[1:] == person[:-1]
    return int((same & (offset[1:] < offset[:-1])).sum())


def _by_world(events: pa.Table) -> dict[str, int]:
    counts = {world.label: 0 for world in World if world is not World.NONE}
    for row in pc.value_counts(events.column("world")).to_pylist():
        counts[World(row["values"]).label] = row["counts"]
    return counts
