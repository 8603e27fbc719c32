"""Which brokers there are."""

from infra.bus.broker import Broker
from infra.bus.embedded import EmbeddedBroker
from infra.bus.external import ExternalBroker
from infra.contracts.errors import BadInput

KINDS = ("embedded", "external")


def open_broker(kind: str = "embedded", *, port: int = 0, bootstrap: str | None = None) -> Broker:
    """A broker of a kind, not started yet: `with open_broker(...) as broker`.

    `port` is where an embedded one listens (0: any free port), `bootstrap` the address of an external one. Raises
    BadInput for an unknown kind or a missing address.
    """
    if kind == "embedded":
        return EmbeddedBroker(port)
    if kind == "external":
        if not bootstrap:
            raise BadInput("an external broker needs its address: --bootstrap host:port")
        return ExternalBroker(bootstrap)
    raise BadInput(f"unknown broker kind {kind!r}: choose one of {', '.join(KINDS)}")
