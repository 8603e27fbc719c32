"""A stand-in for `calmverse up`: a real process with a real broker, and one thread that answers every event frame.

The policy's name says how it behaves:
    echo     scores every event, decides once for each event
    slow     the same, after waiting 0.3 s once
    forgets  leaves out the scores of every tenth frame
    repeats  writes every score twice, the second time under another frame id
    zombie   writes every score twice, equal, as a restarted lane does
    refuses  says why it cannot start, exit code 2
    breaks   the same, exit code 3
    dies     ends, with no word, when it gets SIGUSR1
    hangs    never becomes ready
    orphans  leaves two child processes behind, of which live.json names one
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from infra.bus.admin import create_topics
from infra.bus.consumer import FrameConsumer
from infra.bus.embedded import EmbeddedBroker
from infra.bus.producer import FrameProducer, TickMark
from infra.contracts.decisions import DECISION
from infra.contracts.events import EVENT
from infra.contracts.frames import Frame, TickEnd
from infra.contracts.records import SCORE
from infra.contracts.topics import PARTITIONS, Topics

SOURCE = "stand-in"
NAP_S = 0.3


def scores_of(events: pa.RecordBatch) -> pa.RecordBatch:
    shared = ["event_id", "person", "seq", "occurred_at", "intended_at"]
    half = pa.array(np.full(events.num_rows, 0.5, dtype=np.float32))
    return pa.RecordBatch.from_arrays([*(events.column(name) for name in shared), half, half], schema=SCORE.arrow)


def decisions_of(events: pa.RecordBatch) -> pa.RecordBatch:
    columns = {"decision_id": events.column("event_id"), "context_event": events.column("event_id")}
    arrays = []
    for field in DECISION.arrow:
        if field.name in columns or field.name in events.schema.names:
            arrays.append(columns[field.name] if field.name in columns else events.column(field.name))
        elif pa.types.is_string(field.type):
            arrays.append(pa.array([""] * events.num_rows))
        else:
            arrays.append(pa.array(np.zeros(events.num_rows, dtype=field.type.to_pandas_dtype())))
    return pa.RecordBatch.from_arrays(arrays, schema=DECISION.arrow)


class Echo:
    """Answers event frames."""

    def __init__(self, bootstrap: str, namespace: str, behaviour: str) -> None:
        self.topics = Topics(namespace)
        self.behaviour = behaviour
        self.consumer = FrameConsumer(bootstrap, client_id="echo")
        self.consumer.assign({(self.topics.events, partition): 0 for partition in range(PARTITIONS)})
        self.producer = FrameProducer(bootstrap, namespace=namespace, client_id="echo", max_in_flight=1_000)
        self.frames = 0
        nothing = pa.RecordBatch.from_pylist([], schema=EVENT.arrow)
        scores_of(nothing), decisions_of(nothing)  # their first use imports pandas, which takes seconds

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            for received in self.consumer.poll(0.1):
                if isinstance(received.item, Frame):
                    self.frames += 1
                    self.answer(received.partition, received.item, stop)
                elif isinstance(received.item, TickEnd):
                    mark = TickMark(received.item.tick, SOURCE)
                    self.producer.end_tick(self.topics.decisions, received.partition, mark)
        self.consumer.close()
        self.producer.close()

    def answer(self, partition: int, events: Frame, stop: threading.Event) -> None:
        if self.behaviour == "slow" and self.frames == 80:
            stop.wait(NAP_S)
        if not (self.behaviour == "forgets" and self.frames % 10 == 0):
            self.write_scores(partition, events)
        decisions = Frame(stream="decisions", tick=events.tick, source=SOURCE, batch=decisions_of(events.batch))
        self.producer.send(self.topics.decisions, partition, decisions)

    def write_scores(self, partition: int, events: Frame) -> None:
        name = f"scores/{partition}/{self.frames}"
        frame = Frame(stream="scores", tick=events.tick, source=SOURCE, batch=scores_of(events.batch), frame_id=name)
        self.producer.send(self.topics.scores, partition, frame)
        if self.behaviour == "zombie":
            self.producer.send(self.topics.scores, partition, frame)
        if self.behaviour == "repeats":
            self.producer.send(self.topics.scores, partition, replace(frame, frame_id=name + "-again"))


def write_live(arguments: argparse.Namespace, bootstrap: str, pids: dict[str, int]) -> None:
    live = {
        "bootstrap": bootstrap,
        "namespace": arguments.namespace,
        "pid": os.getpid(),
        "pids": pids,
        "services": {},
        "fetch_wait_ms": 5,
        "model_version": "stand-in",
        "policy": arguments.policy,
    }
    scratch = arguments.run_dir / "live.tmp"
    scratch.write_text(json.dumps(live))
    scratch.replace(arguments.run_dir / "live.json")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path)
    parser.add_argument("--namespace")
    parser.add_argument("--policy")
    parser.add_argument("--model")
    arguments = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if arguments.policy == "dies":
        signal.signal(signal.SIGUSR1, lambda *_: os._exit(7))
    if arguments.policy in ("refuses", "breaks"):
        sys.stderr.write("a line of no interest\nerror: the policy 'refuses' is unknown: choose another\n")
        return 2 if arguments.policy == "refuses" else 3
    with EmbeddedBroker() as broker:
        pids = {"broker": broker.pid}
        create_topics(broker.bootstrap, Topics(arguments.namespace).all())
        if arguments.policy == "orphans":
            nap = [sys.executable, "-c", "import time; time.sleep(300)"]
            pids["named"] = subprocess.Popen(nap).pid
            subprocess.Popen(nap, start_new_session=True)
        echo = Echo(broker.bootstrap, arguments.namespace, arguments.policy)
        if arguments.policy != "hangs":
            write_live(arguments, broker.bootstrap, pids)
        echo.run(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
