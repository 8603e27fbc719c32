"""Direct connections between shards: each tick, every shard gets the sum of what all of them hold.

The connections are the standard library's, authenticated. Two shards both have something to say at once, so in each
pair the lower index speaks first, and pairs take their turns in one order everywhere: nobody waits in a ring, whatever
the size of the sums.
"""

import contextlib
import socket
from multiprocessing.connection import Client, Connection, Listener
from types import TracebackType
from typing import Self

import numpy as np

from infra.contracts.errors import EnvironmentFailed
from simulation.shards.shard import Sums

Address = tuple[str, int]
"""Host and port."""
_HOST = "127.0.0.1"


class LinkLost(EnvironmentFailed):
    """The other end is gone: what it died of is the error to tell."""


class Links:
    """The ends of a shard's connections to all others; a context manager. `join` once, then `exchange` tick by tick."""

    def __init__(self, index: int, key: bytes) -> None:
        self._index = index
        self._key = key
        self._listener = Listener((_HOST, 0), backlog=8, authkey=key)
        self._peers: dict[int, Connection[bytes, bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def address(self) -> Address:
        """Where this shard listens."""
        host, port = self._listener.address
        return str(host), int(port)

    def join(self, addresses: list[Address]) -> None:
        """Connect with every other shard; `addresses` by index, this one's too. All must be told, in any order."""
        for peer in range(self._index):
            connection = Client(addresses[peer], authkey=self._key)
            connection.send(self._index)
            self._keep(peer, connection)
        for _ in range(len(addresses) - 1 - self._index):
            accepted = self._listener.accept()
            self._keep(accepted.recv(), accepted)

    def exchange(self, sums: Sums) -> Sums:
        """The sum over all shards of their `sums`, int32 of one shape everywhere; raises LinkLost."""
        totals = sums.copy()
        theirs = np.empty_like(totals)
        own, room = sums.data.cast("B"), theirs.data.cast("B")
        try:
            for peer, connection in sorted(self._peers.items()):
                if self._index < peer:
                    connection.send_bytes(own)
                    connection.recv_bytes_into(room)
                else:
                    connection.recv_bytes_into(room)
                    connection.send_bytes(own)
                totals += theirs
        except (EOFError, OSError) as problem:
            raise LinkLost(f"a shard of the population is gone: {problem or 'its connection ended'}") from problem
        return totals

    def close(self) -> None:
        """End all connections: the other shards hear of it at once, and so does a thread that is in `exchange`."""
        # Not closed, but shut: a number that a thread still waits on must not be given to another file.
        for connection in self._peers.values():
            with _socket(connection) as same, contextlib.suppress(OSError):
                same.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _keep(self, peer: int, connection: "Connection[bytes, bytes]") -> None:
        # The last bytes of a message must not wait for the acknowledgement of those before (Nagle).
        with _socket(connection) as same:
            same.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peers[peer] = connection


def _socket(connection: "Connection[bytes, bytes]") -> socket.socket:
    """A second handle on the socket of a connection."""
    return socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)
