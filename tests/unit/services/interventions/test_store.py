"""The store shows a person's decisions, newest first, each once, whatever has been written so far."""

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.contracts.decisions import DECISION
from services.interventions.store import DecisionStore
from tests.support.batches import random_batch

PEOPLE = (3, 2**64 - 1)


def decided(tick: int) -> pa.RecordBatch:
    """A decision for each of PEOPLE: the tick's number is its seq."""
    rows = random_batch(DECISION, len(PEOPLE), seed=tick)
    given_columns = {
        "person": pa.array(PEOPLE, pa.uint64()),
        "seq": pa.array([tick] * len(PEOPLE), DECISION.arrow.field("seq").type),
        "tick": pa.array([tick] * len(PEOPLE), pa.int64()),
        "action": pa.array([0] * len(PEOPLE), pa.uint8()),
        "reason": pa.array([0] * len(PEOPLE), pa.uint8()),
    }
    columns = [given_columns.get(name, rows.column(name)) for name in DECISION.arrow.names]
    return pa.RecordBatch.from_arrays(columns, schema=DECISION.arrow)


@settings(max_examples=20, deadline=None)  # each example writes a file
@given(
    flushes=st.sets(st.integers(0, 11)),
    repeated=st.integers(0, 5),
    limit=st.integers(1, 15),
    person=st.sampled_from(PEOPLE),
)
def test_the_newest_decisions_are_shown_once(
    tmp_path_factory: pytest.TempPathFactory, flushes: set[int], repeated: int, limit: int, person: int
) -> None:
    path = tmp_path_factory.mktemp("store") / "a.sqlite"
    store = DecisionStore(path)
    for tick in range(12):
        store.add(decided(tick))
        if tick in flushes:
            store.flush()
    store.close()
    again = DecisionStore(path)
    for tick in range(12 - repeated, 14):  # a restarted lane repeats its last ticks
        again.add(decided(tick))
    shown = again.decisions(person, limit)
    again.close()
    assert [row["seq"] for row in shown] == list(range(13, -1, -1))[:limit]
    assert {row["person"] for row in shown} == {str(person)}


def test_somebody_nobody_decided_on_has_no_decisions(tmp_path: Path) -> None:
    store = DecisionStore(tmp_path / "a.sqlite")
    store.add(decided(1))
    store.flush()
    assert store.decisions(12345, 5) == []
    store.close()
