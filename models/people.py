"""State per person in plain columns: arrays that grow, found by the person's pseudonym, kept as exact bytes.

Used by the scorer (tokens of record) and by the decision engine (offers of the day). No I/O.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FIRST_CAPACITY = 1024
_MAGIC = b"CALMPPL1"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One number (or a fixed block of them) a person: its type, its value for a new person, its shape."""

    dtype: str
    fill: float = 0
    shape: tuple[int, ...] = ()

    def empty(self, rows: int) -> NDArray[Any]:
        """`rows` new people, shape (rows, *shape), all `fill`."""
        return np.full((rows, *self.shape), self.fill, dtype=self.dtype)


class PeopleTable:
    """Columns of state, one row a person; rows are given out in order of arrival and never move.

    The snapshot is ordered by pseudonym, so it does not show in which order people arrived or how many shards
    there were.
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._specs = dict(columns)
        self.clear()

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """The column's array, shape (capacity, *shape); valid until the next `enroll`."""
        return self._columns[name]

    @property
    def persons(self) -> NDArray[np.uint64]:
        """Everyone known, ascending, shape (n,)."""
        return self._keys

    def clear(self) -> None:
        """Forget everybody."""
        self._keys = np.empty(0, dtype=np.uint64)
        self._key_rows = np.empty(0, dtype=np.int64)
        self._columns = {name: spec.empty(_FIRST_CAPACITY) for name, spec in self._specs.items()}

    def find(self, persons: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Rows of `persons`, shape as given; -1 where a person is unknown."""
        if not len(self._keys):
            return np.full(persons.shape, -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self._keys, persons), len(self._keys) - 1)
        return np.where(self._keys[at] == persons, self._key_rows[at], -1)

    def enroll(self, persons: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Rows of `persons`, shape as given; unknown people get a new row with the fill values."""
        rows = self.find(persons)
        if (rows < 0).any():
            self._add(np.unique(persons[rows < 0]))
            rows = self.find(persons)
        return rows

    def _add(self, new: NDArray[np.uint64]) -> None:
        first = len(self._keys)
        self._reserve(first + len(new))
        at = np.searchsorted(self._keys, new)
        self._keys = np.insert(self._keys, at, new)
        self._key_rows = np.insert(self._key_rows, at, np.arange(first, first + len(new)))

    def _reserve(self, rows: int) -> None:
        capacity = len(next(iter(self._columns.values())))
        if rows <= capacity:
            return
        extra = max(rows, 2 * capacity) - capacity
        for name, spec in self._specs.items():
            self._columns[name] = np.concatenate([self._columns[name], spec.empty(extra)])

    def snapshot(self) -> bytes:
        """Everything, as bytes that depend on the state alone."""
        columns = {name: self._columns[name][self._key_rows] for name in sorted(self._specs)}
        return pack({"": self._keys, **columns})

    def restore(self, data: bytes) -> None:
        """Become the state of `snapshot`. Raises ValueError where the columns are not this table's."""
        columns = unpack(data)
        keys = columns.pop("")
        expected = {name: (np.dtype(spec.dtype).str, spec.shape) for name, spec in self._specs.items()}
        found = {name: (array.dtype.str, array.shape[1:]) for name, array in columns.items()}
        if expected != found:
            raise ValueError(f"the snapshot holds the columns {found}, this table needs {expected}")
        self.clear()
        self._reserve(len(keys))
        self._keys = keys
        self._key_rows = np.arange(len(keys), dtype=np.int64)
        for name, array in columns.items():
            self._columns[name][: len(keys)] = array


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Named arrays as bytes: a JSON line of types and shapes, then the numbers. Deterministic."""
    head = [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()]
    parts = [_MAGIC, json.dumps(head, separators=(",", ":")).encode(), b"\n"]
    return b"".join([*parts, *(np.ascontiguousarray(array).reshape(-1).view("|u1").data for array in arrays.values())])


def unpack(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of `pack`, as copies. Raises ValueError for other bytes."""
    if not data.startswith(_MAGIC):
        raise ValueError("these bytes are not a snapshot of people's state")
    end = data.index(b"\n")
    offset, arrays = end + 1, {}
    for name, dtype, shape in json.loads(data[len(_MAGIC) : end]):
        count = int(np.prod(shape, dtype=np.int64))
        block = np.frombuffer(data, dtype=dtype, count=count, offset=offset)
        arrays[str(name)] = block.reshape(shape).copy()
        offset += block.nbytes
    return arrays
