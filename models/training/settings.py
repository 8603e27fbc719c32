"""What a training is told: settings as frozen data, and how text becomes settings."""

import dataclasses
import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.contracts.draws import Purpose, bits
from infra.contracts.errors import BadInput
from infra.contracts.worlds import World
from models.attention.model import AttentionConfig
from models.features.outside_map import LogMap
from models.training.pretraining import catalog
from models.training.tracking.tracker import Tracking

TRAINING, PRETRAINING = "training", "pretraining"
"""Phases of a training."""

WORLDS = tuple(world.label for world in World if world is not World.NONE)
"""Worlds that a training can be limited to."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How to train.

    horizon_min: how long (min, simulated) an exposure may wait for its answer, and how far ahead the next reading or
    event is looked for; 0 for as long as it takes.
    train_share, validation_share: of people; the rest is the test. time_share: of the training people's time, what is
    later validates. batch_tokens: tokens a step and worker. sequence_tokens: longest piece of one person.
    patience: epochs without a better validation loss before it stops. threads: of torch, a worker. head_weights: how
    much each head counts in the joint loss, as "name:number"; 1 for those not named. savepoint_steps: steps between two
    savepoints; no more than these are repeated after a worker died. worlds: whose events' labels carry loss and
    validate, all when empty; events of other worlds are context, and the test is of all worlds whatever is said here.
    label_share: of the people that train and validate, those whose labels are known; the events of the others are
    context. start: number of the random start, which draws first weights, order, dropout and who is labelled; the split
    is that of the seed whatever the start. pretrain: what is learned first, from events without labels
    (`models.training.pretraining`), or none; for pretrain_epochs, at pretrain_learning_rate. label_smoothing: share of
    a label's weight that is spread evenly over all classes (Szegedy et al. 2016, section 7), in the loss of training
    steps alone: validation and every reported log loss are of the labels as they are.
    """

    seed: int = 1
    epochs: int = 5
    patience: int = 2
    learning_rate: float = 6e-3
    weight_decay: float = 0.01
    warmup_share: float = 0.08
    clip: float = 1.0
    batch_tokens: int = 2_048
    sequence_tokens: int = 256
    horizon_min: float = 30.0
    train_share: float = 0.7
    validation_share: float = 0.1
    time_share: float = 0.85
    threads: int = 1
    savepoint_steps: int = 100
    head_weights: tuple[str, ...] = ()
    worlds: tuple[str, ...] = ()
    label_share: float = 1.0
    start: int = 0
    pretrain: str = catalog.NONE
    pretrain_epochs: int = 2
    pretrain_learning_rate: float = 6e-3
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        positive = (
            *("epochs", "patience", "learning_rate", "clip"),
            *("batch_tokens", "sequence_tokens", "threads", "savepoint_steps"),
            *("pretrain_epochs", "pretrain_learning_rate"),
        )
        for name in positive:
            if getattr(self, name) <= 0:
                raise BadInput(f"{name}={getattr(self, name)} must be above 0")
        for name in ("train_share", "validation_share", "time_share", "label_share"):
            if not 0 < getattr(self, name) <= 1:
                raise BadInput(f"{name}={getattr(self, name)} must be above 0 and at most 1")
        if self.train_share + self.validation_share >= 1:
            raise BadInput("train_share + validation_share must leave people for the test: below 1")
        if self.horizon_min < 0 or self.weight_decay < 0 or not 0 <= self.warmup_share < 1:
            raise BadInput("horizon_min and weight_decay must not be negative, warmup_share must be in [0, 1)")
        if not 0 <= self.label_smoothing < 0.5:
            raise BadInput(f"label_smoothing={self.label_smoothing} must be at least 0 and below 0.5")
        if self.start < 0:
            raise BadInput(f"start={self.start} must not be negative: starts are numbered from 0")
        self._given_weights()
        check_worlds(self.worlds)
        catalog.check(self.pretrain)

    @property
    def start_seed(self) -> int:
        """What first weights, order, dropout and the choice of labelled people are drawn from; `seed` at start 0."""
        return self.seed if not self.start else int(bits(self.seed, int(Purpose.START), self.start, 0, 0)[0] >> 33)

    @property
    def horizon_us(self) -> int | None:
        """The horizon in µs, None for no limit."""
        return round(self.horizon_min * 60e6) or None

    def weights(self, heads: tuple[str, ...]) -> npt.NDArray[np.float64]:
        """(H,) weights of `heads` in the joint loss, scaled to a mean of 1."""
        given = self._given_weights()
        weights = np.array([given.get(name, 1.0) for name in heads])
        return np.asarray(weights / weights.mean(), dtype=np.float64)

    def check_heads(self, heads: tuple[str, ...]) -> None:
        """Raises BadInput where a weight is given for a head that is not one of `heads`."""
        strange = [name for name in self._given_weights() if name not in heads]
        if strange:
            raise BadInput(
                f"head_weights names '{strange[0]}', which is no output of this model: the outputs are "
                f"{', '.join(heads)} (--set outputs=…)"
            )

    def _given_weights(self) -> dict[str, float]:
        weights: dict[str, float] = {}
        for text in self.head_weights:
            name, _, number = text.partition(":")
            try:
                weights[name.strip()] = float(number)
            except ValueError:
                raise BadInput(f"head_weights: '{text}' must be NAME:NUMBER, such as interaction:1,lapse:0.5") from None
            if not 0 < weights[name.strip()] < math.inf:
                raise BadInput(f"head_weights: the weight in '{text}' must be above 0; leave a head out with outputs=…")
        return weights


