"""A population's warm-up written straight to a lake, in the layout that the archiver writes."""

import numpy as np
import pyarrow as pa

from infra.contracts.frames import Frame
from infra.contracts.identity import partition_of
from infra.contracts.topics import PARTITIONS
from infra.runs import RunDir
from infra.storage.lake import LakeWriter
from services.experiments.inprocess import run_ticks
from simulation.core.model import Metaverse
from simulation.core.output import TickOutput
from simulation.scenarios.model import Scenario

_FLUSH_ROWS = 200_000


class LakeSource:
    """Writes a tick's rows by stream and partition; offsets count frames, as Kafka's would."""

    def __init__(self, folder: RunDir, source: str) -> None:
        self._source = source
        roots = {"events": folder.lake, "outcomes": folder.lake, "truth": folder.truth}
        self._writers = {
            (stream, partition): LakeWriter(root, stream, partition)
            for stream, root in roots.items()
            for partition in range(PARTITIONS)
        }
        self._offsets = dict.fromkeys(self._writers, 0)

    def write(self, output: TickOutput) -> None:
        """Append one tick."""
        batches = {"events": output.events, "outcomes": output.outcomes, "truth": output.truth}
        for stream, batch in batches.items():
            if batch.num_rows:
                self._append(stream, output.tick, batch)

    def close(self) -> None:
        """Bring everything to disk."""
        for writer in self._writers.values():
            writer.flush()

    def _append(self, stream: str, tick: int, batch: pa.RecordBatch) -> None:
        parts = np.asarray(partition_of(batch.column("person").to_numpy()))
        for partition in np.unique(parts).tolist():
            key = (stream, partition)
            rows = batch.take(pa.array(np.flatnonzero(parts == partition)))
            frame_id = f"{stream}/{partition}/{tick}/0"
            frame = Frame(stream=stream, tick=tick, source=self._source, batch=rows, frame_id=frame_id)
            self._writers[key].append(frame, self._offsets[key])
            self._offsets[key] += 1
            if self._writers[key].pending_rows >= _FLUSH_ROWS:
                self._writers[key].flush()


def write_warmup(scenario: Scenario, folder: RunDir) -> None:
    """Simulate the scenario's warm-up with its seed and write it to the folder's lake (truth apart)."""
    lake = LakeSource(folder, "simulation")
    run_ticks(Metaverse(scenario, scenario.seed), scenario.warmup_ticks, lake.write)
    lake.close()
