"""Evidence from a Parquet lake: its rows, each with the offset of the record that it came in."""

from pathlib import Path

import polars as pl

from infra.contracts.errors import BadInput
from infra.contracts.kinds import KIND_BY_NAME
from load_tests.audit.evidence import COLUMNS
from load_tests.audit.from_records import shaped


def lake_rows(lake: Path) -> dict[str, pl.DataFrame]:
    """The rows of every stream in a lake, as `evidence.ROWS` has them, by partition and offset; raises BadInput."""
    found = {}
    for stream in COLUMNS:
        files = sorted((lake / stream).glob("p*/*.parquet"))
        if files:
            found[stream] = _read(stream, files)
    if not found:
        raise BadInput(f"{lake} has no rows: is it the lake of a run?")
    return found


def _read(stream: str, files: list[Path]) -> pl.DataFrame:
    wanted = {name: _expression(path) for name, path in COLUMNS[stream].items()}
    plain = ("partition", "offset", "tick", "source")
    try:
        rows = pl.scan_parquet(files, extra_columns="ignore").select(*plain, **wanted).collect()
    except (OSError, pl.exceptions.PolarsError) as problem:
        raise BadInput(f"the lake's {stream} cannot be read: {str(problem).splitlines()[0]}") from problem
    return shaped(rows).sort("partition", "offset", maintain_order=True)


def _expression(path: str) -> pl.Expr:
    first, *rest = path.split(".")
    column = pl.col(first)
    for name in rest:
        column = column.struct.field(name)
    if path == "kind":
        return column.cast(pl.String).replace_strict(
            {name: int(kind) for name, kind in KIND_BY_NAME.items()}, default=0, return_dtype=pl.UInt16
        )
    return column
