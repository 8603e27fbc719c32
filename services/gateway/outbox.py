"""The store behind the gateway: who was numbered how far, which events are known, and frames on their way.

In one SQLite transaction an event gets its number in its person's sequence and a place in a frame, and the frame is
kept until the broker has acknowledged it. After a crash in between, the same frames go out again under the same ids,
which every reader recognises.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from infra.contracts.errors import EnvironmentFailed
from infra.contracts.frames import Frame
from infra.contracts.identity import partition_of
from infra.contracts.time import tick_of
from infra.storage.sql import Store, open_store, signed
from services.gateway.domain import OutsideEvent, to_batch
from services.gateway.limits import GatewayConfig

SOURCE: Final = "gateway"
"""CloudEvents source of the gateway's frames; what clients call themselves is inside the event ids."""

STREAM: Final = "events"
_CHUNK: Final = 500  # values in one SQL list

MIGRATIONS: Final = (
    """
    CREATE TABLE store (name TEXT NOT NULL);
    CREATE TABLE person (person INTEGER PRIMARY KEY, next_seq INTEGER NOT NULL);
    CREATE TABLE accepted (event_id INTEGER PRIMARY KEY);
    CREATE TABLE outbox (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        partition INTEGER NOT NULL, tick INTEGER NOT NULL, body BLOB NOT NULL
    )
    """,
    """
    ALTER TABLE accepted RENAME TO older;
    CREATE TABLE recent (event_id INTEGER PRIMARY KEY)
    """,
)


@dataclass(frozen=True)
class Receipt:
    """What became of the events of one request, in order: new, or known by source and id and not sent again."""

    fresh: tuple[bool, ...]

    @property
    def accepted(self) -> int:
        """How many were new."""
        return sum(self.fresh)

    @property
    def repeated(self) -> int:
        """How many were known: acknowledged, and not sent again."""
        return len(self.fresh) - self.accepted


class Outbox:
    """The store behind the gateway: sequences, the ids seen, and frames on their way. For one thread.

    Ids are remembered in two generations. When the younger one holds `remember` ids it becomes the older one, and what
    was the older one is forgotten: the last `remember` events are always known, never more than twice as many are
    kept. Raises EnvironmentFailed where the disk does not take more; nothing was changed then.
    """

    def __init__(self, path: Path, remember: int = GatewayConfig().remembered_events) -> None:
        self._store: Store = open_store(path, MIGRATIONS)
        rows = self._store.query("SELECT name FROM store")
        self._name = str(rows[0][0]) if rows else secrets.token_hex(4)
        if not rows:
            self._store.execute("INSERT INTO store VALUES (?)", (self._name,))
        self._remember = remember
        self._recent = int(self._store.query("SELECT COUNT(*) FROM recent")[0][0])

    @property
    def known(self) -> int:
        """How many ids are remembered."""
        return self._recent + int(self._store.query("SELECT COUNT(*) FROM older")[0][0])

    def accept(self, requests: Sequence[Sequence[OutsideEvent]]) -> list[Receipt]:
        """Take the events that are new, in order, into frames of one partition and tick; a receipt for each request."""
        with self._changing(outlast_power=True):
            seen = self._seen({event.event_id for events in requests for event in events})
            fresh: list[OutsideEvent] = []
            receipts = []
            for events in requests:
                news = []
                for event in events:
                    news.append(event.event_id not in seen)
                    if news[-1]:
                        seen.add(event.event_id)
                        fresh.append(event)
                receipts.append(Receipt(tuple(news)))
            self._keep(fresh)
        self._recent += len(fresh)
        if self._recent >= self._remember:
            self._forget_older()
        return receipts

    def frames(self) -> list[tuple[int, int, Frame]]:
        """Return (number, partition, frame) of what was not acknowledged yet, in the order to send it."""
        rows = self._store.query("SELECT number, partition, tick, body FROM outbox ORDER BY number")
        return [(number, partition, self._frame(number, tick, body)) for number, partition, tick, body in rows]

    def forget(self, numbers: Iterable[int]) -> None:
        """The broker has these frames."""
        with self._changing():
            self._store.execute_many("DELETE FROM outbox WHERE number = ?", [(number,) for number in numbers])

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def _seen(self, event_ids: set[int]) -> set[int]:
        """Return those of `event_ids` that were accepted before."""
        known = {signed(event_id): event_id for event_id in event_ids}
        statement = (
            "SELECT event_id FROM (SELECT event_id FROM recent UNION ALL SELECT event_id FROM older) WHERE event_id"
        )
        return {known[row[0]] for row in _select(self._store, statement, list(known))}

    def _forget_older(self) -> None:
        with self._changing():
            self._store.execute("DROP TABLE older")
            self._store.execute("ALTER TABLE recent RENAME TO older")
            self._store.execute("CREATE TABLE recent (event_id INTEGER PRIMARY KEY)")
        self._recent = 0

    @contextmanager
    def _changing(self, *, outlast_power: bool = False) -> Iterator[None]:
        """A transaction that outlasts a kill of this process; of the machine too, which costs a wait for the disk.

        Numbers and frame ids that Kafka has seen must not be given again; that a frame was sent may be forgotten.
        """
        try:
            self._store.execute(f"PRAGMA synchronous = {'FULL' if outlast_power else 'NORMAL'}")
            with self._store.transaction():
                yield
        except sqlite3.OperationalError as error:
            raise EnvironmentFailed(f"the gateway's store does not take more ({error}): is the disk full?") from error

    def _keep(self, events: Sequence[OutsideEvent]) -> None:
        if not events:
            return
        seqs = self._number(events)
        partitions = partition_of(np.array([event.person for event in events], dtype=np.uint64))
        groups: dict[tuple[int, int], list[int]] = {}
        for row, event in enumerate(events):
            groups.setdefault((int(partitions[row]), tick_of(event.occurred_at)), []).append(row)
        for (partition, tick), rows in groups.items():
            batch = to_batch([events[row] for row in rows], [seqs[row] for row in rows])
            values = (partition, tick, _to_bytes(batch))
            self._store.execute("INSERT INTO outbox (partition, tick, body) VALUES (?, ?, ?)", values)
        self._store.execute_many("INSERT INTO recent VALUES (?)", [(signed(event.event_id),) for event in events])

    def _number(self, events: Sequence[OutsideEvent]) -> list[int]:
        """Give each event the next number of its person, and keep where each person stands."""
        persons = {signed(event.person): event.person for event in events}
        rows = _select(self._store, "SELECT person, next_seq FROM person WHERE person", list(persons))
        following = {persons[person]: seq for person, seq in rows}
        seqs = []
        for event in events:
            seqs.append(following.get(event.person, 0))
            following[event.person] = seqs[-1] + 1
        self._store.execute_many(
            "INSERT INTO person VALUES (?, ?) ON CONFLICT (person) DO UPDATE SET next_seq = excluded.next_seq",
            [(signed(person), seq) for person, seq in following.items()],
        )
        return seqs

    def _frame(self, number: int, tick: int, body: bytes) -> Frame:
        frame_id = f"{SOURCE}/{self._name}/{number}"
        return Frame(stream=STREAM, tick=tick, source=SOURCE, batch=_from_bytes(body), frame_id=frame_id)


def _select(store: Store, statement: str, values: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the rows of `statement` IN (values), in as many queries as it takes."""
    chunks = (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))
    return [row for chunk in chunks for row in store.query(f"{statement} IN ({','.join('?' * len(chunk))})", chunk)]


def _to_bytes(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def _from_bytes(body: bytes) -> pa.RecordBatch:
    with pa.ipc.open_stream(body) as reader:
        return reader.read_next_batch()