def check_worlds(names: tuple[str, ...]) -> None:
    """Raises BadInput where one of `names` is no world."""
    for name in names:
        if name not in WORLDS:
            raise BadInput(f"no world is called '{name}'; there are: {', '.join(WORLDS)}")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A report after each epoch: mean log losses over heads, as weighted; tokens_per_s is of the training part.

    input_wait_share: of the training part's time, what was spent waiting for the next batch. phase: `pretraining` has a
    loss of its own in the place of log losses.
    """

    epoch: int
    epochs: int
    train_loss: float
    validation_loss: float
    tokens_per_s: float
    input_wait_share: float = 0.0
    phase: str = TRAINING


@dataclass(frozen=True, kw_only=True)
class OutsideLog:
    """Somebody else's log, to train on instead of a lake: the file, and how its columns map."""

    file: Path
    mapping: LogMap


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """A lake (or an outside log) to train on and where the checkpoint goes.

    truth: the root that holds the `truth` stream, for evaluation only; None where nothing is known. ticks: which part
    of the lake, all of it when None. workers: Ray Train workers; 0 trains in this process, without Ray. resume: go on
    from the newest savepoint of a training that was stopped. mlflow: address of an MLflow server that is told too.
    """

    lake: Path
    out_dir: Path
    truth: Path | None = None
    ticks: range | None = None
    model: AttentionConfig = field(default_factory=AttentionConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    workers: int = 1
    resume: bool = False
    log: OutsideLog | None = None
    mlflow: str | None = None
    progress: Callable[[Progress], None] | None = None

    def __post_init__(self) -> None:
        self.training.check_heads(self.model.outputs)

    @property
    def savepoints(self) -> Path:
        """Where the savepoints are while it trains."""
        return self.out_dir / "training"

    @property
    def tracking(self) -> Tracking:
        """Where it is logged."""
        return Tracking(out_dir=self.out_dir, mlflow=self.mlflow)


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """Where the checkpoint is and how good it is. heads: metrics by head as in the run's summary (evaluation)."""

    checkpoint_dir: Path
    version: str
    heads: dict[str, dict[str, Any]]
    notes: tuple[str, ...]
    history: tuple[Progress, ...]
    seconds: dict[str, float]


def parse(values: Mapping[str, Any]) -> tuple[AttentionConfig, TrainingConfig]:
    """Settings of model and training from one flat mapping; texts are read as the type of the setting.

    Raises BadInput for an unknown key (with the nearest known one) or a value of another type.
    """
    given = _given(values)
    model, training = (
        {each.name: given[each.name] for each in dataclasses.fields(config) if each.name in given}
        for config in (AttentionConfig, TrainingConfig)
    )
    attention, config = AttentionConfig(**model), TrainingConfig(**training)
    config.check_heads(attention.outputs)
    return attention, config


def setting_names() -> tuple[str, ...]:
    """Every key that `parse` knows."""
    return tuple(_DEFAULTS)


_DEFAULTS = {
    each.name: each.default for config in (AttentionConfig, TrainingConfig) for each in dataclasses.fields(config)
}


def check_known(values: Mapping[str, Any], known: tuple[str, ...], whose: str) -> None:
    """Raises BadInput for a key that is not one of `known`, with the nearest that is; `whose` settings they are."""
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
            raise BadInput(f"no setting of {whose} is called '{key}': {hint}")


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    check_known(values, setting_names(), "the model or the training")
    return {key: read_setting(key, value, _DEFAULTS[key]) for key, value in values.items()}


def read_setting(key: str, value: Any, default: Any) -> Any:  # noqa: ANN401  a number, a text or a list of texts
    """A setting's value as the type of its default. Raises BadInput where it cannot be read so."""
    try:
        if isinstance(default, tuple):
            parts = value.split(",") if isinstance(value, str) else list(value)
            return tuple(str(part).strip() for part in parts)
        return type(default)(value)
    except (TypeError, ValueError):
        raise BadInput(f"{key}={value!r} must be of type {type(default).__name__}") from None
