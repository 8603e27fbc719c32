"""When a file is written, and when a request to have everything on disk is met."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.errors import BadInput
from services.archiver.domain import FlushRule, Waiting, parse_offsets, reached

KNOWN = {("calm.test.events", 0): 0, ("calm.test.events", 1): 0}


@pytest.mark.parametrize(
    ("rows", "oldest", "newest", "due"),
    [
        (0, None, 500, False),
        (9, 100, 100, False),
        (10, 100, 100, True),
        (1, 100, 104, False),
        (1, 100, 105, True),
    ],
)
def test_a_file_is_due_by_rows_or_by_age_and_never_empty(rows: int, oldest: int | None, newest: int, due: bool) -> None:
    assert FlushRule(rows=10, ticks=5).due(rows, oldest, newest) is due


def test_waiting_starts_with_the_first_rows_and_tick_ends_make_it_older() -> None:
    waiting = Waiting()
    waiting.saw(7, has_rows=False)
    assert (waiting.oldest_tick, waiting.newest_tick) == (None, 7)
    waiting.saw(8, has_rows=True)
    waiting.saw(12, has_rows=False)
    waiting.saw(9, has_rows=True)
    assert (waiting.oldest_tick, waiting.newest_tick) == (8, 12)
    waiting.flushed()
    assert waiting.oldest_tick is None


@given(st.dictionaries(st.sampled_from(list(KNOWN)), st.integers(0, 9)), st.integers(0, 9), st.integers(0, 9))
def test_a_request_is_met_when_every_partition_has_been_read_so_far(
    wanted: dict[tuple[str, int], int], first: int, second: int
) -> None:
    positions = dict(zip(KNOWN, (first, second), strict=True))
    assert reached(wanted, positions) == all(positions[where] >= offset for where, offset in wanted.items())


def test_offsets_are_read_as_the_api_takes_them() -> None:
    assert parse_offsets({"calm.test.events/1": 5}, KNOWN) == {("calm.test.events", 1): 5}


@pytest.mark.parametrize("text", ["", "events", "calm.test.events/7", "calm.test.events/x", "calm.other.events/0"])
def test_a_partition_that_is_not_read_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadInput, match="no partition the archiver reads"):
        parse_offsets({text: 1}, KNOWN)
