"""A Ray to work on: the one this process is already connected to, or an own one that is stopped afterwards."""

import contextlib
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

OBJECT_STORE_BYTES = 1 << 30
"""Enough for the decoded events of 20,000 people and three days; spills to disk beyond."""

_LAST_WORDS_S = 3.0


@contextlib.contextmanager
def ray_session(cpus: int) -> Iterator[None]:
    """Use the running Ray, or start one with `cpus` logical CPUs on this machine and stop it in the end.

    Logical CPUs may be more than there are: Ray Data needs some beside the training workers, or nothing moves.
    """
    import ray  # noqa: PLC0415  heavy: only where Ray is used

    if ray.is_initialized():
        yield
        return
    # Ray puts sockets there, and a socket's path may have 107 characters at most.
    directory = tempfile.mkdtemp(prefix="calm-")
    try:
        ray.init(
            num_cpus=cpus,
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            configure_logging=True,
            logging_level=logging.ERROR,
            log_to_driver=False,
            _temp_dir=directory,
            _node_ip_address="127.0.0.1",
            # Ray makes its workers nice to others by 15: a replica in the loop would wait for everybody else.
            _system_config={"worker_niceness": 0},
        )
        yield
    finally:
        ray.shutdown()
        _remove(Path(directory))


def _remove(directory: Path) -> None:
    """Remove Ray's folder; its processes write last words for a moment after the shutdown, so try for a while."""
    until = time.monotonic() + _LAST_WORDS_S
    while directory.exists():
        shutil.rmtree(directory, ignore_errors=True)
        if time.monotonic() > until:
            return
        time.sleep(0.1)
