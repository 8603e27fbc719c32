"""The life of a service process: it is found, it answers, it ends in order, and its exit code tells why."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import orjson
import psutil
import pytest

from infra.hosting.endpoints import Endpoint, read_endpoint, remove_endpoint, write_endpoint
from infra.settings import Settings, child_environment
from infra.telemetry.spans import read_spans, read_totals
from tests.support.hosted import eventually

PROGRAM = Path(__file__).with_name("hosted_service.py")

pytestmark = pytest.mark.integration

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(run_dir=tmp_path)


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Start]:
    processes: list[subprocess.Popen[str]] = []

    def launch(behaviour: dict[str, object] | None = None, port: int = 0) -> subprocess.Popen[str]:
        config = tmp_path / "config.json"
        config.write_text(json.dumps(behaviour or {}))
        own = replace(settings, config_file=config, port=port)
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            env=child_environment(own),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield launch
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def listening(settings: Settings, process: subprocess.Popen[str]) -> Endpoint:
    def published() -> bool:
        assert process.poll() is None, process.communicate()
        endpoint = read_endpoint(settings.run_dir, "hosted")
        return endpoint is not None and endpoint.pid == process.pid

    eventually(published, "listening")
    endpoint = read_endpoint(settings.run_dir, "hosted")
    assert endpoint is not None
    return endpoint


def get(endpoint: Endpoint, path: str) -> httpx.Response:
    return httpx.get(endpoint.url + path, timeout=60, trust_env=False)


def ended(process: subprocess.Popen[str]) -> tuple[int, list[dict[str, str]], str]:
    """Exit code, log lines, standard output; every log line has to be JSON."""
    out, err = process.communicate(timeout=120)
    return process.returncode, [orjson.loads(line) for line in err.splitlines()], out


def test_it_answers_health_readiness_metrics_and_ends_with_0_on_sigterm(settings: Settings, start: Start) -> None:
    process = start()
    endpoint = listening(settings, process)
    health = get(endpoint, "/healthz")
    assert health.status_code == 200
    assert (health.json()["status"], health.json()["own_pid"]) == ("ok", process.pid)
    assert get(endpoint, "/readyz").status_code == 200
    eventually(lambda: "calm_rows_received_total 3.0" in get(endpoint, "/metrics").text, "the loop counting")
    assert get(endpoint, "/openapi.json").json()["info"]["title"] == "calmverse hosted"
    assert get(endpoint, "/boom?kind=bad").status_code == 400
    gone = get(endpoint, "/boom?kind=gone")
    assert (gone.status_code, gone.json()["detail"]) == (503, "gone")
    process.terminate()
    code, log, out = ended(process)
    assert code == 0
    assert [line["message"] for line in log][-1] == "stopped"
    assert out.count("closed") == 1
    assert read_endpoint(settings.run_dir, "hosted") is None
    assert read_spans(settings.spans)["name"].to_list() == ["work"]
    assert read_totals(settings.spans).unclosed == ()


def test_it_ends_with_0_on_ctrl_c(settings: Settings, start: Start) -> None:
    process = start()
    listening(settings, process)
    process.send_signal(signal.SIGINT)
    assert ended(process)[0] == 0


def test_it_is_alive_but_not_ready_before_it_can_work(settings: Settings, start: Start) -> None:
    process = start({"loop": "never ready"})
    endpoint = listening(settings, process)
    assert get(endpoint, "/readyz").status_code == 503
    assert get(endpoint, "/healthz").status_code == 200


@pytest.mark.parametrize(
    ("behaviour", "code", "says"),
    [
        ({"loop": "crash"}, 3, "the service hosted failed"),
        ({"loop": "verdict"}, 2, "the snapshot is of another model"),
        ({"loop": "return"}, 3, "ended without being asked to"),
        ({"build": "bad input"}, 2, "train first"),
        ({"loop": 1}, 2, "loop: Input should be a valid string"),
    ],
)
def test_a_crash_is_one_line_and_an_exit_code(start: Start, behaviour: dict[str, object], code: int, says: str) -> None:
    result, log, _ = ended(start(behaviour))
    assert result == code
    assert log[-1]["level"] == "error"
    assert says in log[-1]["message"]
    assert ("Traceback" in log[-1].get("error", "")) == (behaviour.get("loop") == "crash")


def test_a_port_in_use_is_named_and_the_exit_code_is_3(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, log, _ = ended(start(port=port))
    assert code == 3
    assert f"port {port} on 127.0.0.1 is in use" in log[-1]["message"]


def test_it_can_be_stopped_while_it_is_being_built(start: Start) -> None:
    process = start({"build": "slow"})
    assert process.stdout is not None
    assert process.stdout.readline() == "building\n"
    process.terminate()
    assert ended(process)[0] == 0


def test_a_loop_that_does_not_end_cannot_hold_the_process(settings: Settings, start: Start) -> None:
    process = start({"loop": "slow end"})
    listening(settings, process)
    process.terminate()
    code, log, _ = ended(process)
    assert code == 3
    assert "did not end within" in log[-1]["message"]


def test_it_ends_when_its_parent_dies(settings: Settings, tmp_path: Path) -> None:
    parent_program = (
        "import os, subprocess, sys; from dataclasses import replace;"
        "from infra.settings import Settings, child_environment; from pathlib import Path;"
        f"settings = Settings(run_dir=Path({str(tmp_path)!r}), parent_pid=os.getpid());"
        f"subprocess.Popen([sys.executable, {str(PROGRAM)!r}], env=child_environment(settings));"
        "sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", parent_program], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: read_endpoint(settings.run_dir, "hosted") is not None, "listening")
        endpoint = read_endpoint(settings.run_dir, "hosted")
        assert endpoint is not None
        child = psutil.Process(endpoint.pid)
        parent.kill()
        child.wait(60)
        assert read_endpoint(settings.run_dir, "hosted") is None
    finally:
        parent.kill()
        parent.communicate()


def test_a_service_takes_back_only_its_own_address(tmp_path: Path) -> None:
    endpoint = Endpoint("hosted", "127.0.0.1", 1, os.getpid())
    write_endpoint(tmp_path, endpoint)
    remove_endpoint(tmp_path, "hosted", os.getpid() + 1)
    assert read_endpoint(tmp_path, "hosted") == endpoint
    remove_endpoint(tmp_path, "hosted", os.getpid())
    assert read_endpoint(tmp_path, "hosted") is None
