"""The monitor and interventions as processes on a real broker: events in, scores, decisions and orders out."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from infra.bus.admin import create_topics
from infra.bus.consumer import FrameConsumer
from infra.bus.embedded import EmbeddedBroker
from infra.bus.producer import FrameProducer, TickMark
from infra.bus.ticks import TickBatch, TickGate
from infra.contracts.batches import by_partition
from infra.contracts.digest import Digest
from infra.contracts.frames import Frame
from infra.contracts.topics import PARTITIONS, Topics
from infra.settings import Settings
from models.attention.checkpoint import save
from models.attention.model import AttentionConfig, AttentionModel
from tests.support.activity import Crowd
from tests.support.hosted import HostedService, eventually, settings_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

FIRST, WARM, TICKS = 100, 5, 30
SERVICE = "the-service"
RULES = {"quiet_start_hour": 0, "quiet_end_hour": 0, "cool_down_minutes": 5, "daily_cap": 3}


class Loop:
    """A source, and a reader of what comes out of the loop, tick by tick."""

    def __init__(self, bootstrap: str, namespace: str) -> None:
        self.topics = Topics(namespace)
        create_topics(bootstrap, self.topics.all())
        self._crowd = Crowd(50, seed=6)
        self._producer = FrameProducer(bootstrap, namespace=namespace, client_id="source")
        self._streams = (self.topics.scores, self.topics.decisions, self.topics.interventions)
        inputs = [(topic, partition) for topic in self._streams for partition in range(PARTITIONS)]
        self._gate = TickGate(inputs)
        self._consumer = FrameConsumer(bootstrap, client_id="reader")
        self._consumer.assign(dict.fromkeys(inputs, 0))
        self.events: list[pa.RecordBatch] = []
        self.results: list[TickBatch] = []

    def publish(self, tick: int) -> None:
        events = self._crowd.tick(tick)
        self.events.append(events)
        for partition, rows in by_partition(events).items():
            self._producer.send(
                self.topics.events, partition, Frame(stream="events", tick=tick, source="source", batch=rows)
            )
        for partition in range(PARTITIONS):
            self._producer.end_tick(self.topics.events, partition, TickMark(tick, "source", ()))

    def wait_for(self, tick: int) -> None:
        if tick < FIRST + WARM:  # the warm-up only builds state
            return
        eventually(lambda: self._has(tick), f"tick {tick} coming through the loop")

    def _has(self, tick: int) -> bool:
        for received in self._consumer.poll(0.1):
            self._gate.offer(received)
        self.results.extend(self._gate.release())
        return bool(self.results) and self.results[-1].tick >= tick

    def rows(self, stream: str) -> pa.Table:
        batches = [frame.batch for batch in self.results for frame in batch.of(stream)]
        return pa.Table.from_batches(batches)

    def digest(self) -> str:
        digest = Digest()
        for batch in self.results:
            for frame in batch.of("decisions"):
                digest.add_decisions(frame.batch)
        return digest.hexdigest()

    def close(self) -> None:
        self._producer.close()
        self._consumer.close()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    directory = tmp_path_factory.mktemp("checkpoint")
    save(directory, AttentionModel(AttentionConfig(d_model=8, heads=2, window=4, hidden=8)), {})
    return directory


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


def configured(settings: Settings, name: str, config: dict[str, object]) -> Settings:
    path = settings.run_dir / f"{name}.json"
    path.write_text(json.dumps(config))
    return replace(settings, config_file=path, api_token=SERVICE)


Services = Callable[[str], tuple[HostedService, HostedService, Loop]]


@pytest.fixture
def services(broker: EmbeddedBroker, checkpoint: Path, tmp_path: Path) -> Iterator[Services]:
    opened: list[HostedService | Loop] = []

    def start(namespace: str) -> tuple[HostedService, HostedService, Loop]:
        settings = replace(settings_for(tmp_path / namespace, broker.bootstrap, namespace), patience_s=120)
        settings.run_dir.mkdir()
        loop = Loop(broker.bootstrap, namespace)
        scoring = {"checkpoint_dir": str(checkpoint), "score_from_tick": FIRST + WARM, "snapshot_every": 7}
        policy = {"name": "threshold", "parameters": {"threshold": 0.5, "epsilon": 0.1}}
        deciding: dict[str, object] = {"seed": 5, "policy": policy, "rules": RULES, "snapshot_every": 9}
        deciding["first_tick"] = FIRST + WARM
        monitor = HostedService("services.monitor.main", configured(settings, "monitor", dict(scoring)))
        interventions = HostedService("services.interventions.main", configured(settings, "interventions", deciding))
        opened.extend([monitor, interventions, loop])
        return monitor.wait_ready(), interventions.wait_ready(), loop

    yield start
    for each in opened:
        if isinstance(each, Loop):
            each.close()
        else:
            each.__exit__(None, None, None)


def test_every_event_is_scored_once_and_everyone_in_session_decided_about(services: Services) -> None:
    monitor, interventions, loop = services("whole")
    for tick in range(FIRST, FIRST + TICKS):
        loop.publish(tick)
        loop.wait_for(tick)
    scored = pa.Table.from_batches(loop.events[WARM:])
    assert sorted(loop.rows("scores").column("event_id").to_pylist()) == sorted(scored.column("event_id").to_pylist())
    decisions, commands = loop.rows("decisions"), loop.rows("interventions")
    points = {
        (tick, person)
        for tick, events in enumerate(loop.events[WARM:], FIRST + WARM)
        for person in events.column("person").to_pylist()
    }
    decided = zip(decisions.column("tick").to_pylist(), decisions.column("person").to_pylist(), strict=True)
    assert sorted(decided) == sorted(points)
    offered = np.count_nonzero(decisions.column("action").to_numpy())
    assert commands.num_rows == offered > 0

    def status() -> dict[str, int]:
        answer: dict[str, int] = monitor.client.get(monitor.url("/status")).json()
        return answer

    # What a tick leads to may be read before the monitor has noted that the tick is done.
    eventually(lambda: status()["lag"] == 0, "the monitor having nothing left")
    assert (status()["tick"], status()["events_scored"]) == (FIRST + TICKS - 1, scored.num_rows)
    person = decisions.column("person")[0].as_py()
    path = interventions.url(f"/people/{person}/decisions")
    assert interventions.client.get(path).status_code == 401
    answer = interventions.client.get(path, headers={"Authorization": "Bearer the-service"}).json()
    assert len(answer["decisions"]) == decisions.column("person").to_pylist().count(person)
    assert monitor.stop() == interventions.stop() == 0


def test_killing_either_service_changes_no_score_and_no_decision(services: Services) -> None:
    _, _, calm = services("calm-run")
    monitor, interventions, rough = services("rough-run")
    for tick in range(FIRST, FIRST + TICKS):
        calm.publish(tick)
        rough.publish(tick)
        if tick == FIRST + 12:
            monitor.kill()
            monitor.restart()
        if tick == FIRST + 25:
            interventions.kill()
            interventions.restart()
        calm.wait_for(tick)
        rough.wait_for(tick)
    assert rough.rows("scores").sort_by("event_id").column("lapse").to_pylist() == (
        calm.rows("scores").sort_by("event_id").column("lapse").to_pylist()
    )
    assert rough.digest() == calm.digest()


def is_ready(service: HostedService) -> bool:
    status: int = service.client.get(service.url("/readyz")).status_code
    return status == 200


def test_a_broker_that_is_away_for_a_while_changes_no_score_and_no_decision(
    services: Services, broker: EmbeddedBroker
) -> None:
    _, _, calm = services("calm-away")
    *both, rough = services("rough-away")
    processes = [service.process.pid for service in both]
    for tick in range(FIRST, FIRST + TICKS):
        calm.publish(tick)
        rough.publish(tick)
        calm.wait_for(tick)
        rough.wait_for(tick)
        if tick == FIRST + 14:
            (frozen,) = broker.pids.values()
            os.kill(frozen, signal.SIGSTOP)
            try:
                eventually(lambda: not any(map(is_ready, both)), "both services giving their connection up")
            finally:
                os.kill(frozen, signal.SIGCONT)
            for service in both:
                service.wait_ready()
    assert rough.rows("scores").sort_by("event_id").column("lapse").to_pylist() == (
        calm.rows("scores").sort_by("event_id").column("lapse").to_pylist()
    )
    assert rough.digest() == calm.digest()
    assert [service.process.pid for service in both] == processes


def test_a_policy_put_in_force_is_recorded_and_survives_a_kill(services: Services) -> None:
    _, interventions, loop = services("switch")
    for tick in range(FIRST, FIRST + 12):
        loop.publish(tick)
    loop.wait_for(FIRST + 11)
    web, headers = interventions.client, {"Authorization": "Bearer the-service"}
    url = interventions.url("/policy")
    assert web.put(url, json={"name": "threshld"}, headers=headers).status_code == 422
    changed = web.put(url, json={"name": "random", "parameters": {"probability": 0.5}}, headers=headers).json()
    assert changed["from_tick"] == FIRST + 12
    interventions.kill()
    interventions.restart().wait_ready()
    for tick in range(FIRST + 12, FIRST + 20):
        loop.publish(tick)
    loop.wait_for(FIRST + 19)
    decisions = loop.rows("decisions")
    after = decisions.filter(pa.array(decisions.column("tick").to_numpy() >= changed["from_tick"]))
    before = decisions.filter(pa.array(decisions.column("tick").to_numpy() < changed["from_tick"]))
    assert set(after.column("policy_id").to_pylist()) == {changed["policy_id"]}
    assert {text.partition("(")[0] for text in before.column("policy_id").to_pylist()} == {"threshold"}
