"""Recorded topics of a small system that works: made with the real encoder, tick by tick, offset by offset."""

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa

from infra.bus.recording import Recorded
from infra.contracts.commands import COMMAND
from infra.contracts.decisions import DECISION
from infra.contracts.events import EVENT
from infra.contracts.fields import Record
from infra.contracts.frames import Frame, Lineage, TickEnd, encode, encode_tick_end
from infra.contracts.identity import partition_of
from infra.contracts.kinds import EventKind
from infra.contracts.records import SCORE
from infra.contracts.topics import PARTITIONS, Topics
from tests.support.batches import random_batch

TOPICS = Topics("recorded")
FIRST_TICK, PEOPLE = 1_000, 40
Columns = dict[str, list[int]]


class Pipeline:
    """Events, scores, decisions and commands of `ticks` ticks; every fourth person is offered something each tick.

    With `transactions` each service writes a tick in one, whose end takes an offset that no reader is handed.
    """

    def __init__(self, ticks: int, seed: int = 0, *, transactions: bool = False) -> None:
        self._transactions = transactions
        self._generator = np.random.default_rng(seed)
        self.records: list[Recorded] = []
        self._ends: Counter[tuple[str, int]] = Counter()
        self._seqs: Counter[int] = Counter()
        self._ids = iter(range(1, 10_000_000))
        self._ordered: list[tuple[int, int]] = []
        persons = self._generator.integers(1, 2**63, PEOPLE, dtype=np.uint64)
        self._people = list(zip(persons.tolist(), partition_of(persons).tolist(), strict=True))
        for tick in range(FIRST_TICK, FIRST_TICK + ticks):
            self._tick(tick)

    def _tick(self, tick: int) -> None:
        events = self._events()
        read = self._send("events", EVENT, tick, "simulation", events, ())
        scores = {
            n: {"event_id": own["event_id"], "person": own["person"], "seq": own["seq"]} for n, own in events.items()
        }
        read = self._send("scores", SCORE, tick, "monitor", scores, read)
        decisions = {n: self._decisions(own) for n, own in events.items()}
        self._send("decisions", DECISION, tick, "interventions", decisions, read)
        self._send("interventions", COMMAND, tick, "interventions", self._orders(decisions), read)

    def _events(self) -> dict[int, Columns]:
        events: dict[int, Columns] = {number: defaultdict(list) for number in range(PARTITIONS)}
        answered = dict(self._ordered)
        for person, partition in self._people:
            command = answered.get(person, 0)
            for kind in (EventKind.PAGE_BROWSED, EventKind.OFFER_SHOWN if command else EventKind.GAZE_SAMPLED):
                row = {"event_id": next(self._ids), "person": person, "seq": self._seqs[person], "kind": int(kind)}
                row["command"] = command if kind is EventKind.OFFER_SHOWN else 0
                self._seqs[person] += 1
                for name, value in row.items():
                    events[partition][name].append(value)
        return events

    def _decisions(self, events: Columns) -> Columns:
        people = sorted(set(events["person"]))
        return {
            "decision_id": [next(self._ids) for _ in people],
            "person": people,
            "seq": [self._seqs[person] // 2 - 1 for person in people],
            "action": [int(person % 4 == 0) for person in people],
        }

    def _orders(self, decisions: dict[int, Columns]) -> dict[int, Columns]:
        orders: dict[int, Columns] = {number: defaultdict(list) for number in range(PARTITIONS)}
        self._ordered = []
        for number, own in decisions.items():
            for decision, person, action in zip(own["decision_id"], own["person"], own["action"], strict=True):
                if action:
                    row = {"command_id": next(self._ids), "decision_id": decision, "person": person}
                    self._ordered.append((person, row["command_id"]))
                    for name, value in row.items():
                        orders[number][name].append(value)
        return orders

    def _send(
        self, stream: str, record: Record, tick: int, source: str, rows: dict[int, Columns], read: tuple[Lineage, ...]
    ) -> tuple[Lineage, ...]:
        written = []
        for number in range(PARTITIONS):
            batch = _batch(record, rows[number])
            first = self._ends[stream, number]
            if batch.num_rows:
                frame = Frame(
                    stream=stream,
                    tick=tick,
                    source=source,
                    batch=batch,
                    frame_id=f"{stream}/{number}/{tick}/0",
                    lineage=read,
                )
                for headers, value in encode(frame):
                    self._append(stream, number, headers, value)
            frames = self._ends[stream, number] - first
            end = TickEnd(stream=stream, tick=tick, source=source, frames=frames, rows=batch.num_rows, lineage=read)
            self._append(stream, number, *encode_tick_end(end))
            written.append(Lineage(TOPICS.of(stream), number, first, self._ends[stream, number] - 1))
            self._ends[stream, number] += self._transactions and bool(read)
        return tuple(written)

    def _append(self, stream: str, partition: int, headers: list[tuple[str, bytes]], value: bytes) -> None:
        offset = self._ends[stream, partition]
        self.records.append(Recorded(TOPICS.of(stream), partition, offset, None, value, headers))
        self._ends[stream, partition] += 1


def _batch(record: Record, columns: Columns) -> pa.RecordBatch:
    """A batch with these values where they are given, and random ones elsewhere."""
    count = len(columns["person"])
    batch = random_batch(record, count, seed=count, present=0.0)
    values = {name: batch.column(name) for name in batch.schema.names}
    for name, given in columns.items():
        if name == "command":
            values["practice"] = _practice(record, given)
        else:
            values[name] = pa.array(given, record.arrow.field(name).type)
    return pa.RecordBatch.from_arrays(list(values.values()), schema=record.arrow)


def _practice(record: Record, commands: list[int]) -> pa.StructArray:
    kind = record.arrow.field("practice").type
    children = [pa.array(commands if field.name == "command" else [0] * len(commands), field.type) for field in kind]
    return pa.StructArray.from_arrays(children, fields=list(kind), mask=pa.array([not each for each in commands]))
