"""Programs of ours that may not outlive us: started behind the tether, ended by their own process id."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from importlib import resources
from typing import IO

Process = subprocess.Popen[bytes]


def start_tethered(command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> Process:
    """Start a program that dies with this process; its output goes to `log`. Raises OSError.

    It has its own session, so that Ctrl-C in a terminal does not reach it before we have shut down.
    """
    tether = str(resources.files("infra.bus").joinpath("tether.py"))
    launcher = [sys.executable, "-I", "-S", tether, str(os.getpid()), *command]
    born: Future[Process] = Future()
    # Daemon: it must not keep the interpreter alive; it lives until the program or the whole process ends.
    threading.Thread(target=_keep, args=(born, launcher, dict(environment), log), name="keeper", daemon=True).start()
    return born.result()


def start_free(command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> Process:
    """Start a program that stays when this process ends; whoever starts it keeps its process id. Raises OSError."""
    return subprocess.Popen(
        list(command),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def end(process: Process, within_s: float) -> None:
    """Stop it politely, after `within_s` by force, and wait until it is gone."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(within_s)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def _keep(born: "Future[Process]", command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> None:
    """Start the program and stay until it ends: the tether is tied to this thread."""
    try:
        process = start_free(command, environment, log)
    except BaseException as problem:  # noqa: BLE001 - handed to the thread that asked, which raises it
        born.set_exception(problem)
        return
    born.set_result(process)
    process.wait()
