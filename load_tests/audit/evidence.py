"""Evidence: Kafka records and the rows in them as tables, without a judgement.

Tables are Polars frames. `records` has a row for each Kafka record, `lineage` one for each input range that a tick-end
names, `rows` one table a stream with a row for each event, score, decision, … `repeat` is true of a record that was
there before under the same source, tick and id: readers drop it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

RECORDS = {
    "stream": pl.String,
    "partition": pl.Int32,
    "offset": pl.Int64,
    "kind": pl.String,
    "source": pl.String,
    "tick": pl.Int64,
    "id": pl.String,
    "frames": pl.Int64,
    "rows": pl.Int64,
    "repeat": pl.Boolean,
}
"""`kind` is frame, end or unreadable; `frames` and `rows` of an end are what it says it closes."""

LINEAGE = {
    "source": pl.String,
    "tick": pl.Int64,
    "stream": pl.String,
    "partition": pl.Int32,
    "first": pl.Int64,
    "last": pl.Int64,
}
"""What one tick of a derived stream was made from: offsets first to last, inclusive, of an input."""

LETTERS = {"stream": pl.String, "partition": pl.Int32, "offset": pl.Int64, "error": pl.String}
"""Dead letters: where the record stood."""

ROWS = {
    "partition": pl.Int32,
    "offset": pl.Int64,
    "tick": pl.Int64,
    "source": pl.String,
    "id": pl.UInt64,
    "person": pl.UInt64,
    "seq": pl.UInt32,
    "ref": pl.UInt64,
    "what": pl.UInt16,
}
"""`ref` is the event scored, the event decided on, the decision carried out, or the command answered; `what` the kind
of an event and the action of a decision. 0 where there is none."""

COLUMNS = {
    "events": {"id": "event_id", "person": "person", "seq": "seq", "ref": "practice.command", "what": "kind"},
    "outcomes": {"id": "event_id", "person": "person", "seq": "seq", "what": "kind"},
    "scores": {"id": "event_id", "person": "person", "seq": "seq", "ref": "event_id"},
    "decisions": {"id": "decision_id", "person": "person", "seq": "seq", "ref": "context_event", "what": "action"},
    "interventions": {"id": "command_id", "person": "person", "ref": "decision_id", "what": "practice"},
}
"""Where a stream's record has what ROWS names; the truth has rows without ids, and is audited by record only."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All there is to look at. `records` and what hangs on them are empty where only a lake is left."""

    rows: dict[str, pl.DataFrame]
    records: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=RECORDS))
    lineage: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LINEAGE))
    letters: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LETTERS))
    archived: dict[str, pl.DataFrame] = field(default_factory=dict)
    committed: dict[tuple[str, str, int], int] = field(default_factory=dict)
    """Service, stream and partition → offset committed as the next to read."""
    transactions: bool = False
    """Whether only committed records were read: then a repeated frame is a fault, not something readers drop."""
    running: bool = False
    """Whether the system is at work, or was broken off: what is on its way at the end is not lost."""

    def of(self, stream: str) -> pl.DataFrame:
        """Rows of a stream; an empty table where there are none."""
        return self.rows.get(stream, pl.DataFrame(schema=ROWS))


def table(rows: Iterable[tuple[object, ...]], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """A table of these rows and columns."""
    return pl.DataFrame(list(rows), schema=schema, orient="row")
