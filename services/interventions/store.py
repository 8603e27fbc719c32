"""What the API shows: decisions by person, and the timeline of policies, in one SQLite file.

The decisions here are a copy of what is on the topic. They are written some ticks at a time; what a crash loses is
written again when the lane repeats those ticks.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from infra.contracts.commands import Practice
from infra.contracts.decisions import Reason
from infra.storage.sql import Store, open_store, signed, unsigned
from services.interventions.domain import FIRST_TICK, PolicyChange, policy_at

_MIGRATIONS = (
    """
    CREATE TABLE decisions (
        person INTEGER NOT NULL, seq INTEGER NOT NULL, decision_id INTEGER NOT NULL, tick INTEGER NOT NULL,
        occurred_at INTEGER NOT NULL, action INTEGER NOT NULL, propensity REAL NOT NULL, available INTEGER NOT NULL,
        reason INTEGER NOT NULL, context_event INTEGER NOT NULL, lapse REAL, expires_at INTEGER NOT NULL,
        policy_id TEXT NOT NULL, model_version TEXT NOT NULL, PRIMARY KEY (person, seq)
    ) WITHOUT ROWID;
    CREATE TABLE policies (from_tick INTEGER PRIMARY KEY, name TEXT NOT NULL, parameters TEXT NOT NULL);
    CREATE TABLE progress (id INTEGER PRIMARY KEY CHECK (id = 1), tick INTEGER NOT NULL);
    """,
)
_COLUMNS = (
    "person",
    "seq",
    "decision_id",
    "tick",
    "occurred_at",
    "action",
    "propensity",
    "available",
    "reason",
    "context_event",
    "lapse",
    "expires_at",
    "policy_id",
    "model_version",
)
_UNSIGNED = ("person", "decision_id", "context_event")
_PENDING_ROWS = 5_000
_INSERT = f"INSERT OR REPLACE INTO decisions ({','.join(_COLUMNS)}) VALUES ({','.join('?' * len(_COLUMNS))})"  # noqa: S608  names of ours
_SELECT = f"SELECT {','.join(_COLUMNS)} FROM decisions WHERE person = ? ORDER BY seq DESC LIMIT ?"  # noqa: S608  names of ours


class DecisionStore:
    """Safe to use from any thread."""

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
            rows = [row for batch in self._pending for row in _rows(batch)]
            if rows:
                with self._store.transaction():
                    self._store.execute_many(_INSERT, rows)
            self._pending.clear()

    def decisions(self, person: int, limit: int) -> list[dict[str, Any]]:
        """A person's last decisions, newest first, with names for action and reason."""
        self.flush()
        rows = self._store.query(_SELECT, (signed(person), limit))
        return [_shown(dict(zip(_COLUMNS, row, strict=True))) for row in rows]

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


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    columns = []
    for name in _COLUMNS:
        values = batch.column(name)
        # SQLite has no unsigned integers: the same 64 bits, read as signed.
        columns.append((values.view(pa.int64()) if name in _UNSIGNED else values).to_pylist())
    return zip(*columns, strict=True)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the API shows it: 64-bit ids as decimal text, which JSON readers in JavaScript would round."""
    ids = {name: str(unsigned(row[name])) for name in _UNSIGNED}
    names = {"action": Practice(row["action"]).label, "reason": Reason(row["reason"]).label}
    return {**row, **ids, **names, "available": bool(row["available"])}
