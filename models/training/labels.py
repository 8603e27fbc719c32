"""Labels of every head, from the events and outcomes of a lake; true probabilities, for evaluation only."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from infra.contracts.kinds import EventKind
from models.attention import catalog
from models.attention.catalog import LabelSource
from models.features.columns import EventColumns
from models.features.vocabulary import kind_names


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """Labels of n events and H heads: value (n, H) float32 as in `catalog.Labels`, known (n, H) bool."""

    heads: tuple[str, ...]
    value: npt.NDArray[np.float32]
    known: npt.NDArray[np.bool_]


def label_source(events: pa.Table, outcomes: pa.Table | None, horizon_us: int | None) -> LabelSource:
    """What heads look at to label `events` (sorted by (person, seq)); `outcomes` None where there are no checks."""
    columns = EventColumns(events)
    flat = {name: columns.integers(name, np.uint64) for name in ("event_id", "person", "in_reply_to")}
    flat["occurred_at"] = columns.integers("occurred_at")
    flat["kind"] = columns.codes("kind", kind_names())
    for name in ("valence", "arousal"):
        value, present = columns.payload("emotion", name)
        flat[name] = np.where(present, value, np.float32(np.nan))
    return LabelSource(
        events=flat,
        checks=_checks(outcomes),
        truth=None,
        horizon_us=horizon_us,
        end_us=int(flat["occurred_at"].max(initial=0)),
    )


def _checks(outcomes: pa.Table | None) -> dict[str, npt.NDArray[np.generic]]:
    """The attention checks, sorted by (person, occurred_at)."""
    names = {"event_id": np.uint64, "person": np.uint64, "occurred_at": np.int64, "passed": np.uint8}
    if outcomes is None or not outcomes.num_rows:
        return {name: np.zeros(0, dtype=dtype) for name, dtype in names.items()}
    columns = EventColumns(outcomes)
    attention = columns.codes("kind", kind_names()) == int(EventKind.ATTENTION_CHECKED)
    flat = {name: columns.integers(name, dtype)[attention] for name, dtype in names.items()}
    order = np.lexsort((flat["event_id"], flat["occurred_at"], flat["person"]))
    return {name: column[order] for name, column in flat.items()}


def label(source: LabelSource, heads: tuple[str, ...]) -> LabelTable:
    """Labels of every event for each of `heads`."""
    parts = [catalog.head(name).labels(source) for name in heads]
    return LabelTable(
        heads=heads,
        value=np.stack([part.value for part in parts], axis=1),
        known=np.stack([part.known for part in parts], axis=1),
    )


def true_probabilities(source: LabelSource, truth: pa.Table, heads: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """(n, H) the probabilities behind the labels, NaN where unknown. `truth`: columns ref and probability."""
    ref = EventColumns(truth).integers("ref", np.uint64)
    probability = truth["probability"].to_numpy()
    order = np.argsort(ref, kind="stable")
    order = order[ref[order] != 0]  # rows of latent state belong to no event
    known = LabelSource(
        events=source.events,
        checks=source.checks,
        truth={"ref": ref[order], "probability": probability[order]},
        horizon_us=source.horizon_us,
        end_us=source.end_us,
    )
    return np.stack([catalog.head(name).truth(known) for name in heads], axis=1)
