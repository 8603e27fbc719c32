"""The receiver's process: when each score and each decision arrived."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from infra.bus.consumer import FrameConsumer
from infra.bus.messages import Received, Undecodable
from infra.bus.options import use_security
from infra.contracts.frames import Frame, TickEnd, decode, encode
from infra.contracts.records import record_of
from infra.contracts.time import wall_us
from infra.contracts.topics import PARTITIONS, Topics
from load_tests.executions import child, logs

ROW_IDS = {"scores": "event_id", "decisions": "decision_id"}
"""The streams that are read, and what identifies a row of each."""

_POLL_S = 0.1


class Ledger:
    """Notes what arrives. A frame written again after a restart (same source, tick, id) is dropped, as readers do."""

    def __init__(self) -> None:
        self.pages = {stream: logs.ArrivedPages() for stream in ROW_IDS}
        self.repeated_frames = 0
        self.undecodable = 0
        self.model_versions: set[str] = set()
        self._closed: dict[tuple[str, int], int] = {}
        self._seen: set[tuple[str, int, str, int, str]] = set()
        self._recent: list[tuple[int, float]] = []

    def note(self, received: Iterable[Received], now_us: int) -> None:
        """Take records that were read at `now_us` (µs wall)."""
        for each in received:
            if isinstance(each.item, Undecodable):
                self.undecodable += 1
            elif isinstance(each.item, TickEnd):
                self._closed[each.item.stream, each.partition] = each.item.tick
            elif isinstance(each.item, Frame):
                self._note_frame(each.topic, each.partition, each.item, now_us)

    def _note_frame(self, topic: str, partition: int, frame: Frame, now_us: int) -> None:
        key = (topic, partition, frame.source, frame.tick, frame.frame_id)
        if key in self._seen:
            self.repeated_frames += 1
            return
        self._seen.add(key)
        intended = _column(frame.batch, "intended_at")
        self.pages[frame.stream].add(_column(frame.batch, ROW_IDS[frame.stream]), intended, now_us)
        if frame.stream == "scores" and len(intended):
            self.model_versions.add(frame.attributes.get("model_version", ""))
            self._recent.append((now_us, (now_us - int(intended.min())) / 1000))

    def worst_recent_ms(self, now_us: int) -> float | None:
        """The longest latency of the scores that arrived in the last second, ms."""
        self._recent = [(at, worst) for at, worst in self._recent if at > now_us - 1_000_000]
        return max((worst for _, worst in self._recent), default=None)

    def closed_tick(self, stream: str) -> int | None:
        """The last tick that is over in every partition of a stream; None before the first."""
        ticks = [self._closed.get((stream, partition)) for partition in range(PARTITIONS)]
        known = [tick for tick in ticks if tick is not None]
        return min(known) if len(known) == PARTITIONS else None

    def counts(self) -> dict[str, Any]:
        """What the parent is told."""
        return {
            "scored": self.pages["scores"].rows,
            "decided": self.pages["decisions"].rows,
            "repeated_frames": self.repeated_frames,
            "undecodable": self.undecodable,
            "decisions_closed": self.closed_tick("decisions"),
            "model_versions": sorted(self.model_versions),
        }


def work(config: dict[str, Any], orders: child.Orders, reports: child.Reports) -> None:
    """Read until told to stop, then write the logs."""
    topics, ledger = Topics(config["namespace"]), Ledger()
    inputs = [(topics.of(stream), partition) for stream in ROW_IDS for partition in range(PARTITIONS)]
    use_security(config["bootstrap"], config.get("security"))
    consumer = FrameConsumer(
        config["bootstrap"],
        client_id="load-receiver",
        fetch_max_wait_ms=config["fetch_wait_ms"],
        committed_only=config.get("committed_only", False),
    )
    with consumer:
        consumer.assign(dict.fromkeys(inputs, 0))
        _warm_up()
        reports.now(ready=True)
        try:
            while not orders.stopped.is_set():
                received = consumer.poll(_POLL_S)
                ledger.note(received, wall_us())
                if reports.due():
                    reports.now(**ledger.counts(), worst_ms=ledger.worst_recent_ms(wall_us()))
        finally:
            logs.save(Path(config["log"]), {stream: pages.log() for stream, pages in ledger.pages.items()})
    reports.now(**ledger.counts(), done=True)


def _warm_up() -> None:
    """Read a row of each stream: the first NumPy view of an Arrow column imports pandas, which would cost seconds."""
    for stream in ROW_IDS:
        batch = pa.RecordBatch.from_pylist([], schema=record_of(stream).arrow)
        decoded = decode(*encode(Frame(stream=stream, tick=0, source="warm-up", batch=batch))[0])
        if isinstance(decoded, Frame):
            _column(decoded.batch, "intended_at")


def _column(batch: pa.RecordBatch, name: str) -> np.ndarray[Any, Any]:
    values: np.ndarray[Any, Any] = batch.column(name).to_numpy()
    return values


if __name__ == "__main__":
    sys.exit(child.run(work))
