"""The monitor's loop: one lane over all partitions of the events topic, so that a tick is one forward call."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from infra.bus.broker import Capabilities
from infra.bus.consumer import end_offsets
from infra.bus.lanes import Lane, LaneConfig, LaneHooks, Output
from infra.bus.snapshots import SnapshotStore
from infra.bus.ticks import TickBatch
from infra.contracts.topics import PARTITIONS, Topics
from infra.settings import Settings
from infra.telemetry.setup import Telemetry
from services.monitor.domain import Status, lag
from services.monitor.handlers import SOURCE, ScoreHandler

LANE = "monitor"


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """How the lane runs. `silent_before`: see LaneConfig."""

    snapshot_every: int = 120
    silent_before: int = 0


class MonitorLoop:
    """Runs in the worker thread; `status` and `lag` are asked from others."""

    def __init__(self, handler: ScoreHandler, settings: Settings, config: LoopConfig, telemetry: Telemetry) -> None:
        self._handler, self._settings, self._config, self._telemetry = handler, settings, config, telemetry
        self._topics = Topics(settings.namespace)
        self._working = threading.Event()
        self._blank = handler.snapshot()
        self._read: dict[int, int] = {}
        self._dropped: Counter[str] = Counter()

    @property
    def ready(self) -> bool:
        """True while the lane is open."""
        return self._working.is_set()

    def run(self, stop: threading.Event) -> None:
        """Score until `stop` is set; raises what the lane raises, and may then be called again."""
        hooks = LaneHooks(tracer=self._telemetry.tracer, after_tick=self._note)
        self._handler.restore(self._blank)  # the lane begins at a snapshot, or at nothing; not at what a failure left
        with Lane(self._lane_config(), self._handler, SnapshotStore(self._settings.snapshots), hooks) as lane:
            self._lane = lane
            self._working.set()
            try:
                lane.run(stop)
            finally:
                self._working.clear()

    def status(self) -> Status:
        """How scoring goes."""
        return self._handler.status(dict(self._dropped))

    def lag(self) -> int:
        """Records of the events topic that were not worked on yet; asks the broker."""
        ends = end_offsets(self._settings.bootstrap, self._topics.events, client_id=f"{LANE}-lag")
        return lag(ends, dict(self._read))

    def _note(self, batch: TickBatch, _outputs: Sequence[Output]) -> None:
        self._read = {partition: offset for (_, partition), offset in batch.offsets.items()}
        self._dropped = Counter(self._lane.dropped)

    def _lane_config(self) -> LaneConfig:
        settings = self._settings
        return LaneConfig(
            name=LANE,
            namespace=settings.namespace,
            source=SOURCE,
            bootstrap=settings.bootstrap,
            inputs=[(self._topics.events, partition) for partition in range(PARTITIONS)],
            outputs=[(self._topics.scores, partition) for partition in range(PARTITIONS)],
            capabilities=Capabilities(transactions=settings.transactions, fetch_wait_ms=settings.fetch_max_wait_ms),
            snapshot_every=self._config.snapshot_every,
            silent_before=self._config.silent_before,
        )
