"""Apache Kafka comes, loses a node, comes back with its data, and leaves nothing behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from infra.bus.admin import create_topics, open_admin
from infra.bus.apache import fetch
from infra.bus.apache.cluster import ApacheBroker, ApacheOptions
from infra.bus.apache.fetch import kafka_jars, kafka_version, require_java
from infra.bus.lanes import Handler, Lane, LaneConfig
from infra.bus.messages import Raw
from infra.bus.producer import FrameProducer
from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.contracts.events import EVENT
from infra.contracts.topics import Topics
from tests.support.apache import CACHE, KAFKA_LIBRARY, ROOT, require_apache
from tests.support.batches import random_batch
from tests.support.buses import Numbering, numbering_config, numbers_of, read_all, released, send_tick

pytestmark = KAFKA_LIBRARY

WITHIN_S = 120.0


def eventually(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WITHIN_S
    while not is_so():
        if time.monotonic() > deadline:
            return False
        os.sched_yield()
    return True


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def command(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-m", "calmverse", "broker", *words],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
        cwd=ROOT,
    )


def leader_of(broker: ApacheBroker, topic: str) -> int:
    with open_admin(broker.bootstrap, "telling who leads") as admin:
        (found,) = admin.describe_topics([topic])
    return next(int(each["leader_id"]) for each in found["partitions"] if each["partition_index"] == 0)


class Supervised(threading.Thread):
    """A lane that is made anew when it raises, as a supervisor does, until it has worked on a tick."""

    def __init__(self, config: LaneConfig, handler: Callable[[], Handler], last_tick: int) -> None:
        super().__init__(daemon=True)
        self._config, self._handler, self._last_tick = config, handler, last_tick
        self.done = False

    def run(self) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not self.done and time.monotonic() < deadline:
            with contextlib.suppress(EnvironmentFailed), Lane(self._config, self._handler()) as lane:
                while not self.done and time.monotonic() < deadline:
                    lane.step(0.2)
                    self.done = lane.tick == self._last_tick


def test_a_node_killed_and_started_again_loses_nothing(apache_cluster: ApacheBroker) -> None:
    topics = Topics("node-killed")
    create_topics(apache_cluster.bootstrap, topics.all())
    config = numbering_config(topics, apache_cluster.bootstrap, apache_cluster.capabilities)
    victim = leader_of(apache_cluster, topics.events)
    lane = Supervised(config, lambda: Numbering(topics), 29)
    lane.start()
    with FrameProducer(apache_cluster.bootstrap, namespace=topics.namespace, client_id="test") as producer:
        for tick in range(30):
            if tick == 10:
                apache_cluster.kill(victim)
            if tick == 20:
                assert apache_cluster.revive()
            send_tick(producer, topics, tick, [random_batch(EVENT, 5, seed=tick)] * 4)
            producer.flush()
    lane.join(WITHIN_S)
    assert lane.done
    apache_cluster.restart(victim)
    assert len(apache_cluster.pids) == 3
    events = released(read_all(apache_cluster.bootstrap, topics.events), topics.events)
    assert [(batch.tick, len(batch.frames)) for batch in events] == [(tick, 4) for tick in range(30)]
    scores = read_all(apache_cluster.bootstrap, topics.scores, committed_only=True)
    assert len(scores) == 30 * (4 + 4)
    assert numbers_of(released(scores, topics.scores)) == list(range(30 * 4 * 5))


def test_a_detached_broker_goes_on_with_its_data_and_is_stopped_by_its_state_file(tmp_path: Path) -> None:
    require_apache()
    kafka_jars(CACHE)
    data = ["--data", str(tmp_path / "broker")]
    for life in range(2):
        up = command("up", "--broker", "apache", "--port", "0", "--detach", "--json", *data)
        assert up.returncode == 0, up.stderr
        facts = json.loads(up.stdout.splitlines()[-1])
        try:
            assert facts["kind"] == "apache"
            if life == 0:
                create_topics(facts["bootstrap"], ["calm.kept.events"])
                with FrameProducer(facts["bootstrap"], namespace="kept", client_id="test") as producer:
                    producer.send_raw("calm.kept.events", 2, Raw(b"key", b"kept"))
                    producer.flush()
                seen = json.loads(command("status", "--json", *data).stdout.splitlines()[-1])
                assert (seen["healthy"], seen["controller"], seen["under_replicated"]) == (True, 1, 0)
                again = command("up", "--broker", "apache", "--port", "0", "--detach", *data)
                assert again.returncode == 3
                assert "already runs" in again.stderr
            else:
                (record,) = read_all(facts["bootstrap"], "calm.kept.events")
                assert (record.partition, record.raw) == (2, Raw(b"key", b"kept", []))
        finally:
            down = command("down", *data)
        assert down.returncode == 0, down.stderr
        assert all(gone(pid) for pid in facts["pids"].values())


def test_nodes_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    require_apache()
    kafka_jars(CACHE)
    line = [sys.executable, "-P", "-m", "calmverse", "broker", "up", "--broker", "apache", "--port", "0", "--json"]
    with subprocess.Popen(
        [*line, "--data", str(tmp_path / "broker")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        try:
            assert parent.stdout is not None
            pids = json.loads(parent.stdout.readline())["pids"].values()
        finally:
            os.kill(parent.pid, signal.SIGKILL)
    assert len(pids) == 1
    assert eventually(lambda: all(gone(pid) for pid in pids))


def test_a_broker_has_one_or_three_nodes() -> None:
    with pytest.raises(BadInput, match="--nodes 2: an apache broker has 1 or 3 nodes"):
        ApacheOptions(nodes=2)


@pytest.mark.parametrize(
    ("says", "matches"),
    [
        (None, "no java is on PATH: install one"),
        ('openjdk version "11.0.2" 2019-01-15', "is Java 11: put a newer one first on PATH"),
        ('java version "1.8.0_392"', "is Java 8: put a newer one"),
    ],
)
def test_no_java_or_one_that_is_too_old_is_one_clear_error(
    says: str | None, matches: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if says is not None:
        program(tmp_path / "java", f"echo '{says}' >&2")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFailed, match=matches):
        require_java()


def program(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_no_maven_and_a_fetch_that_fails_are_one_clear_error_and_leave_no_half_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(EnvironmentFailed, match="no mvn is on PATH"):
        kafka_jars(tmp_path)
    program(programs / "mvn", "echo '[ERROR] the network is unreachable'; exit 1")
    with pytest.raises(EnvironmentFailed, match=r"\[ERROR\] the network is unreachable"):
        kafka_jars(tmp_path)
    assert not (tmp_path / "kafka" / kafka_version()).exists()


def test_a_cache_is_complete_only_with_every_file_as_long_as_it_was(tmp_path: Path) -> None:
    assert not fetch.is_complete(tmp_path)
    (tmp_path / "kafka-clients.jar").write_bytes(b"1234")
    (tmp_path / "complete.json").write_text('{"kafka-clients.jar": 4}')
    assert fetch.is_complete(tmp_path)
    (tmp_path / "kafka-clients.jar").write_bytes(b"12")
    assert not fetch.is_complete(tmp_path)
