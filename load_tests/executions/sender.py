"""The sender's process: the scenario's slices to Kafka, on time, whatever comes back."""

import sys
from pathlib import Path
from typing import Any

from infra.bus.options import use_security
from infra.bus.producer import FrameProducer, TickMark
from infra.contracts.frames import Frame
from infra.contracts.topics import PARTITIONS, Topics
from load_tests.executions import child, logs
from load_tests.executions.pace import WallClock, drive
from load_tests.scenarios.scenario import FIRST_TICK, Slice, make

SOURCE = "load"

_IN_FLIGHT = 4_096
"""Records that may wait for their acknowledgement before the sender waits for the broker (and is late, which shows)."""


class Emitter:
    """Writes slices as frames, and closes each tick in every partition of the streams that a source writes."""

    def __init__(self, producer: FrameProducer, namespace: str) -> None:
        self._producer = producer
        self._topics = Topics(namespace)

    def emit(self, each: Slice) -> None:
        """Hand one slice to the producer, without waiting for the broker."""
        topic, mark = self._topics.events, TickMark(each.tick, SOURCE)
        for partition in range(PARTITIONS):
            batch = each.parts.get(partition)
            if batch is not None:
                frame = Frame(stream="events", tick=each.tick, source=SOURCE, batch=batch)
                self._producer.send(topic, partition, frame)
            self._producer.end_tick(topic, partition, mark)
        for partition in range(PARTITIONS):
            self._producer.end_tick(self._topics.outcomes, partition, mark)


def work(config: dict[str, Any], orders: child.Orders, reports: child.Reports) -> None:
    """Wait for `start`, send the load, flush, write the log. A broker that fails ends it, the log is kept."""
    scenario = make(config["scenario"], config["settings"])
    namespace = config["namespace"]
    use_security(config["bootstrap"], config.get("security"))
    with FrameProducer(
        config["bootstrap"], namespace=namespace, client_id="load-sender", max_in_flight=_IN_FLIGHT
    ) as producer:
        for _ in zip(range(2), scenario.slices(0), strict=False):
            pass  # the first slices cost a hundred times the later ones: first use of NumPy and Arrow
        reports.now(ready=True)
        if not orders.wait_start():
            return

        def progress(sent: int) -> None:
            if reports.due():
                reports.now(sent=sent)

        log = drive(
            scenario.slices(orders.start_us), Emitter(producer, namespace).emit, WallClock(orders.stopped), progress
        )
        logs.save(Path(config["log"]), {"sent": log})
        producer.flush()
        last_tick = FIRST_TICK + len(log.due_us) - 1
        reports.now(sent=len(log.event_id), last_tick=last_tick, done=True)


if __name__ == "__main__":
    sys.exit(child.run(work))
