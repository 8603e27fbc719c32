"""Running the real command as a process, and looking for what it left behind."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from infra.bus.consumer import end_offsets
from infra.contracts.topics import Topics

LONGEST_S = 600.0


def calmverse(*arguments: str, cwd: Path, timeout_s: float = LONGEST_S) -> subprocess.CompletedProcess[str]:
    """Run `calmverse ARGUMENTS` to its end."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "calmverse", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )


def started(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """Start `calmverse ARGUMENTS` and leave it running."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "calmverse", *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def last_json(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The JSON object on the last line of stdout."""
    document: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return document


def eventually(found: Callable[[], Any], process: subprocess.Popen[str], seconds: float = 300.0) -> Any:  # noqa: ANN401 - what `found` finds
    """What `found` gives as soon as it is not None, while the process runs."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = found()
        if value is not None:
            return value
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def live_with(runs: Path, stream: str) -> dict[str, Any] | None:
    """live.json of the newest run once there are records of `stream`."""
    path = runs / "latest" / "live.json"
    try:
        live: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    ends = end_offsets(live["bootstrap"], Topics(live["namespace"]).of(stream))
    return live if any(ends.values()) else None


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The process and everything below it, now."""
    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]


def alive(processes: list[psutil.Process], seconds: float = 60.0) -> list[psutil.Process]:
    """Those that still run after at most `seconds`."""
    _, remaining = psutil.wait_procs(processes, timeout=seconds)
    return [each for each in remaining if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
