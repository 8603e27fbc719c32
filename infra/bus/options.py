"""From what was typed (infra/broker_options.py) to a broker, and to the clients of one."""

from pathlib import Path

from infra.bus import security
from infra.bus.apache.fetch import DEFAULT_CACHE
from infra.bus.brokers import BrokerOptions
from infra.bus.security import NONE, Security
from infra.settings import Settings


def broker_options(
    kind: str, nodes: int, bootstrap: str | None, security_file: Path | None, port: int, data: Path | None = None
) -> BrokerOptions:
    """The options of a command as one; raises BadInput."""
    return BrokerOptions(
        kind=kind,
        nodes=nodes,
        bootstrap=bootstrap,
        security=read_security(security_file),
        security_file=security_file.resolve() if security_file else None,
        port=port,
        data=data,
        cache=DEFAULT_CACHE,
    )


def as_arguments(options: BrokerOptions) -> tuple[str, ...]:
    """The same as they are typed, for a command that we start; nothing where all is as by default."""
    if options == BrokerOptions():
        return ()
    given = {"--nodes": options.nodes, "--bootstrap": options.bootstrap, "--security": options.security_file}
    chosen = [(name, str(value)) for name, value in given.items() if value not in (None, BrokerOptions.nodes)]
    return ("--broker", options.kind, *(text for pair in chosen for text in pair))


def read_security(path: Path | None) -> Security:
    """What a security file says, the password from the environment where it is there; raises BadInput."""
    if path is None:
        return NONE
    return Security.from_file(path, Settings.from_environment().kafka_password)


def use_security(bootstrap: str, path: str | Path | None) -> None:
    """From now on every client of this address in this process uses what the file says; raises BadInput."""
    if path is not None:
        security.use(bootstrap, read_security(Path(path)))
