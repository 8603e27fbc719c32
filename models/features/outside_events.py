"""Outside rows as event batches: pseudonyms, gapless ordinals, and batches in the order of time."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.draws import mix
from infra.contracts.errors import BadInput
from infra.contracts.events import EVENT
from infra.contracts.kinds import EventKind
from infra.contracts.time import tick_of
from models.features.outside_log import Row

ROWS_PER_TICK = 1_000
"""Rows that are sent and released together: a log that spans months has hundreds of thousands of empty minutes."""


@dataclass(frozen=True)
class OutsideTick:
    """One batch of events sent together. Its number counts batches up from the minute of the first event."""

    tick: int
    events: pa.RecordBatch


def outside_ticks(rows: Sequence[Row], key: bytes) -> Iterator[OutsideTick]:
    """Batches of ROWS_PER_TICK rows in order of time (file order among equal times), each sorted by (person, seq).

    A row with a positive outcome gives two events: its exposure, and the response that names it. Raises BadInput
    when two people fall on one pseudonym.
    """
    ordered = sorted(rows, key=lambda row: (row.time_us, row.line))
    pseudonym = _pseudonyms({row.person for row in ordered}, key)
    next_seq: dict[str, int] = {}
    first = tick_of(ordered[0].time_us) if ordered else 0
    for ordinal, start in enumerate(range(0, len(ordered), ROWS_PER_TICK)):
        chunk = ordered[start : start + ROWS_PER_TICK]
        yield OutsideTick(first + ordinal, _events(chunk, pseudonym, next_seq))


def _pseudonyms(people: set[str], key: bytes) -> dict[str, int]:
    table = {
        person: int.from_bytes(hashlib.blake2b(person.encode(), key=key[:64], digest_size=8).digest(), "little")
        for person in people
    }
    if len(set(table.values())) != len(table):
        raise BadInput("two people of the log share a pseudonym: choose another --seed")
    return table


def _events(rows: Sequence[Row], pseudonym: dict[str, int], next_seq: dict[str, int]) -> pa.RecordBatch:
    person: list[int] = []
    seq: list[int] = []
    kind: list[int] = []
    time_us: list[int] = []
    item: list[int] = []
    answers: list[bool] = []
    for row in rows:
        for code, answer in ((row.kind, False), (int(EventKind.ITEM_ACTED), True))[: 2 if row.acted else 1]:
            person.append(pseudonym[row.person])
            seq.append(next_seq.get(row.person, 0))
            next_seq[row.person] = seq[-1] + 1
            kind.append(code)
            time_us.append(row.time_us)
            item.append(row.item)
            answers.append(answer)
    return _batch(
        {
            "person": np.array(person, dtype=np.uint64),
            "seq": np.array(seq, dtype=np.uint32),
            "kind": np.array(kind, dtype=np.uint16),
            "occurred_at": np.array(time_us, dtype=np.int64),
        },
        np.array(item, dtype=np.uint32),
        np.array(answers, dtype=bool),
    )


def _batch(columns: dict[str, NDArray[Any]], item: NDArray[np.uint32], answers: NDArray[np.bool_]) -> pa.RecordBatch:
    order = np.lexsort((columns["seq"], columns["person"]))
    columns = {name: values[order] for name, values in columns.items()}
    item, answers, count = item[order], answers[order], len(order)
    person, seq = columns["person"], columns["seq"].astype(np.uint64)
    columns |= {
        "event_id": mix(person ^ mix(seq)),
        # A response stands right behind its exposure, which has the ordinal before it.
        "in_reply_to": np.where(answers, mix(person ^ mix(seq - np.uint64(1))), np.uint64(0)),
        "world": np.zeros(count, dtype=np.uint8),
        "utc_offset_minutes": np.zeros(count, dtype=np.int16),
        "intended_at": np.zeros(count, dtype=np.int64),
    }
    given = {"activity": {"item": item}}
    arrays = [
        _payload(field.type, given.get(field.name), count)
        if pa.types.is_struct(field.type)
        else pa.array(columns[field.name])
        for field in EVENT.arrow
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=EVENT.arrow)


def _payload(kind: pa.DataType, given: dict[str, NDArray[Any]] | None, count: int) -> pa.StructArray:
    """A payload column: `given` values and zeros, or absent in every row. Zeros stand below what is absent."""
    children = [
        pa.array((given or {}).get(child.name, [child.type.to_pandas_dtype()()] * count), child.type) for child in kind
    ]
    return pa.StructArray.from_arrays(children, fields=list(kind), mask=pa.array(np.full(count, given is None)))
