"""The embedded broker comes, goes, and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from infra.bus import liveness
from infra.bus.embedded import EmbeddedBroker
from infra.contracts.errors import EnvironmentFailed

pytestmark = pytest.mark.integration

WITHIN_S = 60.0
UP = "import sys; from infra.bus.cli import up; up(port=0, json=True)"


def eventually(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WITHIN_S
    while not is_so():
        if time.monotonic() > deadline:
            return False
        os.sched_yield()
    return True


def port_of(bootstrap: str) -> int:
    return int(bootstrap.rsplit(":", 1)[1])


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def parent() -> Iterator["subprocess.Popen[str]"]:
    """A process that runs the broker in the foreground, in a process group of its own as a terminal would give it."""
    with subprocess.Popen([sys.executable, "-c", UP], stdout=subprocess.PIPE, text=True, process_group=0) as process:
        try:
            yield process
        finally:
            process.kill()


def children(process: "subprocess.Popen[str]") -> list[int]:
    return [child.pid for child in psutil.Process(process.pid).children()]


def test_it_answers_once_started_and_is_gone_once_stopped() -> None:
    broker = EmbeddedBroker()
    with broker:
        assert liveness.answers(broker.bootstrap)
        pid = broker.pid
    assert not liveness.answers(broker.bootstrap, 0.5)
    assert gone(pid)
    assert not broker.alive


def test_it_can_be_started_again_and_stopped_twice() -> None:
    broker = EmbeddedBroker()
    broker.start()
    broker.stop()
    broker.stop()
    with broker:
        assert broker.alive


def test_a_port_in_use_is_one_clear_error() -> None:
    with EmbeddedBroker() as first:
        port = port_of(first.bootstrap)
        with pytest.raises(EnvironmentFailed, match=rf"port {port} on 127\.0\.0\.1 is in use.*choose another port"):
            EmbeddedBroker(port).start()
        assert first.alive


def test_it_dies_with_a_parent_that_is_killed(parent: "subprocess.Popen[str]") -> None:
    assert parent.stdout is not None
    address = json.loads(parent.stdout.readline())["bootstrap"]
    (broker,) = children(parent)
    parent.kill()
    assert eventually(lambda: gone(broker))
    assert not liveness.answers(address, 0.5)


def test_ctrl_c_stops_it_cleanly(parent: "subprocess.Popen[str]") -> None:
    assert parent.stdout is not None
    parent.stdout.readline()
    (broker,) = children(parent)
    os.killpg(parent.pid, signal.SIGINT)  # what a terminal does: the whole foreground group gets it
    assert parent.wait(WITHIN_S) == 0
    assert eventually(lambda: gone(broker))


def test_a_broker_that_dies_ends_the_foreground_command_with_an_error(parent: "subprocess.Popen[str]") -> None:
    assert parent.stdout is not None
    parent.stdout.readline()
    (broker,) = children(parent)
    os.kill(broker, signal.SIGKILL)
    assert parent.wait(WITHIN_S) != 0
