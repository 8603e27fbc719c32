"""The interventions process: scores in, decisions and orders out. `python -m services.interventions.main`."""

import sys

from pydantic import BaseModel, ConfigDict, Field

from infra.contracts.topics import Topics
from infra.hosting.config import read_config
from infra.hosting.process import run_service
from infra.hosting.service import Service
from infra.settings import Settings
from infra.telemetry.setup import Telemetry
from models.policies import catalog
from models.policies.engine import DecisionEngine
from models.policies.points import parameters_of
from models.policies.rules import DecisionRules
from services.interventions.api import create_router
from services.interventions.consumer import DecisionLoop, LoopConfig
from services.interventions.handlers import DecideHandler
from services.interventions.store import DecisionStore

NAME = "interventions"


class PolicyChoice(BaseModel):
    """The policy to begin with; a policy put in force later through the API stays across restarts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "threshold"
    parameters: dict[str, float] = Field(default_factory=dict)


class InterventionsConfig(BaseModel):
    """The configuration file of interventions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(default=0, description="Seed of the policy's draws: the run's")
    policy: PolicyChoice = PolicyChoice()
    rules: dict[str, float] = Field(default_factory=dict, description="Caps, by the names of DecisionRules")
    first_tick: int | None = Field(
        default=None, ge=0, description="First tick decided on; earlier ones are passed over"
    )
    snapshot_every: int = Field(default=LoopConfig.snapshot_every, ge=1, description="Ticks between snapshots")


def build(settings: Settings, telemetry: Telemetry) -> Service:
    """Put interventions together."""
    config = read_config(settings.config_file, InterventionsConfig)
    policy = catalog.create(config.policy.name, config.policy.parameters)
    engine = DecisionEngine(policy, DecisionRules.of(config.rules), config.seed)
    store = DecisionStore(settings.snapshots / "interventions.sqlite")
    if not store.timeline():
        store.change(policy.name, parameters_of(policy))
    handler = DecideHandler(engine, store, Topics(settings.namespace), telemetry)
    loop_config = LoopConfig(snapshot_every=config.snapshot_every, first_tick=config.first_tick)
    loop = DecisionLoop(handler, settings, loop_config, telemetry)
    return Service(
        loop=loop.run,
        routers=[create_router(store, settings.api_token)],
        ready=lambda: loop.ready,
        health=lambda: vars(handler.progress),
        close=store.close,
        description="Decides at every eligible point whether to offer a practice, and which.",
    )


def main() -> int:
    """Run interventions; return its exit code."""
    return run_service(NAME, build)


if __name__ == "__main__":
    sys.exit(main())
