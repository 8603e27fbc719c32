"""What the lake of a run has to say about a sample of its people, and which offers were shown to anybody."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from infra.contracts.errors import BadInput
from infra.contracts.identity import Pseudonyms
from infra.contracts.kinds import EventKind
from infra.contracts.time import TICK_US
from infra.storage.lake import read_files
from simulation.core.rows import Rows
from simulation.oracle.timeline import EVENT_COLUMNS, OUTCOME_COLUMNS
from simulation.scenarios.loader import load
from simulation.scenarios.model import Scenario

TRUTH_COLUMNS: Final = ("person", "kind", "ref", "probability")
_SHOWN_COLUMNS: Final = ("person", "occurred_at", "practice")


@dataclass(frozen=True, kw_only=True)
class Offers:
    """Offers as they were shown, in the order of ticks: int64 columns of equal length; `number` is internal."""

    tick: NDArray[np.int64]
    number: NDArray[np.int64]
    practice: NDArray[np.int64]
    minutes: NDArray[np.int64]
    command: NDArray[np.int64]

    @classmethod
    def none(cls) -> "Offers":
        """A population left alone."""
        return cls(**{name: np.zeros(0, np.int64) for name in ("tick", "number", "practice", "minutes", "command")})

    def put(self, people: Rows, tick: int) -> None:
        """Put the offers that are shown in this tick on the people."""
        first, last = np.searchsorted(self.tick, [tick, tick + 1])
        rows = self.number[first:last]
        people["offer"][rows] = self.practice[first:last]
        people["offer_minutes"][rows] = self.minutes[first:last]
        people["command"][rows] = self.command[first:last]


def scenario_of(run: Path) -> Scenario:
    """The scenario of a run folder; raises BadInput where there is none."""
    path = run / "scenario.yaml"
    if not path.is_file():
        raise BadInput(f"{run} has no scenario.yaml: give the folder of a run, or --scenario")
    return load(path)


@dataclass(frozen=True)
class Lake:
    """The sampled people's rows of a run's lake, the offers shown to anybody, and where the data ends (µs)."""

    events: pa.Table
    outcomes: pa.Table
    truth: pa.Table
    shown: pa.Table
    end_us: int


def read_lake(run: Path, persons: pa.Array) -> Lake:
    """Read the lake of a run file by file: no more than one is in memory besides what is kept. Raises BadInput."""
    events, shown, end_us = [], [], 0
    for table in _files(run / "lake", "events"):
        end_us = max(end_us, int(pc.max(table["occurred_at"]).as_py() or 0))
        events.append(_of(table, persons).select(EVENT_COLUMNS))
        shown.append(table.filter(pc.equal(table["kind"], int(EventKind.OFFER_SHOWN))).select(_SHOWN_COLUMNS))
    outcomes = [_of(table, persons).select(OUTCOME_COLUMNS) for table in _files(run / "lake", "outcomes")]
    truth = [_of(table, persons).select(TRUTH_COLUMNS) for table in _files(run / "truth", "truth")]
    return Lake(
        events=pa.concat_tables(events),
        outcomes=pa.concat_tables(outcomes),
        truth=pa.concat_tables(truth),
        shown=pa.concat_tables(shown),
        end_us=end_us,
    )


def _files(root: Path, stream: str) -> Iterator[pa.Table]:
    found = False
    for table in read_files(root, stream, codes=True):
        found = True
        yield table
    if not found:
        raise BadInput(f"{root} has no {stream}: give the folder of a run that has got past its warm-up")


def _of(table: pa.Table, persons: pa.Array) -> pa.Table:
    return table.filter(pc.is_in(table["person"], persons))


def offers_of(shown: pa.Table, pseudonyms: Pseudonyms) -> Offers:
    """The offers behind OFFER_SHOWN rows of the event record."""
    shown = shown.sort_by([("occurred_at", "ascending"), ("person", "ascending")])
    practice = shown["practice"].combine_chunks()
    return Offers(
        tick=shown["occurred_at"].to_numpy() // TICK_US,
        number=pseudonyms.decode(shown["person"].to_numpy()).astype(np.int64),
        practice=_field(practice, "practice").astype(np.int64),
        minutes=np.rint(_field(practice, "minutes")).astype(np.int64),
        command=_field(practice, "command").astype(np.uint64).view(np.int64),
    )


def _field(column: pa.StructArray, name: str) -> NDArray[Any]:
    values: NDArray[Any] = pc.struct_field(column, name).to_numpy(zero_copy_only=False)
    return values
