"""The table of people's state against a plain dictionary."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.people import Column, PeopleTable, pack, unpack

COLUMNS = {"count": Column(dtype="<i8", fill=-1), "ring": Column(dtype="<f4", shape=(3,))}
people = st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=8), max_size=6)


@given(people)
def test_everyone_keeps_their_own_numbers(arrivals: list[list[int]]) -> None:
    table, known = PeopleTable(COLUMNS), dict[int, int]()
    for turn, group in enumerate(arrivals):
        rows = table.enroll(np.array(group, dtype=np.uint64))
        for person, row in zip(group, rows, strict=True):
            assert table["count"][row] == known.get(person, -1)
        table["count"][rows] = turn
        known |= dict.fromkeys(group, turn)
    assert len(table) == len(known)
    assert table.persons.tolist() == sorted(known)
    assert table.find(table.persons).min(initial=0) >= 0


@given(people)
def test_a_restored_table_is_the_same_bytes(arrivals: list[list[int]]) -> None:
    table, other = PeopleTable(COLUMNS), PeopleTable(COLUMNS)
    for turn, group in enumerate(arrivals):
        table["ring"][table.enroll(np.array(group, dtype=np.uint64))] = turn + 0.5
    other.restore(table.snapshot())
    assert other.snapshot() == table.snapshot()
    rows = table.find(table.persons), other.find(other.persons)
    np.testing.assert_array_equal(table["ring"][rows[0]], other["ring"][rows[1]])


def test_unknown_people_are_not_enrolled_by_a_search() -> None:
    table = PeopleTable(COLUMNS)
    wanted = np.array([5, 7], dtype=np.uint64)
    assert table.find(wanted).tolist() == [-1, -1]
    table.enroll(wanted[:1])
    assert table.find(wanted).tolist() == [0, -1]
    assert len(table) == 1


def test_the_table_grows_and_keeps_what_it_holds() -> None:
    table = PeopleTable(COLUMNS)
    first = table.enroll(np.array([1], dtype=np.uint64))
    table["count"][first] = 42
    table.enroll(np.arange(10_000, dtype=np.uint64))
    assert table["count"][table.find(np.array([1], dtype=np.uint64))].tolist() == [42]
    assert (table["count"][table.find(np.arange(2, 10_000, dtype=np.uint64))] == -1).all()


def test_foreign_bytes_and_foreign_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="not a snapshot"):
        unpack(b"something else")
    with pytest.raises(ValueError, match="columns"):
        PeopleTable(COLUMNS).restore(pack({"": np.empty(0, dtype=np.uint64)}))
