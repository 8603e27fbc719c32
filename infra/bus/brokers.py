"""Which brokers there are."""

from dataclasses import dataclass
from pathlib import Path

from infra.bus.apache.cluster import ApacheBroker, ApacheOptions
from infra.bus.apache.fetch import DEFAULT_CACHE
from infra.bus.broker import Broker
from infra.bus.embedded import EmbeddedBroker
from infra.bus.external import ExternalBroker
from infra.bus.security import NONE, Security
from infra.contracts.errors import BadInput

KINDS = ("embedded", "apache", "external")


@dataclass(frozen=True, kw_only=True)
class BrokerOptions:
    """Which broker, and what it is told.

    `port` is where an embedded one, or the first node of an apache one, listens (0: any free port). `nodes` and `data`
    (where its data stays; None: nowhere) are for apache, `bootstrap` and `security` (`security_file`: what it was
    read from, for other processes) for external. Raises BadInput for an unknown kind, and for options of another kind.
    """

    kind: str = "embedded"
    port: int = 0
    nodes: int = 1
    data: Path | None = None
    bootstrap: str | None = None
    security: Security = NONE
    security_file: Path | None = None
    cache: Path = DEFAULT_CACHE

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadInput(f"unknown broker kind {self.kind!r}: choose one of {', '.join(KINDS)}")
        if self.kind == "external" and not self.bootstrap:
            raise BadInput("an external broker needs its address: --bootstrap host:port")
        given = {
            "--nodes": ("apache", self.nodes != 1),
            "--bootstrap": ("external", bool(self.bootstrap)),
            "--security": ("external", self.security != NONE),
        }
        for option, (kind, is_given) in given.items():
            if is_given and kind != self.kind:
                raise BadInput(f"{option} is for --broker {kind}, and the broker is {self.kind}: leave it out")


def open_broker(options: BrokerOptions | None = None) -> Broker:
    """A broker, not started yet: `with open_broker(...) as broker`. Raises BadInput."""
    options = options or BrokerOptions()
    if options.kind == "apache":
        return ApacheBroker(
            ApacheOptions(nodes=options.nodes, data=options.data, port=options.port, cache=options.cache)
        )
    if options.kind == "external":
        assert options.bootstrap is not None  # noqa: S101 - required above
        return ExternalBroker(options.bootstrap, options.security)
    return EmbeddedBroker(options.port)
