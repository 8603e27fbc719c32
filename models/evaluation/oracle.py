"""What `calmverse oracle` left beside a run: the best prediction from what can be seen, joined to our rows.

Read as files, since models know no simulation: `predictions.parquet` (event_id, person, head, probability) and
`oracle.json`, which says how long an exposure had to be answered.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from infra.contracts.errors import BadInput
from models.attention.catalog import LabelSource
from models.attention.heads.lapse import WINDOW_US
from models.training.dataset import Prepared
from models.training.labels import LabelTable, label

FOLDER = "oracle"
COLUMNS = ("event_id", "person", "head", "probability")
_MINUTE_US = 60_000_000
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Observable:
    """probability (n, H): the oracle's prediction of each row, NaN where it has none; `notes`: why a head has none."""

    probability: Doubles
    notes: dict[str, str]


def observable(prepared: Prepared, run: Path) -> Observable:
    """The oracle's predictions for the rows of `prepared`, head by head, where they are about the same labels.

    A head whose labels the oracle defines otherwise has NaN only, and a note. Raises BadInput for damaged files.
    """
    heads = prepared.dataset.heads
    probability = np.full(prepared.dataset.value.shape, np.nan)
    if not (run / FOLDER / "predictions.parquet").is_file():
        note = f"no oracle predictions in {run / FOLDER}: calmverse oracle --run {run} makes them"
        return Observable(probability, dict.fromkeys(heads, note))
    about, table = _read(run / FOLDER)
    if about.get("horizon_min") is None:
        note = (
            f"{run / FOLDER / 'oracle.json'} does not say what the oracle predicts: calmverse oracle --run {run} again"
        )
        return Observable(probability, dict.fromkeys(heads, note))
    horizon_us = round(float(about["horizon_min"]) * _MINUTE_US)
    theirs = label(replace(prepared.source, horizon_us=horizon_us), heads)
    notes = {}
    for index, head in enumerate(heads):
        joined = join(prepared.source, table, head)
        note = _disagreement(prepared, theirs, index, ~np.isnan(joined), horizon_us)
        if note:
            notes[head] = note
        else:
            probability[:, index] = np.where(theirs.known[:, index], joined, np.nan)
    return Observable(probability, notes)


def join(source: LabelSource, table: pa.Table, head: str) -> Doubles:
    """(n,) the prediction for each event of `source`, by event_id and person; NaN where there is none."""
    own = table.filter(pc.equal(table["head"], head))
    event_id, person = (own[name].to_numpy().astype(np.uint64) for name in ("event_id", "person"))
    probability = own["probability"].to_numpy().astype(np.float64)
    found = np.full(len(source.events["event_id"]), np.nan)
    if not len(event_id):
        return found
    order = np.argsort(event_id, kind="stable")
    at = order[np.minimum(np.searchsorted(event_id, source.events["event_id"], sorter=order), len(order) - 1)]
    same = (event_id[at] == source.events["event_id"]) & (person[at] == source.events["person"])
    found[same] = probability[at[same]]
    return found


def _disagreement(
    prepared: Prepared, theirs: LabelTable, head: int, predicted: npt.NDArray[np.bool_], horizon_us: int
) -> str:
    """Why the oracle's predictions cannot be held against ours; empty where labels agree on every row of both."""
    ours, name = prepared.dataset, prepared.dataset.heads[head]
    if name == "lapse" and horizon_us != WINDOW_US:
        return f"the oracle looks {horizon_us / _MINUTE_US:g} min ahead, the labels {WINDOW_US / _MINUTE_US:g}"
    both = predicted & ours.known[:, head] & theirs.known[:, head]
    if not both.any():
        return "the oracle has looked at none of these people: calmverse oracle --people N with more of them"
    other = int((ours.value[both, head] != theirs.value[both, head]).sum())
    if not other:
        return ""
    minutes = f"{horizon_us / _MINUTE_US:g}"
    return (
        f"the oracle predicts what happens within {minutes} min, the model was trained on another horizon, and "
        f"{other:,} of {int(both.sum()):,} labels differ: calmverse train --set horizon_min={minutes}"
    )


def _read(folder: Path) -> tuple[dict[str, Any], pa.Table]:
    try:
        about: dict[str, Any] = json.loads((folder / "oracle.json").read_text())
        table = pq.read_table(folder / "predictions.parquet")
    except (OSError, ValueError, pa.ArrowException) as error:
        raise BadInput(f"the oracle's results in {folder} cannot be read ({error}): calmverse oracle again") from error
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing and table.num_rows:
        raise BadInput(f"{folder / 'predictions.parquet'} has no column '{missing[0]}': calmverse oracle again")
    if missing:
        columns = {"event_id": pa.uint64(), "person": pa.uint64(), "head": pa.string(), "probability": pa.float64()}
        table = pa.schema(columns).empty_table()
    return about, table
