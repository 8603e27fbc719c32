"""`calmverse watch`: a population in one thread, its page in another, until Ctrl-C."""

import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from infra.bus.ports import HOST, free_port, require_free
from infra.console import say
from infra.contracts.errors import BadInput
from models.policies.engine import DecisionEngine
from services.experiments.inprocess import Mind, run_ticks
from services.experiments.learning import LearningPlan, load_model, open_scorer
from services.experiments.watch.api import create_router
from services.experiments.watch.population import Pace, WatchedPopulation
from simulation.core.model import Metaverse
from simulation.scenarios.model import Scenario

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, kw_only=True)
class WatchRequest:
    """What to watch, at which pace, on which port (0: a free one). `model` is for policies that look at scores."""

    scenario: Scenario
    pace: Pace
    port: int
    command: str
    model: Path | None = None


def watch(request: WatchRequest) -> None:
    """Show the population until Ctrl-C.

    Raises BadInput for a policy without the model it needs, EnvironmentFailed for a port that is taken.
    """
    scenario = request.scenario
    mind = _mind(request)
    port = require_free(request.port) if request.port else free_port()
    population = Metaverse(scenario)
    run_ticks(population, scenario.warmup_ticks)
    watched = WatchedPopulation(population, mind, scenario.ticks, request.pace)
    title = f"{scenario.name}: {scenario.people:,} people, policy {mind.engine.policy.name}, seed {scenario.seed}"
    app = FastAPI(title="Calmverse watch", docs_url=None, redoc_url=None)
    app.include_router(create_router(watched, title, request.command))
    config = uvicorn.Config(app, host=HOST, port=port, log_config=None, access_log=False)
    say(f"watch {title}\nopen http://{HOST}:{port}  (Ctrl-C ends it)")
    _serve(uvicorn.Server(config), watched)
    if watched.failure is not None:
        raise watched.failure
    say("stopped")


def _mind(request: WatchRequest) -> Mind:
    scenario = request.scenario
    plan = LearningPlan.of_scenario(scenario.policy, scenario.training, scenario.seed)
    engine = DecisionEngine(plan.policy, plan.rules, scenario.seed)
    if not plan.needs_scores:
        return Mind(engine=engine)
    if request.model is None:
        raise BadInput(
            f"policy {plan.policy.name} looks at scores: give a checkpoint with --model, such as runs/latest/model, "
            "or choose --policy random or never"
        )
    model = load_model(request.model)
    return Mind(engine=engine, scorer=open_scorer(model), model_version=model.version)


def _serve(server: uvicorn.Server, watched: WatchedPopulation) -> None:
    """Serve until a signal; the population's thread has ended when this returns."""
    thread = threading.Thread(target=watched.run, name="population", daemon=True)
    # The server takes signals itself and raises them again when it is done: then there is nothing left to do.
    before = {number: signal.signal(number, _heard) for number in _SIGNALS}
    thread.start()
    try:
        server.run()
    finally:
        watched.stop()
        thread.join()
        for number, handler in before.items():
            signal.signal(number, handler)


def _heard(number: int, frame: FrameType | None) -> None:
    """Take note of a signal that has been dealt with."""
    del number, frame
