"""A Ray to work on: the one this process is already connected to, or an own one that is stopped afterwards."""

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Iterator

OBJECT_STORE_BYTES = 1 << 30
"""Enough for the decoded events of 20,000 people and three days; spills to disk beyond."""


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
    ray.init(
        num_cpus=cpus,
        include_dashboard=False,
        object_store_memory=OBJECT_STORE_BYTES,
        configure_logging=True,
        logging_level=logging.ERROR,
        log_to_driver=False,
        _temp_dir=directory,
        _node_ip_address="127.0.0.1",
    )
    try:
        yield
    finally:
        ray.shutdown()
        shutil.rmtree(directory, ignore_errors=True)
