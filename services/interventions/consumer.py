"""The loop of interventions: one lane over all partitions of scores and events, so that a tick is decided as one."""

import threading
from dataclasses import dataclass

from infra.bus.broker import Capabilities
from infra.bus.lanes import Lane, LaneConfig, LaneHooks
from infra.bus.snapshots import SnapshotStore
from infra.contracts.topics import PARTITIONS, Topics
from infra.settings import Settings
from infra.telemetry.setup import Telemetry
from services.interventions.handlers import SOURCE, DecideHandler

LANE = "interventions"


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """How the lane runs. `first_tick`: None for any."""

    snapshot_every: int = 60
    first_tick: int | None = None


class DecisionLoop:
    """Runs in the worker thread."""

    def __init__(self, handler: DecideHandler, settings: Settings, config: LoopConfig, telemetry: Telemetry) -> None:
        self._handler, self._settings, self._config, self._telemetry = handler, settings, config, telemetry
        self._working = threading.Event()
        self._blank = handler.snapshot()

    @property
    def ready(self) -> bool:
        """True while the lane is open."""
        return self._working.is_set()

    def run(self, stop: threading.Event) -> None:
        """Decide until `stop` is set; raises what the lane raises, and may then be called again."""
        hooks = LaneHooks(tracer=self._telemetry.tracer)
        self._handler.restore(self._blank)  # the lane begins at a snapshot, or at nothing; not at what a failure left
        with Lane(self._lane_config(), self._handler, SnapshotStore(self._settings.snapshots), hooks) as lane:
            self._working.set()
            try:
                lane.run(stop)
            finally:
                self._working.clear()

    def _lane_config(self) -> LaneConfig:
        settings, topics = self._settings, Topics(self._settings.namespace)
        return LaneConfig(
            name=LANE,
            namespace=settings.namespace,
            source=SOURCE,
            bootstrap=settings.bootstrap,
            inputs=[(topic, number) for topic in (topics.scores, topics.events) for number in range(PARTITIONS)],
            outputs=[
                (topic, number) for topic in (topics.decisions, topics.interventions) for number in range(PARTITIONS)
            ],
            capabilities=Capabilities(transactions=settings.transactions, fetch_wait_ms=settings.fetch_max_wait_ms),
            snapshot_every=self._config.snapshot_every,
            first_tick=self._config.first_tick,
        )
