"""Reading a log of outside events: CSV, JSON lines or Parquet; what cannot be read is kept with its reason.

One record a line in CSV and JSON lines. Reading is linear in rows, and a broken row never stops it.
"""

import csv
import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from infra.contracts.errors import BadInput
from infra.contracts.kinds import KIND_BY_NAME
from infra.contracts.time import parse_us
from models.features.outside_map import KindMap, LogMap

_UNIT_US = {"s": 1_000_000, "ms": 1_000, "us": 1}
_MAX_US = 2**62
_POSSIBLE_ERRORS = (ValueError, TypeError, KeyError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Row:
    """One good row. `acted` is None where the log has no outcome."""

    line: int
    person: str
    time_us: int
    kind: int
    item: int
    acted: bool | None


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """One row that cannot be used: its line (1-based), its bytes, and why."""

    line: int
    raw: bytes
    reason: str


def read_log(path: Path, mapping: LogMap) -> Iterator[Row | BrokenRow]:
    """Every row of the file, in file order. Raises BadInput where the file as a whole cannot be read."""
    readers = {
        ".csv": _csv_rows,
        ".tsv": _csv_rows,
        ".inter": _csv_rows,
        ".jsonl": _json_rows,
        ".parquet": _parquet_rows,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise BadInput(f"{path}: cannot tell the format from {path.suffix!r}: use {', '.join(readers)}")
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file")
    for line, raw, values in reader(path, mapping):
        try:
            if isinstance(values, str):
                raise ValueError(values)  # noqa: TRY004 - the reader's reason, not a wrong type
            yield _row(line, values, mapping)
        except _POSSIBLE_ERRORS as problem:
            yield BrokenRow(line, raw, _reason(problem))


def read_rows(path: Path, mapping: LogMap) -> tuple[list[Row], list[BrokenRow]]:
    """Good rows and broken ones. Raises BadInput where the file as a whole cannot be read, or no row of it is good."""
    good: list[Row] = []
    broken: list[BrokenRow] = []
    for row in read_log(path, mapping):
        if isinstance(row, Row):
            good.append(row)
        else:
            broken.append(row)
    if not good:
        reason = f"the first of {len(broken)} is line {broken[0].line}: {broken[0].reason}" if broken else "it is empty"
        raise BadInput(f"{path}: no row can be used ({reason}): check the file and its map")
    return good, broken


_Raw = tuple[int, bytes, Mapping[str, Any] | str]


def _csv_rows(path: Path, mapping: LogMap) -> Iterator[_Raw]:
    with path.open("rb") as file:
        header_line = file.readline()
        header = _fields(header_line, mapping.delimiter)
        if isinstance(header, str):
            raise BadInput(f"{path}:1: the header cannot be read: {header}")
        _require_columns(path, header, mapping)
        for line, raw in enumerate(file, start=2):
            values = _fields(raw, mapping.delimiter)
            if isinstance(values, list):
                if len(values) != len(header):
                    yield line, raw, f"{len(values)} columns where the header has {len(header)}"
                    continue
                yield line, raw, dict(zip(header, values, strict=True))
            else:
                yield line, raw, values


def _fields(raw: bytes, delimiter: str) -> list[str] | str:
    """Values of one line, or the reason why there are none."""
    try:
        text = raw.decode("utf-8-sig").rstrip("\r\n")
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except (UnicodeDecodeError, csv.Error) as problem:
        return f"not readable as CSV: {problem}"


def _json_rows(path: Path, mapping: LogMap) -> Iterator[_Raw]:
    del mapping
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            try:
                values = json.loads(raw)
            except (ValueError, RecursionError) as problem:
                yield line, raw, f"not JSON: {problem}"
                continue
            yield line, raw, values if isinstance(values, dict) else "not a JSON object"


def _parquet_rows(path: Path, mapping: LogMap) -> Iterator[_Raw]:
    try:
        file = pq.ParquetFile(path)
        _require_columns(path, file.schema_arrow.names, mapping)
        line = 0
        for batch in file.iter_batches(columns=mapping.columns()):
            for values in batch.to_pylist():
                line += 1
                yield line, json.dumps(values, default=str).encode(), values
    except (OSError, pa.ArrowException) as problem:
        raise BadInput(f"{path}: not readable as Parquet: {problem}") from problem


def _require_columns(path: Path, header: list[str], mapping: LogMap) -> None:
    missing = [name for name in mapping.columns() if name not in header]
    if missing:
        raise BadInput(
            f"{path}: no column {missing[0]!r} (it has {', '.join(header[:12])}): name the right ones with --map"
        )


def _row(line: int, values: Mapping[str, Any], mapping: LogMap) -> Row:
    person = str(_value(values, mapping.person))
    return Row(
        line=line,
        person=person,
        time_us=_time(_value(values, mapping.time), mapping.time_unit),
        kind=_kind(values, mapping),
        item=_item(values, mapping),
        acted=_acted(values, mapping),
    )


def _value(values: Mapping[str, Any], column: str) -> Any:  # noqa: ANN401 - a cell of any type
    value = values.get(column)
    if value is None or value == "":
        raise ValueError(f"{column} is empty")
    return value


def _time(value: Any, unit: str) -> int:  # noqa: ANN401 - a cell of any type
    if hasattr(value, "timestamp"):
        value, unit = value.isoformat(), "iso"
    if unit == "iso":
        return parse_us(str(value))
    number = float(value)
    if not math.isfinite(number) or not 0 <= number * _UNIT_US[unit] < _MAX_US:
        raise ValueError(f"time {value!r} is out of range")
    exact = int(value) if isinstance(value, int) else None
    return exact * _UNIT_US[unit] if exact is not None else round(number * _UNIT_US[unit])


def _kind(values: Mapping[str, Any], mapping: LogMap) -> int:
    if isinstance(mapping.kind, KindMap):
        text = str(_value(values, mapping.kind.column))
        if text not in mapping.kind.values:
            raise ValueError(f"{mapping.kind.column} is {text!r}, which the map does not name")
        return int(KIND_BY_NAME[mapping.kind.values[text]])
    return int(KIND_BY_NAME[mapping.kind])


def _item(values: Mapping[str, Any], mapping: LogMap) -> int:
    if mapping.item is None:
        return 0
    text = str(_value(values, mapping.item))
    if text.isdigit() and int(text) < 2**32:
        return int(text)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "little")


def _acted(values: Mapping[str, Any], mapping: LogMap) -> bool | None:
    outcome = mapping.outcome
    if outcome is None:
        return None
    value = _value(values, outcome.column)
    if outcome.at_least is None:
        return str(value) == outcome.equals
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{outcome.column} is {value!r}")
    return number >= outcome.at_least


def _reason(problem: Exception) -> str:
    text = str(problem) or type(problem).__name__
    return text[:300]
