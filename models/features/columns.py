"""Reading event columns into NumPy arrays, whichever way the batch was stored.

On the wire `kind` and `world` are small integers; in the lake they are dictionary strings. Both are read
here, so that the code after this file knows one form only.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from infra.contracts.errors import BadInput

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


class EventColumns:
    """Columns of one event batch or table as flat arrays of n rows."""

    def __init__(self, events: pa.RecordBatch | pa.Table) -> None:
        self._events = events
        self.rows: int = events.num_rows
        self._zeros = np.zeros(self.rows, dtype=np.float32)
        self._absent = np.zeros(self.rows, dtype=np.bool_)
        self._structs: dict[str, pa.Array | None] = {}

    def _column(self, name: str) -> pa.Array:
        index = self._events.schema.get_field_index(name)
        if index < 0:
            raise BadInput(f"the event table has no column '{name}'; it has {self._events.schema.names}")
        column = self._events.column(index)
        return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column

    def integers(self, name: str, dtype: npt.DTypeLike = np.int64) -> Array:
        """An integer column without nulls, cast to `dtype`. Shape (n,)."""
        values: Array = self._column(name).to_numpy(zero_copy_only=False).astype(dtype, copy=False)
        return values

    def codes(self, name: str, codes_of_names: Mapping[str, int]) -> npt.NDArray[np.int64]:
        """A column of small integers, or of dictionary strings named in `codes_of_names`. Shape (n,)."""
        column = self._column(name)
        if pa.types.is_integer(column.type):
            return np.asarray(column, dtype=np.int64)
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        names = column.dictionary.to_pylist()  # a few dozen names, never one a row
        table = np.array([codes_of_names.get(text, -1) for text in names] or [-1], dtype=np.int64)
        return table[np.asarray(column.indices, dtype=np.int64)]

    def payload(self, family: str, field: str) -> tuple[Floats, Flags]:
        """One payload field: float32 values (0 where absent), and where it is present and finite; both (n,)."""
        struct = self._struct(family)
        if struct is None or struct.type.get_field_index(field) < 0:
            return self._zeros, self._absent
        column = pc.struct_field(struct, field)
        values = column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float32)
        present = column.is_valid().to_numpy(zero_copy_only=False) & np.isfinite(values)
        return np.where(present, values, np.float32(0)), present

    def items(self, families: tuple[str, ...]) -> tuple[npt.NDArray[np.uint64], Flags]:
        """The item id of each row, from whichever family carries one (0 and absent where none does)."""
        items, present = np.zeros(self.rows, dtype=np.uint64), self._absent
        for family in families:
            struct = self._struct(family)
            if struct is None or struct.type.get_field_index("item") < 0:
                continue
            column = pc.struct_field(struct, "item")
            values = column.fill_null(0).to_numpy(zero_copy_only=False).astype(np.uint64)
            valid = column.is_valid().to_numpy(zero_copy_only=False)
            items, present = np.where(valid, values, items), present | valid
        return items, present

    def _struct(self, family: str) -> pa.Array | None:
        if family not in self._structs:
            present = self._events.schema.get_field_index(family) >= 0
            column = self._column(family) if present else None
            empty = column is None or column.null_count == self.rows
            self._structs[family] = None if empty else column
        return self._structs[family]
