"""A service for the tests of hosting: what its loop does stands in its configuration file. Run as a program."""

import os
import sys
import threading

from fastapi import APIRouter
from pydantic import BaseModel

from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.hosting.config import read_config
from infra.hosting.process import run_service
from infra.hosting.service import Service
from infra.settings import Settings
from infra.telemetry import names
from infra.telemetry.setup import Telemetry


class Behaviour(BaseModel):
    """How the loop ends: when told to, at once, or by an error."""

    loop: str = "obedient"
    build: str = "fine"


def build(settings: Settings, telemetry: Telemetry) -> Service:
    """Put the service together."""
    behaviour = read_config(settings.config_file, Behaviour)
    if behaviour.build == "bad input":
        raise BadInput("the checkpoint is missing: train first")
    if behaviour.build == "slow":
        print("building", flush=True)  # noqa: T201 - the test waits for it
        threading.Event().wait(60)
    router = APIRouter()

    @router.get("/boom")
    def boom(kind: str) -> None:
        raise BadInput("mend it") if kind == "bad" else EnvironmentFailed("gone")

    def loop(stop: threading.Event) -> None:
        telemetry.tracer.start_span("work").end()
        telemetry.measures.add(names.METRIC_ROWS_RECEIVED, 3)
        if behaviour.loop == "crash":
            raise RuntimeError("a bug\nover two lines")
        if behaviour.loop == "verdict":
            raise BadInput("the snapshot is of another model")
        if behaviour.loop == "return":
            return
        stop.wait()
        if behaviour.loop == "slow end":
            threading.Event().wait(60)

    return Service(
        loop=loop,
        routers=[router],
        ready=lambda: behaviour.loop != "never ready",
        health=lambda: {"own_pid": os.getpid()},
        close=lambda: print("closed", flush=True),  # noqa: T201 - the test looks for it
    )


if __name__ == "__main__":
    sys.exit(run_service("hosted", build))
