"""What a broker is to us, whatever runs behind it."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, runtime_checkable


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a broker can be relied on for.

    `transactions`: aborted records stay hidden from `read_committed` readers, and commits are atomic.
    `fetch_wait_ms`: how long a fetch may wait for data. A broker that answers when data arrives can be given a long
    wait; one that only looks again after a part of the wait needs a short one to keep a hop fast.
    `outage_s`: how long it may be away before it must be taken for gone: one whose data is on disk, or in several
    nodes, comes back with all that it held.
    `on_disk`: whether it keeps all that it is given on a disk of ours, so that topics need not go once they are read.
    """

    transactions: bool
    fetch_wait_ms: int
    outage_s: float = 0.0
    on_disk: bool = False


class Broker(Protocol):
    """A Kafka broker that clients can reach at `bootstrap` once it is started."""

    @property
    def kind(self) -> str:
        """Short name, as in `summary.json`: embedded, apache, external."""
        ...

    @property
    def version(self) -> str:
        """Version text, as far as it is known."""
        ...

    @property
    def nodes(self) -> int:
        """How many nodes it has."""
        ...

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of those nodes that are ours and run, by name."""
        ...

    @property
    def bootstrap(self) -> str:
        """`host:port` (or several with commas) that clients start from."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can be relied on for."""
        ...

    def start(self) -> None:
        """Make it reachable; raises EnvironmentFailed."""
        ...

    def stop(self) -> None:
        """Leave no process behind; does nothing when it is not started."""
        ...

    def revive(self) -> bool:
        """Start again, without waiting, what of it has died; whether anything had.

        Raises EnvironmentFailed where that cannot help, because what it held is lost.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@runtime_checkable
class Redundant(Protocol):
    """A broker of several nodes, of which some may be gone."""

    @property
    def spare(self) -> int:
        """How many nodes may be gone at once with nothing lost and nothing stopped."""
        ...

    def kill(self, number: int) -> None:
        """SIGKILL to a node, counted from 1; raises BadInput for one that is not there."""
        ...

    def is_whole(self) -> bool:
        """Whether all nodes run and hold copies of all that they should."""
        ...


def describe(broker: Broker) -> dict[str, object]:
    """What `summary.json` says of a broker."""
    return {"kind": broker.kind, "version": broker.version, "nodes": broker.nodes}
