"""Rows become batches: names, ids and order, compiled, are those of the contracts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.identity import Pseudonyms, partition_of
from simulation.core.columns import group_rows
from simulation.core.ordering import name_people, row_order

NAMES = Pseudonyms(b"a key")


def test_compiled_names_are_the_pseudonyms_of_the_contracts() -> None:
    numbers = np.array([0, 1, 999_999, 2**31 - 1], np.int32)
    names = np.zeros(4, np.uint64)
    name_people(NAMES.round_keys, numbers, names)
    assert np.array_equal(names, NAMES.encode(numbers.astype(np.uint64)))


def test_nobody_has_the_name_zero() -> None:
    names = np.ones(1, np.uint64)
    name_people(NAMES.round_keys, np.array([-1], np.int32), names)
    assert names[0] == 0


rows = st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**31 - 1)), max_size=60)


@given(rows, st.booleans())
def test_rows_are_in_the_order_of_partition_name_and_seq(given_rows: list[tuple[int, int]], by_partition: bool) -> None:
    names = np.array([name for name, _ in given_rows], np.uint64)
    seqs = np.array([seq for _, seq in given_rows], np.int32)
    first = partition_of(names) if by_partition and len(names) else np.zeros(len(names), np.int32)
    expected = np.lexsort((seqs, names, first))
    order = row_order(names, seqs, by_partition=by_partition)
    assert np.array_equal(names[order], names[expected])
    assert np.array_equal(seqs[order], seqs[expected])


@pytest.mark.parametrize("by_partition", [False, True])
def test_names_that_share_their_upper_bits_and_seqs_that_pass_65535_keep_their_order(by_partition: bool) -> None:
    alike = NAMES.encode(np.zeros(1, np.uint64))[0] & ~np.uint64(0x3FFFF)
    names = alike + np.array([3, 1, 1, 2], np.uint64)
    seqs = np.array([5, 65_536, 65_535, 0], np.int32)
    order = row_order(names, seqs, by_partition=by_partition)
    parts = partition_of(names) if by_partition else np.zeros(4, np.int32)
    assert order.tolist() == np.lexsort((seqs, names, parts)).tolist()


def test_rows_without_a_group_are_left_out_of_the_grouping() -> None:
    groups, keys = np.array([-1, 1, 0], np.int8), np.array([1, 0, 2, 1, 2], np.int32)
    order, starts = np.full(5, -7, np.int32), np.zeros(3, np.int64)
    group_rows(groups, keys, order, starts)
    assert starts.tolist() == [0, 2, 4]
    assert order[:4].tolist() == [2, 4, 0, 3]
