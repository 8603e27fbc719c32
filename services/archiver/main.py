"""The archiver process: Kafka to the Parquet lake, exactly once by offsets. `python -m services.archiver.main`."""

import sys

from pydantic import BaseModel, ConfigDict, Field

from infra.bus.consumer import FrameConsumer
from infra.bus.deadletters import DeadLetters
from infra.bus.messages import Received
from infra.bus.producer import FrameProducer
from infra.contracts.topics import Topics
from infra.hosting.config import read_config
from infra.hosting.process import run_service
from infra.hosting.service import Service
from infra.settings import Settings
from infra.telemetry.setup import Telemetry
from services.archiver.api import create_router
from services.archiver.consumer import ArchiveLoop
from services.archiver.domain import FlushRule
from services.archiver.handlers import Archive

NAME = "archiver"


class ArchiverConfig(BaseModel):
    """The archiver's own configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    flush_rows: int = Field(default=FlushRule.rows, ge=1, description="Rows a partition holds in memory at most")
    flush_ticks: int = Field(default=FlushRule.ticks, ge=1, description="Simulated minutes a row waits at most")


def build(settings: Settings, telemetry: Telemetry) -> Service:
    """Put the archiver together."""
    config = read_config(settings.config_file, ArchiverConfig)
    topics = Topics(settings.namespace)
    rule = FlushRule(rows=config.flush_rows, ticks=config.flush_ticks)
    client_id = f"calm.{settings.namespace}.{NAME}"

    def bury(received: Received, error: str) -> None:
        # Few and far between: a producer that lives no longer than a letter cannot be one that has failed before.
        with FrameProducer(settings.bootstrap, namespace=settings.namespace, client_id=client_id) as producer:
            DeadLetters(producer).bury(received, error)
            producer.flush()  # before a file can cover its offset

    def connect() -> FrameConsumer:
        return FrameConsumer(
            settings.bootstrap,
            client_id=client_id,
            fetch_max_wait_ms=settings.fetch_max_wait_ms,
            committed_only=settings.transactions,
        )

    archive = Archive(topics, (settings.lake, settings.truth), rule, bury, telemetry)

    loop = ArchiveLoop(archive, connect)
    return Service(
        loop=loop.run,
        routers=[create_router(archive, loop, settings.api_token)],
        ready=lambda: loop.ready,
        health=lambda: {"streams": archive.counts()},
        description="Writes every stream to the Parquet lake, exactly once by offsets.",
    )


def main() -> int:
    """Run the archiver; return its exit code."""
    return run_service(NAME, build)


if __name__ == "__main__":
    sys.exit(main())
