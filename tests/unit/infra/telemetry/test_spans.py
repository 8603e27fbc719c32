"""The flat table of spans: every span once, typed columns, broken files named."""

from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import SpanKind

from infra.contracts.errors import BadInput
from infra.telemetry import names
from infra.telemetry.setup import Telemetry
from infra.telemetry.spans import COLUMN_OF, SCHEMA, read_spans, read_totals, write_parquet
from tests.unit.infra.telemetry.builders import SECOND, STEP, Run

TEXT_ATTRIBUTES = sorted(name for name, kind in names.ATTRIBUTE_TYPES.items() if kind is str)
NUMBER_ATTRIBUTES = sorted(name for name, kind in names.ATTRIBUTE_TYPES.items() if kind is int)


def test_a_span_becomes_one_row_with_its_times_parent_and_links(tmp_path: Path) -> None:
    run = Run(tmp_path)
    cause = run.events()
    process = run.span("process events", 3, kind=SpanKind.CONSUMER, links=(cause,))
    sent = run.span("send scores", 3, kind=SpanKind.PRODUCER, parent=process)
    run.telemetry.close()
    spans = read_spans(tmp_path)
    assert spans.schema == SCHEMA
    row = spans.row(by_predicate=pl.col("name") == "process events", named=True)
    assert row["links"] == [{"trace_id": f"{cause.trace_id:032x}", "span_id": f"{cause.span_id:016x}"}]
    assert (row["parent_id"], row["kind"], row["service"], row["status"]) == (None, "consumer", "test", "unset")
    assert row["start_us"] == (SECOND + 3 * STEP) // 1000
    assert row["duration_ms"] == STEP / 1e6
    child = spans.row(by_predicate=pl.col("span_id") == f"{sent.span_id:016x}", named=True)
    assert child["parent_id"] == f"{process.span_id:016x}"


@given(
    texts=st.dictionaries(st.sampled_from(TEXT_ATTRIBUTES), st.text(st.characters(codec="utf-8"))),
    numbers=st.dictionaries(st.sampled_from(NUMBER_ATTRIBUTES), st.integers(-(2**63), 2**63 - 1)),
)
def test_named_attributes_are_columns_and_absent_ones_are_null(
    tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str], numbers: dict[str, int]
) -> None:
    directory = tmp_path_factory.mktemp("spans")
    attributes: dict[str, str | int] = {**texts, **numbers}
    with Telemetry("test", directory) as telemetry:
        telemetry.tracer.start_span("one", attributes=attributes).end()
    row = read_spans(directory).row(0, named=True)
    assert {name: row[column] for name, column in COLUMN_OF.items()} == {
        name: attributes.get(name) for name in names.ATTRIBUTE_TYPES
    }


def test_no_spans_is_an_empty_table_with_all_columns(tmp_path: Path) -> None:
    spans = read_spans(tmp_path)
    assert spans.height == 0
    assert spans.schema == SCHEMA


def test_a_torn_last_line_of_a_killed_process_is_left_out_and_its_file_named(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.events()
    run.telemetry.close()
    (path,) = tmp_path.glob("test-*.jsonl")
    (tmp_path / "killed-1.jsonl").write_bytes(path.read_bytes() + path.read_bytes()[:50])
    assert read_spans(tmp_path).height == 2
    assert read_totals(tmp_path).unclosed == ("killed-1.jsonl",)


def test_a_broken_line_is_named_with_file_and_number(tmp_path: Path) -> None:
    (tmp_path / "bad-1.jsonl").write_text('{"resourceSpans": []}\nno json\n')
    with pytest.raises(BadInput, match=r"bad-1\.jsonl:2 is not OTLP JSON"):
        read_spans(tmp_path)


def test_the_parquet_file_is_the_same_table_for_duckdb(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.loop()
    run.telemetry.close()
    spans = read_spans(tmp_path)
    path = write_parquet(spans, tmp_path)
    assert pl.read_parquet(path).equals(spans)
    with duckdb.connect() as database:
        rows = database.execute(f"SELECT name, len(links) FROM '{path}' ORDER BY start_us, span_id").fetchall()  # noqa: S608 - our own path
    assert rows == [(name, len(links)) for name, links in spans.select("name", "links").iter_rows()]


def test_sixty_thousand_spans_are_read_within_seconds(tmp_path: Path) -> None:
    with Telemetry("test", tmp_path) as telemetry:
        for tick in range(200):
            telemetry.tracer.start_span("send events", attributes={names.CALM_TICK: tick}).end()
    (path,) = tmp_path.glob("*.jsonl")
    path.write_bytes(path.read_bytes() * 300)
    assert read_spans(tmp_path).height == 60_000
