"""What a run knows of models and policies: the scenario's `policy` and `training` checked, training, deployment."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.contracts.errors import BadInput
from models.policies import catalog
from models.policies.points import Policy, policy_id
from models.policies.rules import DecisionRules

if TYPE_CHECKING:
    from infra.runs import RunDir
    from models.attention.model import AttentionConfig
    from models.serving.scorer import Scorer
    from models.training.settings import TrainingConfig
    from services.experiments.stack import Stack


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A checkpoint, and how good it was on people it had not seen (by head; empty where that is not known)."""

    checkpoint: Path
    version: str
    heads: dict[str, dict[str, Any]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LearningPlan:
    """Policy, rules, and the settings of model and training."""

    policy: Policy
    policy_parameters: dict[str, Any]
    rules: DecisionRules
    attention: "AttentionConfig"
    training: "TrainingConfig"
    seed: int

    @classmethod
    def of_scenario(cls, policy: Mapping[str, Any], training: Mapping[str, Any], seed: int) -> "LearningPlan":
        """Check a scenario's `policy` {name, rules, parameters…} and `training` mappings; raises BadInput."""
        from models.training.settings import parse  # noqa: PLC0415 - brings torch

        given = dict(policy)
        name = given.pop("name", None)
        if not isinstance(name, str):
            raise BadInput("policy: say which: policy: {name: threshold}")
        rules = _rules(given.pop("rules", {}))
        attention, config = parse(dict(training) | {"seed": seed})
        attention.check_streaming()  # what a run trains, it serves
        return cls(
            policy=catalog.create(name, given),
            policy_parameters=given,
            rules=rules,
            attention=attention,
            training=config,
            seed=seed,
        )

    @property
    def needs_scores(self) -> bool:
        """Whether the policy looks at scores: true of any that does not say otherwise."""
        return bool(getattr(self.policy, "needs_scores", True))

    @property
    def policy_id(self) -> str:
        """Name and parameters of the policy, as decisions carry it."""
        return policy_id(self.policy)


def _rules(given: object) -> DecisionRules:
    if not isinstance(given, Mapping):
        raise BadInput("policy.rules: must be a mapping such as {daily_cap: 3}")
    return DecisionRules.of(given)


def learn(plan: LearningPlan, folder: "RunDir", checkpoint: Path | None, workers: int = 1) -> TrainedModel:
    """The given checkpoint, or one trained on the run's lake: on Ray, or in this process with 0 workers.

    Raises BadInput, EnvironmentFailed.
    """
    if checkpoint is not None:
        return load_model(checkpoint)
    from models.training.settings import TrainingRequest  # noqa: PLC0415 - brings torch
    from models.training.train import train  # noqa: PLC0415 - as above

    request = TrainingRequest(
        lake=folder.lake,
        out_dir=folder.model,
        truth=folder.truth if folder.truth.is_dir() else None,
        model=plan.attention,
        training=plan.training,
        workers=workers,
    )
    result = train(request)
    return TrainedModel(
        checkpoint=result.checkpoint_dir, version=result.version, heads=result.heads, notes=result.notes
    )


def load_model(checkpoint: Path) -> TrainedModel:
    """A checkpoint that exists already, with the quality it was saved with. Raises BadInput."""
    from models.attention import checkpoint as checkpoints  # noqa: PLC0415 - brings torch

    loaded = checkpoints.load(checkpoint)
    about = loaded.info
    return TrainedModel(
        checkpoint=checkpoint,
        version=loaded.version,
        heads=about.get("metrics", {}),
        notes=tuple(about.get("notes", ())),
    )


def untrained(plan: LearningPlan, folder: "RunDir") -> TrainedModel:
    """A checkpoint with the weights that training would start from; its version says so."""
    import torch  # noqa: PLC0415 - heavy

    from models.attention import checkpoint as checkpoints  # noqa: PLC0415 - brings torch
    from models.attention.model import AttentionModel  # noqa: PLC0415 - as above

    torch.manual_seed(plan.seed)
    note = "untrained: its scores mean nothing"
    version = checkpoints.save(folder.model, AttentionModel(plan.attention), {"metrics": {}, "notes": [note]})
    return TrainedModel(checkpoint=folder.model, version=version, heads={}, notes=(note,))


def deploy(plan: LearningPlan, stack: "Stack", model: TrainedModel, score_from_tick: int | None = None) -> None:
    """Put the forward pass on Ray Serve, start monitor and interventions, and wait until they are ready.

    With `score_from_tick`, earlier ticks only build the monitor's state, and it has read them all when this returns.
    """
    from models.serving.app import Deployment  # noqa: PLC0415 - brings ray
    from models.serving.app import deploy as deploy_forward  # noqa: PLC0415 - as above

    policy = {"name": plan.policy.name, "parameters": plan.policy_parameters}
    decider = {"policy": policy, "rules": asdict(plan.rules), "seed": plan.seed, "first_tick": score_from_tick}
    # Before the model, which it does not need: a process takes seconds to start, and so does a replica.
    stack.start_service("interventions", decider)
    deploy_forward(model.checkpoint, Deployment(spans_dir=stack.run.spans))
    stack.start_service("monitor", {"score_from_tick": score_from_tick or 0})
    stack.services.wait_ready("monitor")
    stack.services.wait_ready("interventions")
    if score_from_tick is not None:
        stack.services.wait_for("monitor", "/healthz", lambda health: health.get("tick") == score_from_tick - 1)
    stack.write_live()


def open_scorer(model: TrainedModel) -> "Scorer":
    """A scorer with the checkpoint's forward pass in this process."""
    from models.serving.local import load  # noqa: PLC0415 - brings torch
    from models.serving.scorer import Scorer, ScorerConfig  # noqa: PLC0415 - as above

    return Scorer(load(model.checkpoint), ScorerConfig())
