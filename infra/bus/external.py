"""A broker somebody else runs: only its address is ours."""

from types import TracebackType
from typing import Self

from infra.bus import liveness
from infra.bus.broker import Capabilities
from infra.bus.clients import broker_failed


class ExternalBroker:
    """An existing Kafka cluster at `bootstrap`; a context manager that starts and stops nothing.

    It is taken to be Apache Kafka or its equal: transactions done right, a fetch answered when data arrives.
    """

    kind = "external"
    version = "unknown"
    capabilities = Capabilities(transactions=True, fetch_wait_ms=500)

    def __init__(self, bootstrap: str) -> None:
        liveness.addresses(bootstrap)
        self._bootstrap = bootstrap

    @property
    def bootstrap(self) -> str:
        """`host:port` (or several with commas) for clients."""
        return self._bootstrap

    def start(self) -> None:
        """Check that it answers; raises EnvironmentFailed."""
        if not liveness.answers(self._bootstrap):
            raise broker_failed(self._bootstrap, "being asked for its versions", "it does not answer")

    def stop(self) -> None:
        """Nothing: it is not ours."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
