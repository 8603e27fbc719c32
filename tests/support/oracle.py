"""Results of an oracle beside a made-up run, as `calmverse oracle` leaves them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

COLUMNS = {"event_id": pa.uint64(), "person": pa.uint64(), "head": pa.string(), "probability": pa.float64()}


def write_oracle(run: Path, rows: Mapping[str, Sequence[Any] | NDArray[Any]], horizon_min: float | None = 10) -> None:
    """`oracle/predictions.parquet` of columns event_id, person, head and probability, and `oracle/oracle.json`."""
    folder = run / "oracle"
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.table({name: pa.array(rows[name], kind) for name, kind in COLUMNS.items()})
    pq.write_table(table, folder / "predictions.parquet")
    about = {} if horizon_min is None else {"horizon_min": horizon_min}
    (folder / "oracle.json").write_text(json.dumps(about))
