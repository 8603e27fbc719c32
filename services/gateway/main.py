"""The gateway process: events from outside, over HTTP, into Kafka. `python -m services.gateway.main`."""

import sys

from infra.bus.producer import FrameProducer
from infra.contracts.topics import Topics
from infra.hosting.config import read_config
from infra.hosting.process import run_service
from infra.hosting.service import Service
from infra.settings import Settings
from infra.telemetry.setup import Telemetry
from services.gateway.api import create_router
from services.gateway.domain import to_batch
from services.gateway.handlers import Intake
from services.gateway.limits import GatewayConfig
from services.gateway.outbox import Outbox

NAME = "gateway"


def build(settings: Settings, telemetry: Telemetry) -> Service:
    """Put the gateway together."""

    def connect() -> FrameProducer:
        return FrameProducer(
            settings.bootstrap,
            namespace=settings.namespace,
            client_id=f"calm.{settings.namespace}.{NAME}",
            tracer=telemetry.tracer,
        )

    config = read_config(settings.config_file, GatewayConfig)
    to_batch([], [])  # Arrow looks for pandas when it first reads Python objects: half a second, not in a request
    outbox = Outbox(settings.snapshots / f"{NAME}.sqlite", config.remembered_events)
    intake = Intake(outbox, Topics(settings.namespace).events, connect, telemetry, config.waiting_requests)
    return Service(
        loop=intake.run,
        routers=[create_router(intake, config, telemetry, settings.api_token)],
        ready=lambda: intake.ready,
        close=outbox.close,
        description="Takes CloudEvents from outside and puts them into the events topic.",
    )


def main() -> int:
    """Run the gateway; return its exit code."""
    return run_service(NAME, build)


if __name__ == "__main__":
    sys.exit(main())
