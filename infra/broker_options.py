"""The options that every command has which starts a broker, or uses one. Nothing heavy: `--help` reads this."""

from pathlib import Path
from typing import Annotated

import typer

BrokerKind = Annotated[str, typer.Option("--broker", help="embedded, apache, or external with --bootstrap.")]
Nodes = Annotated[int, typer.Option("--nodes", help="Nodes of an apache broker: 1 or 3.")]
Bootstrap = Annotated[str | None, typer.Option("--bootstrap", help="host:port of an external broker.")]
SecurityFile = Annotated[
    Path | None, typer.Option("--security", help="YAML with TLS and SASL of an external broker; no password in it.")
]
Port = Annotated[int, typer.Option("--port", help="Port of the broker that is started; 0 takes any free one.")]
