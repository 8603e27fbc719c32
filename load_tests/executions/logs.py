"""What a sender and a receiver write down, as arrays, and on disk as .npz files.

Shape legend: s slices, n events, m rows that arrived.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from infra.contracts.draws import U64Array

Micros = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class SentLog:
    """What was sent. Times are µs of the wall clock.

    `due_us`, `begun_us`, `handed_us`, `rows` (s,): when a slice was due, when its sending began and was done, and its
    events. `event_id` (n,): the events, slice after slice.
    """

    due_us: Micros
    begun_us: Micros
    handed_us: Micros
    rows: NDArray[np.int64]
    event_id: U64Array

    @property
    def late_us(self) -> Micros:
        """How long after its due time each slice was begun, (s,)."""
        return self.begun_us - self.due_us

    def per_event(self, of_slices: Micros) -> Micros:
        """A value of each slice, repeated for each of its events: (s,) → (n,)."""
        return np.repeat(of_slices, self.rows)

    @classmethod
    def empty(cls) -> Self:
        """Of a load that never began."""
        none = np.zeros(0, dtype=np.int64)
        return cls(due_us=none, begun_us=none, handed_us=none, rows=none, event_id=np.zeros(0, dtype=np.uint64))


@dataclass(frozen=True, kw_only=True)
class ArrivedLog:
    """Rows of one stream that arrived, (m,) each, in the order of arrival. Times are µs of the wall clock."""

    row_id: U64Array  # event_id of a score, decision_id of a decision
    intended_us: Micros
    arrived_us: Micros

    @classmethod
    def empty(cls) -> Self:
        """Nothing arrived."""
        none = np.zeros(0, dtype=np.int64)
        return cls(row_id=np.zeros(0, dtype=np.uint64), intended_us=none, arrived_us=none)


@dataclass
class ArrivedPages:
    """An ArrivedLog while it is being written, page by page."""

    row_ids: list[U64Array] = field(default_factory=list)
    intended: list[Micros] = field(default_factory=list)
    arrived: list[Micros] = field(default_factory=list)
    rows: int = 0

    def add(self, row_id: U64Array, intended_us: Micros, arrived_us: int) -> None:
        """Note rows that arrived together."""
        self.row_ids.append(row_id)
        self.intended.append(intended_us)
        self.arrived.append(np.full(len(row_id), arrived_us, dtype=np.int64))
        self.rows += len(row_id)

    def log(self) -> ArrivedLog:
        """Everything noted so far."""
        if not self.row_ids:
            return ArrivedLog.empty()
        return ArrivedLog(
            row_id=np.concatenate(self.row_ids),
            intended_us=np.concatenate(self.intended),
            arrived_us=np.concatenate(self.arrived),
        )


def save(path: Path, logs: Mapping[str, SentLog | ArrivedLog]) -> None:
    """Write logs into one file at once; the arrays of each are named `<log>.<field>`."""
    arrays = {f"{name}.{key}": values for name, log in logs.items() for key, values in vars(log).items()}
    scratch = path.with_suffix(".part.npz")
    np.savez(scratch, **arrays)
    scratch.replace(path)


def load_sent(path: Path) -> SentLog:
    """The sender's log; an empty one where it wrote none."""
    return SentLog(**_fields(path, "sent")) if path.is_file() else SentLog.empty()


def load_arrived(path: Path, name: str) -> ArrivedLog:
    """One of the receiver's logs; an empty one where it wrote none."""
    return ArrivedLog(**_fields(path, name)) if path.is_file() else ArrivedLog.empty()


def _fields(path: Path, name: str) -> dict[str, Any]:
    with np.load(path) as arrays:
        return {key.split(".", 1)[1]: arrays[key] for key in arrays.files if key.split(".", 1)[0] == name}
