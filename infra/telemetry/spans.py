"""The spans of a run as one flat table, read from the OTLP JSON lines that its processes wrote.

Columns: trace_id, span_id, parent_id (null for a root), name, kind, service, status, start_us, end_us (µs UTC),
duration_ms, one column for each attribute of `names.ATTRIBUTE_TYPES` with dots as underscores (null where the
span has none), and links, a list of {trace_id, span_id}.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl
import pyarrow as pa

from infra.contracts.errors import BadInput
from infra.telemetry.names import ATTRIBUTE_TYPES, SERVICE_NAME

KINDS: Final = ("unspecified", "internal", "server", "client", "producer", "consumer")  # OTLP's numbers 0 to 5
STATUSES: Final = ("unset", "ok", "error")
COLUMN_OF: Final[dict[str, str]] = {name: name.replace(".", "_") for name in ATTRIBUTE_TYPES}
SCHEMA: Final = pl.Schema(
    {
        "trace_id": pl.String,
        "span_id": pl.String,
        "parent_id": pl.String,
        "name": pl.String,
        "kind": pl.String,
        "service": pl.String,
        "status": pl.String,
        "start_us": pl.Int64,
        "end_us": pl.Int64,
        "duration_ms": pl.Float64,
        **{COLUMN_OF[name]: pl.Int64 if kind is int else pl.String for name, kind in ATTRIBUTE_TYPES.items()},
        "links": pl.List(pl.Struct({"trace_id": pl.String, "span_id": pl.String})),
    }
)
_DENSE: Final = tuple(name for name in SCHEMA if name not in COLUMN_OF.values() and name != "links")
_SPAN_FILES: Final = "*.jsonl"


@dataclass(frozen=True)
class SpanTotals:
    """What the processes of a run counted themselves."""

    written: int
    dropped: int  # never reached a file
    unsent: int  # in a file, but refused by the OTLP endpoint
    unclosed: tuple[str, ...]  # files whose process ended without closing them: their last spans may be missing


def read_spans(directory: Path) -> pl.DataFrame:
    """Return every span below `directory`, sorted by start; an empty table when there are none.

    A torn last line (a killed process) is left out; any other line that is not OTLP JSON raises BadInput.
    """
    columns = _Columns()
    for path in _span_files(directory):
        for request in _requests(path):
            columns.add_request(request)
    return columns.table().sort("start_us", "span_id")


def read_totals(directory: Path) -> SpanTotals:
    """Return the sums of the counts that each process left beside its spans."""
    counts = [_read_counts(path) for path in sorted(directory.glob("*.counts.json"))]
    closed = {count["file"] for count in counts if count["closed"]}
    return SpanTotals(
        written=sum(count["written"] for count in counts),
        dropped=sum(count["dropped"] for count in counts),
        unsent=sum(count["unsent"] for count in counts),
        unclosed=tuple(path.name for path in _span_files(directory) if path.name not in closed),
    )


def write_parquet(spans: pl.DataFrame, directory: Path) -> Path:
    """Write `spans.parquet` into `directory` for DuckDB and Polars, and return its path."""
    path = directory / "spans.parquet"
    temporary = path.with_suffix(".tmp")
    spans.write_parquet(temporary, compression="zstd")
    return temporary.replace(path)


def _span_files(directory: Path) -> list[Path]:
    return sorted(directory.glob(_SPAN_FILES))


def _read_counts(path: Path) -> dict[str, Any]:
    try:
        counts: dict[str, Any] = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise BadInput(f"{path} is not JSON ({error}): delete it, or run again") from error
    return counts


def _requests(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the requests of one file, one a line."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.endswith(b"\n"):
                return  # the process was killed while it wrote
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise BadInput(f"{path}:{number} is not OTLP JSON ({error}): delete the line, or run again") from error


class _Columns:
    """The table while it grows. Attributes are sparse: 60,000 spans carry a few of two dozen each."""

    def __init__(self) -> None:
        self._dense: dict[str, list[Any]] = {name: [] for name in _DENSE}
        self._sparse: dict[str, dict[int, int | str]] = {name: {} for name in ATTRIBUTE_TYPES}
        self._linked_traces: list[str] = []
        self._linked_spans: list[str] = []
        self._link_ends: list[int] = [0]
        self._rows = 0

    def add_request(self, request: dict[str, Any]) -> None:
        """Add every span of one OTLP request."""
        for resource_spans in request.get("resourceSpans", ()):
            resource = resource_spans.get("resource", {}).get("attributes", ())
            names = (each["value"].get("stringValue", "") for each in resource if each["key"] == SERVICE_NAME)
            service = next(names, "")
            for scope_spans in resource_spans.get("scopeSpans", ()):
                for span in scope_spans.get("spans", ()):
                    self._add(span, service)

    def table(self) -> pl.DataFrame:
        """Return everything added, in the order of SCHEMA."""
        columns: dict[str, Any] = {**self._dense, "links": self._links()}
        for name, values in self._sparse.items():
            filled: list[int | str | None] = [None] * self._rows
            for row, value in values.items():
                filled[row] = value
            columns[COLUMN_OF[name]] = filled
        return pl.DataFrame({name: columns[name] for name in SCHEMA}, schema=SCHEMA)

    def _links(self) -> pl.Series:
        """Return the links as a list column. Through Arrow: from Python lists it takes half of the whole reading."""
        linked = pa.StructArray.from_arrays(
            [pa.array(self._linked_traces, pa.string()), pa.array(self._linked_spans, pa.string())],
            ["trace_id", "span_id"],
        )
        lists = pa.ListArray.from_arrays(pa.array(self._link_ends, pa.int32()), linked)
        return pl.Series("links", lists, dtype=SCHEMA["links"])

    def _add(self, span: dict[str, Any], service: str) -> None:
        start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        dense = self._dense
        dense["trace_id"].append(span["traceId"])
        dense["span_id"].append(span["spanId"])
        dense["parent_id"].append(span.get("parentSpanId") or None)
        dense["name"].append(span["name"])
        dense["kind"].append(KINDS[span.get("kind", 0)])
        dense["service"].append(service)
        dense["status"].append(STATUSES[span.get("status", {}).get("code", 0)])
        dense["start_us"].append(start // 1000)
        dense["end_us"].append(end // 1000)
        dense["duration_ms"].append((end - start) / 1e6)
        for link in span.get("links", ()):
            self._linked_traces.append(link["traceId"])
            self._linked_spans.append(link["spanId"])
        self._link_ends.append(len(self._linked_spans))
        self._add_attributes(span.get("attributes", ()))
        self._rows += 1

    def _add_attributes(self, attributes: Iterable[dict[str, Any]]) -> None:
        for each in attributes:
            values = self._sparse.get(each["key"])
            value = None if values is None else _scalar(each["value"], ATTRIBUTE_TYPES[each["key"]])
            if values is not None and value is not None:
                values[self._rows] = value


def _scalar(value: dict[str, Any], kind: type[int] | type[str]) -> int | str | None:
    """Return an OTLP value as the column's type; None when it is of another type."""
    if kind is int:
        number = value.get("intValue")
        return None if number is None else int(number)
    text = value.get("stringValue")
    return None if text is None else str(text)
