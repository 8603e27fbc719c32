"""What a broker is to us, whatever runs behind it."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a broker can be relied on for.

    `transactions`: aborted records stay hidden from `read_committed` readers, and commits are atomic.
    `fetch_wait_ms`: how long a fetch may wait for data. A broker that answers when data arrives can be given a long
    wait; one that only looks again after a part of the wait needs a short one to keep a hop fast.
    """

    transactions: bool
    fetch_wait_ms: int


class Broker(Protocol):
    """A Kafka broker that clients can reach at `bootstrap` once it is started."""

    @property
    def kind(self) -> str:
        """Short name, as in `summary.json`: embedded, external."""
        ...

    @property
    def version(self) -> str:
        """Version text, as far as it is known."""
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

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
