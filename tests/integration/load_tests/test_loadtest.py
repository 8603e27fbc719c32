"""A load test from start to report, on a stand-in for the system: real processes, a real broker."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.contracts.errors import BadInput, EnvironmentFailed
from load_tests import command
from load_tests.cli import exit_code
from load_tests.command import run
from load_tests.runner import Progress
from tests.integration.load_tests import drive
from tests.support.command import eventually, live_with

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

EVENTS = 1_000  # 400 events/s for 0.5 + 2 s


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def processes_of(runs: Path) -> list[str]:
    """Command lines of processes that have to do with these runs, and the broker of the last one."""
    found = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    left = [line for line in found if str(runs) in line]
    live = runs / "latest" / "live.json"
    if live.is_file():
        left += [str(pid) for pid in json.loads(live.read_text())["pids"].values() if psutil.pid_exists(pid)]
    return left


def summary_of(runs: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((runs / "latest" / "summary.json").read_text())
    return document


def test_a_run_leaves_a_folder_with_everything_and_no_process(runs: Path) -> None:
    document = run(drive.request(runs, "echo", slos=("p99=60s", "lag=100000events")))
    assert document["events_sent"] == document["events_scored"] == document["decisions"] == EVENTS
    assert (document["events_lost"], document["events_duplicated"], document["scores_unknown"]) == (0, 0, 0)
    assert (document["partial"], document["passed"], exit_code(document)) == (False, True, 0)
    assert document["decisions_complete"] is True
    assert document["latency_ms"]["count"] == document["decision_latency_ms"]["count"] == 800
    assert 0 < document["latency_ms"]["p50"] <= document["latency_ms"]["p99"] <= document["latency_ms"]["max"]
    assert [entry["second"] for entry in document["series"]] == [0, 1]
    assert document["system"] == {"model_version": "stand-in", "policy": "echo", "fetch_wait_ms": 5}
    folder = runs / "latest"
    assert folder.resolve().name == document["run_id"]
    assert summary_of(runs) == json.loads(json.dumps(document))
    assert (folder / "report.html").read_text().startswith("<!")
    assert "rate: 400.0" in (folder / "scenario.yaml").read_text()
    assert json.loads((folder / "environment.json").read_text())["cores"] > 0
    assert document["processes_left"] == processes_of(runs) == []


def test_a_pause_of_the_system_shows_and_a_missed_limit_is_exit_code_1(runs: Path) -> None:
    document = run(drive.request(runs, "slow", slos=("max=100ms",)))
    assert document["latency_ms"]["max"] >= 250
    assert document["slo"][0] | {"value": 0} == {"name": "max", "limit": 100, "unit": "ms", "value": 0, "ok": False}
    assert (document["passed"], exit_code(document)) == (False, 1)
    assert "max" in document["verdict"]


def test_a_lost_event_is_exit_code_1_without_any_limit_given(runs: Path) -> None:
    document = run(dataclasses.replace(drive.request(runs, "forgets"), drain=2.0))
    assert 0 < document["events_lost"] == EVENTS - document["events_scored"]
    assert exit_code(document) == 1
    assert "lost" in document["verdict"]


def test_an_event_scored_twice_is_exit_code_1_but_a_frame_written_again_is_not(runs: Path) -> None:
    twice = run(drive.request(runs, "repeats"))
    assert (twice["events_duplicated"], twice["events_lost"], exit_code(twice)) == (EVENTS, 0, 1)
    again = run(drive.request(runs, "zombie"))
    assert again["repeated_frames"] > 0
    assert (again["events_duplicated"], again["events_lost"], exit_code(again)) == (0, 0, 0)


@pytest.mark.parametrize(("behaviour", "error"), [("refuses", BadInput), ("breaks", EnvironmentFailed)])
def test_a_system_that_cannot_start_is_reported_in_its_own_words(
    runs: Path, behaviour: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match=r"^the policy 'refuses' is unknown: choose another$"):
        run(drive.request(runs, behaviour))
    assert summary_of(runs)["failure"] == "the policy 'refuses' is unknown: choose another"
    assert processes_of(runs) == []


def test_a_system_that_dies_under_load_fails_the_test_and_leaves_a_partial_summary(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = command._Display.show

    def strike(self: command._Display, progress: Progress) -> None:
        shown(self, progress)
        if progress.live is not None and progress.receiver.get("scored", 0) > 0:
            os.kill(progress.live.pid, signal.SIGUSR1)

    monkeypatch.setattr(command._Display, "show", strike)
    with pytest.raises(EnvironmentFailed, match="the system ended with exit code 7"):
        run(drive.request(runs, "dies", seconds=60))
    document = summary_of(runs)
    assert document["partial"] is True
    assert document["events_sent"] >= document["events_scored"] > 0
    assert (runs / "latest" / "report.html").is_file()
    assert processes_of(runs) == []


def test_processes_that_the_system_leaves_behind_are_ended_and_named(runs: Path) -> None:
    document = run(drive.request(runs, "orphans"))
    assert len(document["processes_left"]) == 2
    assert not any(psutil.pid_exists(pid) for pid in document["processes_left"])


def interrupted(runs: Path, behaviour: str, when: Callable[[], bool]) -> tuple[int, str]:
    """Exit code and stdout of a load test that gets Ctrl-C as soon as `when()` holds."""
    command = [sys.executable, "-m", "tests.integration.load_tests.drive", str(runs), behaviour]
    root = Path(__file__).parents[3]
    process = subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            eventually(lambda: when() or None, process)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=300)
        finally:
            process.kill()
    return process.returncode, out


def test_ctrl_c_under_load_ends_everything_and_leaves_a_valid_partial_summary(runs: Path) -> None:
    code, out = interrupted(runs, "echo", lambda: live_with(runs, "scores") is not None)
    document = json.loads(out.splitlines()[-1])
    assert code == 130
    assert document == summary_of(runs)
    assert (document["partial"], document["passed"]) == (True, False)
    assert document["events_sent"] == document["events_scored"] > 0
    assert document["events_lost"] == 0
    assert (runs / "latest" / "report.html").is_file()
    assert processes_of(runs) == []


def test_ctrl_c_while_the_system_starts_ends_it_too(runs: Path) -> None:
    code, out = interrupted(runs, "hangs", (runs / "latest" / "logs" / "up.log").is_file)
    document = json.loads(out.splitlines()[-1])
    assert code == 130
    assert (document["partial"], document["events_sent"], document["latency_ms"]["p99"]) == (True, 0, None)
    assert processes_of(runs) == []
