"""What the API shows: decisions by person, and the timeline of policies, in one SQLite file.

The decisions here are a copy of what is on the topic, kept as columns: a row of SQL for each of some hundreds of
decisions a tick would hold the loop up for longer than deciding does. They are written some ticks at a time, one
segment after the other; what a crash loses is written again when the lane repeats those ticks, and a decision that
stands in two segments is shown once.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from infra.contracts.commands import Practice
from infra.contracts.decisions import DECISION, Reason
from infra.storage.sql import Store, open_store
from services.interventions.domain import FIRST_TICK, PolicyChange, policy_at

_MIGRATIONS = (
    """
    CREATE TABLE segments (id INTEGER PRIMARY KEY, decisions BLOB NOT NULL);
    CREATE TABLE policies (from_tick INTEGER PRIMARY KEY, name TEXT NOT NULL, parameters TEXT NOT NULL);
    CREATE TABLE progress (id INTEGER PRIMARY KEY CHECK (id = 1), tick INTEGER NOT NULL);
    """,
)
_SHOWN: Final = [name for name in DECISION.arrow.names if name != "intended_at"]
_IDS: Final = ("person", "decision_id", "context_event")
_PENDING_ROWS: Final = 50_000
_PACKED: Final = pa.ipc.IpcWriteOptions(compression="lz4")


class DecisionStore:
    """Safe to use from any thread. Taking a tick costs next to nothing; finding a person's reads back segments."""

    def __init__(self, path: Path) -> None:
        self._store: Store = open_store(path, _MIGRATIONS)
        self._lock = threading.Lock()
        self._pending: list[pa.RecordBatch] = []

    def add(self, decisions: pa.RecordBatch) -> None:
        """Take a tick's decisions; they are written when there are enough, or on `flush`."""
        with self._lock:
            self._pending.append(decisions)
            enough = sum(batch.num_rows for batch in self._pending) >= _PENDING_ROWS
        if enough:
            self.flush()

    def flush(self) -> None:
        """Write what was taken."""
        with self._lock:
            rows = [batch for batch in self._pending if batch.num_rows]
            if rows:
                with self._store.transaction():
                    self._store.execute("INSERT INTO segments (decisions) VALUES (?)", (_packed(rows),))
            self._pending = []

    def decisions(self, person: int, limit: int) -> list[dict[str, Any]]:
        """A person's last decisions, newest first, with names for action and reason."""
        found: dict[int, dict[str, Any]] = {}
        for batches in self._newest_first():
            found |= {row["seq"]: row for batch in batches for row in _of(person, batch)}
            if len(found) >= limit:
                break
        return [_shown(found[seq]) for seq in sorted(found, reverse=True)[:limit]]

    def _newest_first(self) -> Iterator[list[pa.RecordBatch]]:
        with self._lock:
            last = self._store.query("SELECT coalesce(max(id), 0) FROM segments")[0][0]
            pending = list(self._pending)
        yield pending
        for number in range(last, 0, -1):
            rows = self._store.query("SELECT decisions FROM segments WHERE id = ?", (number,))
            yield [batch for (data,) in rows for batch in pa.ipc.open_stream(data)]

    def timeline(self) -> list[PolicyChange]:
        """Every policy that held or will hold, ascending."""
        rows = self._store.query("SELECT from_tick, name, parameters FROM policies ORDER BY from_tick")
        return [PolicyChange(from_tick=tick, name=name, parameters=json.loads(text)) for tick, name, text in rows]

    def change(self, name: str, parameters: Mapping[str, Any]) -> PolicyChange:
        """Put a policy in force from the tick after the last one begun, in place of another meant for that tick."""
        text = json.dumps(dict(parameters), sort_keys=True)
        with self._store.transaction():
            begun = self.begun()
            tick = FIRST_TICK if begun is None else begun + 1
            self._store.execute("INSERT OR REPLACE INTO policies VALUES (?, ?, ?)", (tick, name, text))
        return PolicyChange(from_tick=tick, name=name, parameters=dict(parameters))

    def begin(self, tick: int) -> PolicyChange:
        """Note that a tick is being decided, so that no later change can reach it; the policy that holds at it."""
        with self._store.transaction():
            self._store.execute(
                "INSERT INTO progress VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET tick = max(tick, excluded.tick)",
                (tick,),
            )
            return policy_at(self.timeline(), tick)

    def begun(self) -> int | None:
        """The last tick that was begun, ever; None before the first."""
        rows = self._store.query("SELECT tick FROM progress")
        return int(rows[0][0]) if rows else None

    def close(self) -> None:
        """Write what was taken and close the file."""
        self.flush()
        self._store.close()


def _packed(batches: list[pa.RecordBatch]) -> bytes:
    table = pa.Table.from_batches(batches).combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_PACKED) as stream:
        stream.write_table(table)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def _of(person: int, batch: pa.RecordBatch) -> list[dict[str, Any]]:
    mine = batch.filter(pc.equal(batch.column("person"), pa.scalar(person, pa.uint64())))
    rows: list[dict[str, Any]] = mine.select(_SHOWN).to_pylist()
    return rows


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the API shows it: 64-bit ids as decimal text, which JSON readers in JavaScript would round."""
    ids = {name: str(row[name]) for name in _IDS}
    names = {"action": Practice(row["action"]).label, "reason": Reason(row["reason"]).label}
    return {**row, **ids, **names, "available": bool(row["available"])}
