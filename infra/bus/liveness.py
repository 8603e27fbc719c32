"""Is a broker there? Asked over an own connection, because client libraries retry for ever and say nothing."""

import contextlib
import socket
import struct
import time

from infra.contracts.errors import BadInput

_API_VERSIONS, _CORRELATION = 18, 0x0CA1
_REQUEST = struct.pack(">ihhih", 10, _API_VERSIONS, 0, _CORRELATION, -1)
"""ApiVersions v0 without a client id: size, API key, version, correlation id, null string. Every broker answers it."""


def addresses(bootstrap: str) -> list[tuple[str, int]]:
    """Host and port of each server in `host:port[,host:port…]`; raises BadInput."""
    pairs = []
    for server in bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdigit():
            raise BadInput(f"broker address {server.strip()!r} is not host:port")
        pairs.append((host.strip("[]"), int(port)))
    return pairs


def answers(bootstrap: str, timeout_s: float = 2.0) -> bool:
    """Whether one of the servers answers a request within `timeout_s` each (a frozen one accepts, but is silent)."""
    return any(_answers(host, port, timeout_s) for host, port in addresses(bootstrap))


def _answers(host: str, port: int, timeout_s: float) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout_s) as connection:
        connection.settimeout(timeout_s)
        connection.sendall(_REQUEST)
        reply = connection.recv(8, socket.MSG_WAITALL)
        return len(reply) == 8 and struct.unpack(">ii", reply)[1] == _CORRELATION
    return False


class Watch:
    """Tells silence from death: asks a broker that sent nothing for a while.

    Whoever reads calls `heard` on data and `silent` on none. Asking starts after `ask_after_s` and repeats as often;
    the broker is given up when `patience_s` have passed since it first failed to answer. A reader that was busy
    elsewhere for long therefore never takes one slow answer for death.
    """

    def __init__(self, bootstrap: str, *, ask_after_s: float = 2.0, patience_s: float = 6.0) -> None:
        addresses(bootstrap)
        self._bootstrap = bootstrap
        self._ask_after_s = ask_after_s
        self._patience_s = patience_s
        self._data_at = self._asked_at = time.monotonic()
        self._doubted_at: float | None = None

    @property
    def quiet_s(self) -> float:
        """Seconds since data came last (or since the start)."""
        return time.monotonic() - self._data_at

    def heard(self) -> None:
        """The broker sent data."""
        self._data_at = self._asked_at = time.monotonic()
        self._doubted_at = None

    def silent(self) -> bool:
        """Nothing came; True once the broker must be taken for gone."""
        now = time.monotonic()
        if now - self._asked_at < self._ask_after_s:
            return False
        self._asked_at = now
        if answers(self._bootstrap):
            self._doubted_at = None
        elif self._doubted_at is None:
            self._doubted_at = now
        return self._doubted_at is not None and now - self._doubted_at >= self._patience_s
