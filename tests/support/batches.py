"""Random batches of every record, from a seed."""

import numpy as np
import pyarrow as pa

from infra.contracts.fields import Record


def random_batch(record: Record, rows: int, seed: int = 0, present: float = 0.3) -> pa.RecordBatch:
    """`rows` random rows of a record; payload structs are there with probability `present`."""
    generator = np.random.default_rng(seed)
    columns = []
    for field in record.arrow:
        if pa.types.is_struct(field.type):
            absent = generator.random(rows) >= present
            children = [_values(child.type, rows, generator, absent) for child in field.type]
            columns.append(pa.StructArray.from_arrays(children, fields=list(field.type), mask=pa.array(absent)))
        else:
            columns.append(_values(field.type, rows, generator, np.zeros(rows, dtype=bool)))
    return pa.RecordBatch.from_arrays(columns, schema=record.arrow)


def _values(kind: pa.DataType, rows: int, generator: np.random.Generator, absent: np.ndarray) -> pa.Array:
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        texts = ["" if gone else f"t{generator.integers(5)}" for gone in absent]
        return pa.array(texts if pa.types.is_string(kind) else [text.encode() for text in texts], kind)
    floating = pa.types.is_floating(kind)
    values = generator.random(rows) * 2 - 1 if floating else generator.integers(0, 2**8, rows).astype(np.float64)
    return pa.array(np.where(absent, 0, values).astype(kind.to_pandas_dtype()), kind)
