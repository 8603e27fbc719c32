"""Is a broker there? Asked over an own connection, because client libraries retry for ever and say nothing."""

import contextlib
import socket
import ssl
import struct
import time

from infra.bus import security
from infra.contracts.errors import BadInput, EnvironmentFailed

_API_VERSIONS, _CORRELATION = 18, 0x0CA1
PATIENCE_S = 6.0
"""How long a broker may fail to answer before it is taken for gone, seconds."""
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
    """Whether one of the servers answers a request within `timeout_s` each (a frozen one accepts, but is silent).

    Raises EnvironmentFailed when a server's certificate is not to be trusted: no patience mends that.
    """
    context = security.of(bootstrap).context
    return any(_answers(server, context, timeout_s) for server in addresses(bootstrap))


def _answers(server: tuple[str, int], context: ssl.SSLContext | None, timeout_s: float) -> bool:
    with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
        plain = opened.enter_context(socket.create_connection(server, timeout_s))
        plain.settimeout(timeout_s)
        connection = opened.enter_context(_encrypted(plain, server, context)) if context else plain
        connection.sendall(_REQUEST)
        reply = b""
        while len(reply) < 8 and (more := connection.recv(8 - len(reply))):
            reply += more
        return len(reply) == 8 and struct.unpack(">ii", reply)[1] == _CORRELATION
    return False


def _encrypted(plain: socket.socket, server: tuple[str, int], context: ssl.SSLContext) -> ssl.SSLSocket:
    try:
        return context.wrap_socket(plain, server_hostname=server[0])
    except ssl.SSLCertVerificationError as problem:
        raise EnvironmentFailed(
            f"the certificate of the Kafka broker at {server[0]}:{server[1]} is not trusted ({problem.verify_message}):"
            " name the authority that signed it as ca in the security file, or reach the broker by the name in it"
        ) from problem


class Watch:
    """Tells silence from death: asks a broker that sent nothing for a while.

    Whoever reads calls `heard` on data and `silent` on none. Asking starts after `ask_after_s` and repeats as often;
    the broker is given up when `patience_s` have passed since it first failed to answer. A reader that was busy
    elsewhere for long therefore never takes one slow answer for death.
    """

    def __init__(self, bootstrap: str, *, ask_after_s: float = 2.0, patience_s: float = PATIENCE_S) -> None:
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
