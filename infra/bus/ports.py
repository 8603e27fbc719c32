"""TCP ports on the loopback interface."""

import secrets
import socket

from infra.contracts.errors import BadInput, EnvironmentFailed

HOST = "127.0.0.1"

_LOWEST, _COUNT = 20_000, 10_000
"""Where free ports are looked for: below the range that systems hand out to outgoing connections (from 32,768 on Linux,
49,152 on macOS), so that a client retrying a dead port cannot end up connected to itself."""

_TRIES = 100


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free for a server
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port nobody listens on at this moment; raises EnvironmentFailed when none is found."""
    for _ in range(_TRIES):
        port = _LOWEST + secrets.randbelow(_COUNT)
        if is_free(port):
            return port
    raise EnvironmentFailed(
        f"no free TCP port found on {HOST} between {_LOWEST} and {_LOWEST + _COUNT - 1} in {_TRIES} tries: "
        "stop programs that listen there"
    )


def require_free(port: int) -> int:
    """The port, when a server may listen on it; raises BadInput or EnvironmentFailed naming it."""
    if not 0 < port < 65_536:
        raise BadInput(f"port {port} is not a TCP port: choose one from 1 to 65535, or 0 for any free one")
    if not is_free(port):
        raise EnvironmentFailed(
            f"port {port} on {HOST} is in use or not allowed: choose another port (0 takes any free one), "
            f"or stop the program that holds it (`ss -ltnp 'sport = :{port}'` names it)"
        )
    return port
