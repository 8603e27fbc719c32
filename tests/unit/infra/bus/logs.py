"""Logs of partitions as lists of records, for tests of what reads them."""

from dataclasses import replace

import numpy as np
import pyarrow as pa

from infra.bus.messages import Received, Undecodable
from infra.contracts.frames import Frame, TickEnd
from infra.contracts.records import SCORE

TOPIC = "calm.test.scores"
PRIMARY = "primary"


def scores(rows: int) -> pa.RecordBatch:
    columns = [pa.array(np.zeros(rows, dtype=field.type.to_pandas_dtype()), field.type) for field in SCORE.arrow]
    return pa.RecordBatch.from_arrays(columns, schema=SCORE.arrow)


_BATCHES = {rows: scores(rows) for rows in range(4)}


def frame(tick: int, name: str, rows: int = 1, source: str = PRIMARY) -> Frame:
    return Frame(stream="scores", tick=tick, source=source, batch=_BATCHES[rows], frame_id=name)


def broken(tick: int, name: str, rows: int = 1, source: str = PRIMARY) -> Undecodable:
    return Undecodable("torn", source, tick, name, rows)


def end(tick: int, frames: int, rows: int, source: str = PRIMARY) -> TickEnd:
    return TickEnd(stream="scores", tick=tick, source=source, frames=frames, rows=rows)


def log(*items: Frame | TickEnd | Undecodable, partition: int = 0, topic: str = TOPIC) -> list[Received]:
    """The items as records of one partition, at offsets 0, 1, 2, …"""
    return [Received(topic, partition, offset, item) for offset, item in enumerate(items)]


def moved(received: Received, offset: int) -> Received:
    return replace(received, offset=offset)


def names(frames: list[Received]) -> list[str]:
    return [each.item.frame_id for each in frames if isinstance(each.item, Frame)]
