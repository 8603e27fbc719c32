"""One frame through a broker of our own and back: the shortest proof that the bus works on this machine."""

import contextlib
import time

from infra.bus.admin import create_topics
from infra.bus.bench_events import make_events
from infra.bus.consumer import FrameConsumer
from infra.bus.embedded import EmbeddedBroker
from infra.bus.producer import FrameProducer
from infra.contracts.errors import EnvironmentFailed
from infra.contracts.frames import Frame

_WITHIN_S = 10.0
_TOPIC = "calm.doctor.events"


def echo() -> tuple[str, float]:
    """Version of the broker, and seconds from starting it to the frame's return; raises EnvironmentFailed."""
    batch = make_events(100, 0)
    started = time.perf_counter()
    with contextlib.ExitStack() as stack:
        broker = stack.enter_context(EmbeddedBroker())
        create_topics(broker.bootstrap, [_TOPIC], partitions=1)
        producer = stack.enter_context(FrameProducer(broker.bootstrap, namespace="doctor", client_id="doctor"))
        consumer = stack.enter_context(FrameConsumer(broker.bootstrap, client_id="doctor"))
        consumer.assign({(_TOPIC, 0): 0})
        producer.send(_TOPIC, 0, Frame(stream="events", tick=0, source="doctor", batch=batch))
        received = consumer.poll(_WITHIN_S)
        if not received or not isinstance(received[0].item, Frame) or received[0].item.batch != batch:
            raise EnvironmentFailed(f"a frame sent through {broker.version} did not come back as it was")
        return broker.version, time.perf_counter() - started
