"""The services without a population: what a load test, or outside clients of the gateway, run against."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from infra import runs
from infra.console import say
from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.runs import RunDir
from services.experiments.interrupts import Interrupts
from services.experiments.learning import LearningPlan, TrainedModel, deploy, load_model, untrained
from services.experiments.stack import Stack, StackOptions

_WATCH_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class UpRequest:
    """Where the run folder is, which namespace, model and policy; without a model, one that is not trained."""

    run_dir: Path
    namespace: str
    policy: str
    seed: int
    model: Path | None = None
    stack: StackOptions = field(default_factory=StackOptions)


def up(request: UpRequest) -> None:
    """Start broker, Ray and all services; return after SIGTERM or Ctrl-C, with everything stopped."""
    plan = LearningPlan.of_scenario({"name": request.policy}, {}, request.seed)
    folder = _folder(request.run_dir)
    model = load_model(request.model) if request.model else untrained(plan, folder)
    with Interrupts() as interrupts:
        try:
            with Stack(folder, request.stack, request.namespace) as stack:
                _start(stack, plan, model, interrupts)
                with interrupts.patient() as stop:
                    _hold(stack, stop)
        except KeyboardInterrupt:
            say("stopped before everything was up")


def _folder(path: Path) -> RunDir:
    try:
        for name in ("lake", "spans", "logs"):
            (path / name).mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise EnvironmentFailed(f"cannot create {path}: {problem.strerror}: choose another --run-dir") from problem
    if (path / "live.json").exists():
        raise BadInput(f"{path} belongs to a running system (it has a live.json): choose another --run-dir")
    folder = RunDir(path.resolve())
    folder.write_json("environment.json", runs.environment())
    return folder


def _start(stack: Stack, plan: LearningPlan, model: TrainedModel, interrupts: Interrupts) -> None:
    stack.start_service("archiver")
    stack.start_service("gateway")
    stack.start_ray()
    interrupts.take()
    stack.services.wait_ready("archiver")
    stack.services.wait_ready("gateway")
    deploy(plan, stack, model)
    stack.write_live(complete=True, model_version=model.version, policy=plan.policy_id)
    say(f"up: broker {stack.broker.bootstrap}, namespace {stack.namespace}; Ctrl-C stops it")


def _hold(stack: Stack, stop: threading.Event) -> None:
    while not stop.wait(_WATCH_SECONDS):
        stack.watch()
