"""The scorer: events in, one score for each event out, with every person's state in between.

It owns the tokens of record; the forward pass is given to it and has no state. Nothing here depends on which other
people are in a batch: chunks have fixed shapes, so a person's scores are the same bits however people are sharded.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from infra.contracts.kinds import EXPOSURES
from infra.contracts.records import SCORE
from models.features.tokens import Tokens, encode, exposures
from models.serving.assembly import Assembly
from models.serving.ring import Groups, Indices, TokenRing
from models.serving.shapes import Forward, Scores, Shapes

_EXPOSURE_CODES = np.array(sorted(int(kind) for kind in EXPOSURES))


@dataclass(frozen=True, kw_only=True)
class ScorerConfig:
    """How a tick is cut into chunks of fixed shape (see `shapes.Shapes`); it may move a score in its last bits."""

    rows: int = 32
    steps: tuple[int, ...] = (2, 4, 8)


@dataclass(kw_only=True)
class Counters:
    """What the scorer has met: events scored, taken in without a score, refused as old, missing in between."""

    scored: int = 0
    ingested: int = 0
    refused: int = 0
    missing: int = 0


class Scorer:
    """`infra.contracts.ports.EventScorer` over the attention model.

    Events come sorted by (person, seq). An event whose `seq` is not above the person's last is refused and counted;
    one that leaves a gap is taken, and the gap counted.
    """

    def __init__(self, forward: Forward, config: ScorerConfig | None = None) -> None:
        config = config or ScorerConfig()
        self._forward = forward
        self._card = forward.card
        self._shapes = Shapes(context=self._card.context, rows=config.rows, steps=config.steps)
        self._ring = TokenRing(self._card.context)
        self.counters = Counters()

    @property
    def model_version(self) -> str:
        """Version of the model that scores."""
        return self._card.version

    @property
    def people(self) -> int:
        """How many people have state."""
        return len(self._ring.people)

    def step(self, events: pa.RecordBatch, traceparent: str | None = None) -> pa.RecordBatch:
        """One SCORE row for each event that is not refused, in the same order; the state advances past them.

        Raises what the forward pass raises; nobody's tokens have changed then, and the call may be made again.
        """
        admitted, rows = self._admit(events)
        tokens = self._encode(admitted, rows)
        assembly = Assembly(self._shapes, rows)
        batches = assembly.batches(self._ring, tokens)
        answers = self._forward(batches, traceparent) if batches else []
        probabilities = assembly.collect(answers, len(self._card.outputs))
        self._advance(events, admitted, rows, tokens)
        self.counters.scored += len(tokens)
        return self._scores(admitted, probabilities)

    def ingest(self, events: pa.RecordBatch) -> None:
        """Advance the state past the events without scoring them."""
        admitted, rows = self._admit(events)
        tokens = self._encode(admitted, rows)
        self._advance(events, admitted, rows, tokens)
        self.counters.ingested += len(tokens)

    def snapshot(self) -> bytes:
        """Everyone's tokens of record and the counters, as bytes that depend on them alone."""
        people = self._ring.people.snapshot()
        head = json.dumps({"counters": asdict(self.counters), "bytes": len(people)}, separators=(",", ":"))
        return head.encode() + b"\n" + bytes(pa.compress(people, codec="lz4", asbytes=True))

    def restore(self, state: bytes) -> None:
        """Become the state of `snapshot`. Raises ValueError where it belongs to other shapes."""
        line, _, people = state.partition(b"\n")
        head = json.loads(line)
        self._ring.people.restore(pa.decompress(people, decompressed_size=head["bytes"], codec="lz4", asbytes=True))
        self.counters = Counters(**head["counters"])

    def _admit(self, events: pa.RecordBatch) -> tuple[pa.RecordBatch, Indices]:
        """The events that are new, and each one's row in the ring."""
        person, seq = _column(events, "person"), _column(events, "seq").astype(np.int64)
        rows = self._ring.people.enroll(person)
        fresh = seq > _previous(person, seq, self._ring.people["last_seq"][rows])
        if fresh.all():
            return events, rows
        return events.filter(pa.array(fresh)), rows[fresh]

    def _encode(self, admitted: pa.RecordBatch, rows: Indices) -> Tokens:
        seen = self._ring.seen(_column(admitted, "person"), rows)
        return encode(admitted, self._ring.last_time_us(rows), item_buckets=self._card.item_buckets, seen=seen)

    def _advance(self, events: pa.RecordBatch, admitted: pa.RecordBatch, rows: Indices, tokens: Tokens) -> None:
        person, seq = _column(admitted, "person"), _column(admitted, "seq").astype(np.int64)
        last_seq = self._ring.people["last_seq"]
        self.counters.refused += events.num_rows - admitted.num_rows
        self.counters.missing += int((seq - _previous(person, seq, last_seq[rows]) - 1).sum())
        self._ring.push(rows, tokens)
        self._ring.remember(exposures(admitted, self._ring.seen(person, rows)))
        groups = Groups.of(rows)
        last = groups.first + groups.length - 1
        last_seq[rows[last]] = seq[last]

    def _scores(self, admitted: pa.RecordBatch, probabilities: Scores) -> pa.RecordBatch:
        exposure = np.isin(_column(admitted, "kind"), _EXPOSURE_CODES)
        interaction = np.where(exposure, self._output(probabilities, "interaction"), np.float32(np.nan))
        columns: dict[str, Any] = {
            "interaction": interaction.astype(np.float32),
            "lapse": self._output(probabilities, "lapse"),
        }
        arrays = [
            pa.array(columns[field.name], field.type) if field.name in columns else admitted.column(field.name)
            for field in SCORE.arrow
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=SCORE.arrow)

    def _output(self, probabilities: Scores, name: str) -> NDArray[np.float32]:
        """One output's column; NaN where the model does not have it."""
        if name not in self._card.outputs:
            return np.full(len(probabilities), np.nan, dtype=np.float32)
        return np.ascontiguousarray(probabilities[:, self._card.outputs.index(name)])


def _column(events: pa.RecordBatch, name: str) -> NDArray[Any]:
    column: NDArray[Any] = events.column(name).to_numpy(zero_copy_only=False)
    return column


def _previous(person: NDArray[np.uint64], seq: Indices, before: Indices) -> Indices:
    """The `seq` before each event: of the person's event just before it in the batch, else `before`."""
    previous = before.copy()
    same = person[1:] == person[:-1]
    previous[1:][same] = np.maximum(seq[:-1][same], before[1:][same])
    return previous
