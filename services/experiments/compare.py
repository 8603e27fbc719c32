"""Comparing policies: every arm lives through the same days with the same random numbers, in process.

A seed is a population of its own. Within a seed all arms share people and draws, so that an arm's difference to the
baseline is what its policy changed; the interval is over seeds, because people of one seed meet each other.
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infra import runs
from infra.console import progress_bar, say
from infra.contracts.errors import BadInput
from infra.contracts.metrics import METRICS
from models.policies.engine import DecisionEngine
from services.experiments.compare_page import build_compare_page
from services.experiments.display import Display
from services.experiments.effect import PRIMARY, paired_difference
from services.experiments.inprocess import Mind, run_closed, run_ticks
from services.experiments.interrupts import Interrupts
from services.experiments.lake_source import write_warmup
from services.experiments.learning import LearningPlan, TrainedModel, learn, open_scorer
from services.experiments.run import write_scenario
from simulation.core.model import Metaverse
from simulation.scenarios.model import Scenario

Measures = dict[str, NDArray[np.float64]]
MAX_SEEDS = 1_000


@dataclass(frozen=True, kw_only=True)
class CompareRequest:
    """What to compare. The first policy is the baseline; `seeds` populations, from the scenario's seed on."""

    scenario: Scenario
    policies: tuple[str, ...]
    seeds: int
    runs: Path
    command: str
    model: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One policy on one population."""

    policy: str
    seed: int
    measures: Measures
    applied: int


def compare(request: CompareRequest) -> dict[str, Any]:
    """Run all arms and return the result that the page is made of; Ctrl-C keeps the seeds that are complete."""
    plans = _plans(request)
    folder = runs.create(request.runs, f"compare-{request.scenario.name}", request.scenario.seed)
    say(f"run {folder.run_id}")
    write_scenario(folder, request.scenario, request.scenario.seed)
    folder.write_json("environment.json", runs.environment())
    started = time.perf_counter()
    arms: list[Arm] = []
    with Interrupts() as interrupts, progress_bar() as progress:
        display = Display(progress)
        try:
            with display.phase("train"):
                trained = _model(request, plans, folder)
            with display.phase("compare", request.seeds * len(plans)) as step:
                _run_arms(request, plans, trained, arms, step)
        except KeyboardInterrupt:
            trained = None if not arms else trained
        result = _result(request, arms, partial=interrupts.stop.is_set())
    result |= {"run_id": folder.run_id, "wall_s": round(time.perf_counter() - started, 2)}
    result["model"] = {"version": trained.version, "heads": trained.heads} if trained else None
    folder.write_json("summary.json", result)
    if arms:
        build_compare_page(result, folder.path / "report.html")
    return result


def _plans(request: CompareRequest) -> dict[str, LearningPlan]:
    """A checked plan for each policy; the scenario's parameters go to the policy that it names."""
    if len(set(request.policies)) != len(request.policies) or len(request.policies) < 2:
        raise BadInput("--policies: name at least two different policies, such as never,threshold")
    if not 1 <= request.seeds <= MAX_SEEDS:
        raise BadInput(f"--seeds {request.seeds}: give a number from 1 to {MAX_SEEDS}")
    scenario = request.scenario
    plans = {}
    for name in request.policies:
        given = dict(scenario.policy) if scenario.policy.get("name") == name else {"name": name}
        given.setdefault("rules", scenario.policy.get("rules", {}))
        plans[name] = LearningPlan.of_scenario(given, scenario.training, scenario.seed)
    return plans


def _model(request: CompareRequest, plans: dict[str, LearningPlan], folder: runs.RunDir) -> TrainedModel | None:
    """The given checkpoint, or one trained on the first seed's warm-up; None where no policy looks at scores."""
    plan = next((plan for plan in plans.values() if plan.needs_scores), None)
    if plan is None:
        return None
    if request.model is None:
        if request.scenario.warmup_ticks == 0:
            raise BadInput(
                "a policy looks at scores, and there is nothing to train on: set warmup_days, or give --model"
            )
        write_warmup(request.scenario, folder)
    return learn(plan, folder, request.model, workers=0)


def _run_arms(
    request: CompareRequest,
    plans: dict[str, LearningPlan],
    trained: TrainedModel | None,
    arms: list[Arm],
    step: Callable[[int], None],
) -> None:
    first = request.scenario.seed
    for seed in range(first, first + request.seeds):
        of_seed = []
        for plan in plans.values():
            of_seed.append(run_arm(request.scenario, seed, plan, trained))
            step(1)
        arms.extend(of_seed)


def run_arm(scenario: Scenario, seed: int, plan: LearningPlan, trained: TrainedModel | None) -> Arm:
    """Warm-up and run of one policy on one population."""
    population = Metaverse(scenario, seed)
    scorer = open_scorer(trained) if trained and plan.needs_scores else None
    run_ticks(population, scenario.warmup_ticks, (lambda output: scorer.ingest(output.events)) if scorer else None)
    population.start_measuring()
    mind = Mind(engine=DecisionEngine(plan.policy, plan.rules, seed), scorer=scorer)
    applied = run_closed(population, mind, scenario.ticks)
    return Arm(policy=plan.policy.name, seed=seed, measures=population.measure(), applied=applied)


def _result(request: CompareRequest, arms: list[Arm], *, partial: bool) -> dict[str, Any]:
    scenario = request.scenario
    seeds = sorted({arm.seed for arm in arms})
    return {
        "policies": list(request.policies),
        "seeds": seeds,
        "primary": PRIMARY,
        "scenario": scenario.name,
        "people": scenario.people,
        "days": scenario.days,
        "partial": partial,
        "metrics": {
            name: {"unit": metric.unit, "better": metric.better, "title": metric.title}
            for name, metric in METRICS.items()
        },
        "values": [
            {"policy": arm.policy, "seed": arm.seed, "metric": name, "value": _mean(arm.measures[name])}
            for arm, name in itertools.product(arms, METRICS)
        ],
        "differences": [
            _difference(arms, policy, request.policies[0], name)
            for policy, name in itertools.product(request.policies[1:], METRICS)
        ]
        if arms
        else [],
        "interventions_applied": [{"policy": arm.policy, "seed": arm.seed, "applied": arm.applied} for arm in arms],
        "reproduce": {
            "command": request.command,
            "seed": scenario.seed,
            "versions": runs.environment()["versions"],
        },
    }


def _difference(arms: list[Arm], policy: str, baseline: str, metric: str) -> dict[str, Any]:
    """Mean difference to the baseline with Student's interval over seeds; over people where there is one seed."""
    measured = {(arm.policy, arm.seed): arm.measures[metric] for arm in arms}
    seeds = sorted({arm.seed for arm in arms})
    if len(seeds) == 1:
        found = paired_difference(measured[policy, seeds[0]], measured[baseline, seeds[0]])
    else:
        pairs = [_paired_means(measured[policy, seed], measured[baseline, seed]) for seed in seeds]
        ours, theirs = np.array(pairs).T
        found = paired_difference(ours, theirs)
    return {
        "policy": policy,
        "baseline": baseline,
        "metric": metric,
        "difference": found.difference,
        "ci_low": found.ci_low,
        "ci_high": found.ci_high,
        "seeds": len(seeds),
    }


def _paired_means(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> tuple[float, float]:
    """Means over the people whom both arms measured."""
    both = np.isfinite(ours) & np.isfinite(theirs)
    return _mean(ours[both]), _mean(theirs[both])


def _mean(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
