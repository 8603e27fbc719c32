"""The digest: the same rows give the same digest in any order and any batches; other rows give another."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.decisions import DECISION
from infra.contracts.digest import Digest
from infra.contracts.events import EVENT
from tests.support.batches import random_batch


def digest_of(*batches: pa.RecordBatch) -> str:
    digest = Digest()
    for batch in batches:
        digest.add_events(batch)
    return digest.hexdigest()


@given(rows=st.integers(1, 60), cut=st.integers(0, 60), seed=st.integers(0, 99))
def test_order_and_batching_do_not_matter(rows: int, cut: int, seed: int) -> None:
    batch = random_batch(EVENT, rows, seed)
    shuffled = batch.take(pa.array(np.random.default_rng(seed).permutation(rows)))
    assert digest_of(shuffled.slice(0, cut), shuffled.slice(min(cut, rows))) == digest_of(batch)


def test_shards_can_be_merged() -> None:
    batch = random_batch(EVENT, 50)
    left, right = Digest(), Digest()
    left.add_events(batch.slice(0, 20))
    right.add_events(batch.slice(20))
    left.merge(right)
    assert left.hexdigest() == digest_of(batch)


def test_a_change_of_any_value_but_wall_time_changes_it() -> None:
    batch = random_batch(EVENT, 30, present=0.9)
    for index, name in enumerate(batch.schema.names):
        column = batch.column(index)
        changed = column.take(pa.array([1, 0, *range(2, 30)]))
        other = batch.set_column(index, batch.schema.field(index), changed)
        same = name == "intended_at" or changed.equals(column)
        assert (digest_of(other) == digest_of(batch)) == same, name


def test_a_dropped_or_doubled_row_changes_it() -> None:
    batch = random_batch(EVENT, 30)
    assert digest_of(batch.slice(1)) != digest_of(batch)
    assert digest_of(batch, batch.slice(3, 1)) != digest_of(batch)


def test_events_and_decisions_do_not_cancel_and_model_floats_stay_out() -> None:
    decisions = random_batch(DECISION, 20)
    index = decisions.schema.get_field_index("lapse")
    other = decisions.set_column(index, decisions.schema.field(index), pa.array(np.zeros(20, np.float32)))
    one, two, none = Digest(), Digest(), Digest()
    one.add_decisions(decisions)
    two.add_decisions(other)
    assert one.hexdigest() == two.hexdigest() != none.hexdigest()
