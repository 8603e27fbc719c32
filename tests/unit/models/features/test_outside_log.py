"""Outside logs: every good row becomes its events, every bad one is kept with a reason, whatever the format."""

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.errors import BadInput
from infra.contracts.kinds import EventKind
from models.features.outside_events import ROWS_PER_TICK, outside_ticks
from models.features.outside_log import BrokenRow, Row, read_log
from models.features.outside_map import LogMap, OutcomeMap, load_map

MAPPING = LogMap(person="who", time="at", time_unit="s", item="what", outcome=OutcomeMap(column="stars", at_least=4))
GOOD = [{"who": "a", "at": 10, "what": 5, "stars": 4.0}, {"who": "b", "at": 11, "what": 6, "stars": 3.0}]


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["who", "at", "what", "stars"], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "log.parquet"])
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    rows = list(read_log(write(tmp_path / name, GOOD), MAPPING))
    assert [(row.person, row.time_us, row.item, row.acted) for row in rows if isinstance(row, Row)] == [
        ("a", 10_000_000, 5, True),
        ("b", 11_000_000, 6, False),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a,10,5", "3 columns where the header has 4"),
        (",10,5,4", "who is empty"),
        ("a,noon,5,4", "could not convert"),
        ("a,nan,5,4", "out of range"),
        ("a,-4,5,4", "out of range"),
        ("a,1e30,5,4", "out of range"),
        ("a,10,5,", "stars is empty"),
        ("a,10,5,many", "could not convert"),
        ('a,10,"5,4', "CSV"),
        ("", "0 columns"),
    ],
)
def test_a_broken_line_is_kept_with_its_number_and_reason(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"who,at,what,stars\na,10,5,4\n{line}\nb,11,6,3\n")
    first, broken, last = read_log(path, MAPPING)
    assert isinstance(first, Row)
    assert isinstance(last, Row)
    assert isinstance(broken, BrokenRow)
    assert (broken.line, broken.raw) == (3, f"{line}\n".encode())
    assert reason in broken.reason


@given(lines=st.lists(st.binary(max_size=30).filter(lambda raw: b"\n" not in raw), max_size=20))
def test_no_bytes_stop_the_reading(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    for suffix in (".csv", ".jsonl"):
        path = tmp_path_factory.mktemp("logs") / f"log{suffix}"
        path.write_bytes(b"who,at,what,stars\n" + b"".join(line + b"\n" for line in lines))
        found = list(read_log(path, MAPPING))
        assert len(found) == len(lines) + (suffix == ".jsonl")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("log.csv", "who,at,what\n", "no column 'stars'"),
        ("log.xlsx", "", "cannot tell the format"),
        ("log.parquet", "nothing", "not readable as Parquet"),
    ],
)
def test_a_file_that_cannot_be_used_at_all_is_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(BadInput, match=message):
        list(read_log(path, MAPPING))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        list(read_log(tmp_path / "log.csv", MAPPING))


def rows_of(people: list[int], start: int = 0) -> list[Row]:
    return [
        Row(line=n, person=f"p{who}", time_us=(start + n // 3) * 1_000_000, kind=6, item=n, acted=n % 2 == 0)
        for n, who in enumerate(people)
    ]


@given(people=st.lists(st.integers(0, 5), min_size=1, max_size=80), seed=st.integers(0, 99))
def test_people_keep_their_order_and_ordinals_are_gapless(people: list[int], seed: int) -> None:
    rows = rows_of(people)
    shuffled = [rows[index] for index in np.random.default_rng(seed).permutation(len(rows))]
    events = pa.Table.from_batches([tick.events for tick in outside_ticks(shuffled, b"key")]).to_pylist()
    assert len(events) == len(rows) + sum(row.acted is True for row in rows)
    for person in {event["person"] for event in events}:
        own = [event for event in events if event["person"] == person]
        assert [event["seq"] for event in own] == list(range(len(own)))
        assert [event["occurred_at"] for event in own] == sorted(event["occurred_at"] for event in own)
        items = [event["activity"]["item"] for event in own]
        assert items == sorted(items)


def test_a_positive_outcome_is_a_response_to_the_exposure_right_before_it() -> None:
    [tick] = outside_ticks(rows_of([1, 1, 1]), b"key")
    events = tick.events.to_pylist()
    assert [event["kind"] for event in events] == [6, 7, 6, 6, 7]
    for before, after in itertools.pairwise(events):
        if after["kind"] == EventKind.ITEM_ACTED:
            assert after["in_reply_to"] == before["event_id"]
        else:
            assert after["in_reply_to"] == 0
    assert len({event["event_id"] for event in events}) == 5


def test_batches_hold_a_thousand_rows_and_their_numbers_count_up() -> None:
    ticks = list(outside_ticks(rows_of([n % 7 for n in range(2_500)]), b"key"))
    assert [tick.tick for tick in ticks] == [0, 1, 2]
    assert ROWS_PER_TICK == 1_000
    exposures = [sum(event["kind"] == 6 for event in tick.events.to_pylist()) for tick in ticks]
    assert exposures == [1_000, 1_000, 500]


def test_another_key_gives_other_pseudonyms() -> None:
    [one], [other] = (list(outside_ticks(rows_of([1]), key)) for key in (b"one", b"other"))
    assert one.events.column("person")[0] != other.events.column("person")[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing: 1", "known keys"),
        ("time_unit: hours", "time_unit"),
        ("kind: Dreamt", "no kind 'Dreamt'"),
        ("kind: CommentSeen", "payload"),
        ("kind: ItemClicked\noutcome: {column: x, equals: y}", "no exposure"),
        ("outcome: {column: x}", "either at_least or equals"),
        ("[1, 2]", "top level"),
        ("a: [", "not YAML"),
    ],
)
def test_a_map_that_cannot_be_used_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text)
    with pytest.raises(BadInput, match=message):
        load_map(path)


def test_without_a_map_the_plain_names_are_expected() -> None:
    assert load_map(None).columns() == ["person", "time"]
