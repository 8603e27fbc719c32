"""The monitor process: events in, scores out. `python -m services.monitor.main`."""

import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from infra.contracts.errors import BadInput
from infra.contracts.topics import Topics
from infra.hosting.config import read_config
from infra.hosting.process import run_service
from infra.hosting.service import Service
from infra.settings import Settings
from infra.telemetry.setup import Telemetry
from models.serving.scorer import Scorer, ScorerConfig
from models.serving.shapes import Forward
from services.monitor.api import create_router
from services.monitor.consumer import LoopConfig, MonitorLoop
from services.monitor.domain import Phase
from services.monitor.handlers import ScoreHandler, TracedForward

NAME = "monitor"


class MonitorConfig(BaseModel):
    """The monitor's own configuration file.

    The forward pass is on Ray Serve (`app`, at the settings' Ray address), or in this process with `checkpoint_dir`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    app: str = Field(default="attention", description="Name of the application on Ray Serve")
    checkpoint_dir: Path | None = Field(default=None, description="Checkpoint to run in this process instead")
    score_from_tick: int = Field(default=0, ge=0, description="First tick scored; earlier ones only build state")
    rows: int = Field(default=ScorerConfig.rows, ge=1, description="People in a chunk of the forward pass")
    steps: tuple[int, ...] = Field(default=ScorerConfig.steps, description="New tokens a padded row may score")
    snapshot_every: int = Field(default=LoopConfig.snapshot_every, ge=1, description="Ticks between snapshots")


def build(settings: Settings, telemetry: Telemetry) -> Service:
    """Put the monitor together."""
    config = read_config(settings.config_file, MonitorConfig)
    forward = TracedForward(open_forward(config, settings), telemetry)
    scorer = Scorer(forward, ScorerConfig(rows=config.rows, steps=config.steps))
    phase = Phase(score_from_tick=config.score_from_tick)
    handler = ScoreHandler(scorer, Topics(settings.namespace), phase, telemetry)
    loop_config = LoopConfig(
        snapshot_every=config.snapshot_every,
        silent_before=config.score_from_tick,
    )
    loop = MonitorLoop(handler, settings, loop_config, telemetry)
    return Service(
        loop=loop.run,
        routers=[create_router(loop)],
        ready=lambda: loop.ready,
        health=lambda: {"tick": loop.status().tick, "events_scored": loop.status().events_scored},
        description="Scores every event with the attention model.",
    )


def open_forward(config: MonitorConfig, settings: Settings) -> Forward:
    """The forward pass, here or on Ray Serve; raises BadInput where neither is configured."""
    if config.checkpoint_dir is not None:
        from models.serving.local import load  # noqa: PLC0415  brings torch, which only this way needs

        return load(config.checkpoint_dir)
    if settings.ray_address is None:
        raise BadInput("the monitor needs a model: set CALMVERSE_RAY_ADDRESS, or checkpoint_dir in its configuration")
    from models.serving.app import connect  # noqa: PLC0415  brings ray, which only this way needs

    return connect(settings.ray_address, config.app)


def main() -> int:
    """Run the monitor; return its exit code."""
    return run_service(NAME, build)


if __name__ == "__main__":
    sys.exit(main())
