"""A broker somebody else runs: its address, and how we prove who we are, is all that is ours."""

from types import TracebackType
from typing import Self

from infra.bus import liveness, security
from infra.bus.admin import open_admin
from infra.bus.broker import Capabilities
from infra.bus.clients import broker_failed
from infra.bus.security import Security


class ExternalBroker:
    """An existing Kafka cluster at `bootstrap`; a context manager that starts and stops nothing.

    It is taken to be Apache Kafka or its equal: transactions done right, a fetch answered when data arrives.
    """

    kind = "external"
    capabilities = Capabilities(transactions=True, fetch_wait_ms=500, outage_s=60.0)

    def __init__(self, bootstrap: str, trust: Security = security.NONE) -> None:
        liveness.addresses(bootstrap)
        self._bootstrap = bootstrap
        self._security = trust
        self._version, self._nodes = "unknown", 0

    @property
    def bootstrap(self) -> str:
        """`host:port` (or several with commas) for clients."""
        return self._bootstrap

    @property
    def version(self) -> str:
        """The newest Kafka whose requests it takes, such as "Kafka 4.1"; "unknown" before the start."""
        return self._version

    @property
    def nodes(self) -> int:
        """How many nodes it had when we came; 0 before the start."""
        return self._nodes

    @property
    def pids(self) -> dict[str, int]:
        """None: its processes are not ours."""
        return {}

    def start(self) -> None:
        """Check that it answers and lets us in; raises BadInput (TLS files) and EnvironmentFailed."""
        security.use(self._bootstrap, self._security)
        if not liveness.answers(self._bootstrap):
            raise broker_failed(self._bootstrap, "being asked for its versions", self._no_answer())
        with open_admin(self._bootstrap, "telling its nodes") as admin:
            self._nodes = len(admin.describe_cluster()["brokers"])
            self._version = "Kafka " + ".".join(map(str, admin.config["api_version"] or ("?",)))

    def stop(self) -> None:
        """Nothing: it is not ours."""

    def revive(self) -> bool:
        """False: nobody but its owner can."""
        return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _no_answer(self) -> str:
        if self._security.tls:
            return "it does not answer with TLS"
        return "it does not answer; a broker that wants TLS needs a security file with tls: true"
