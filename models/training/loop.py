"""The training loop of one worker, and nothing about where it runs: no Ray, no files.

What is learned is an `Objective`: labels here, events without labels in `models.training.pretraining`.

Deterministic on one worker and one thread: the batch of a step is a function of (seed, epoch, step), the weights
start from the seed, and every operation adds in a fixed order.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.attention import catalog
from models.attention.checkpoint import Weights, weights_of
from models.training.batches import Batch, Indices, Pieces, batches, cut, plan
from models.training.dataset import Dataset
from models.training.losses import JointLoss, mean_log_losses
from models.training.savepoints import Position, Savepoints, State
from models.training.settings import TRAINING, Progress, TrainingConfig
from models.training.split import Role
from models.training.tracking.tracker import EVERY, Nowhere, Tracker

Module = TypeVar("Module", bound=nn.Module)
_BETAS = (0.9, 0.98)  # a training has some thousand steps: the second moment must forget faster than in 0.999


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where this worker stands among others: its rank, how many there are, its device, and how it wraps the model.

    `wrap` makes the module that is called in training (which shares gradients among workers); `mean` averages a
    number over workers. tracker: the log that this worker's steps are told to; where there are several, of rank 0.
    phase: what they are called there.
    """

    rank: int = 0
    workers: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    wrap: Callable[[nn.Module], nn.Module] = lambda module: module
    mean: Callable[[float], float] = lambda number: number
    tracker: Tracker = field(default_factory=Nowhere)
    phase: str = TRAINING


@dataclass(frozen=True)
class Trainee(Generic[Module]):
    """A module that can be trained: (kind, features, item, time_us, mask) -> logits (B, T, H), as `Batch.inputs` gives.

    heads: its last layers by name, each with a `bias` to start at the base rates; None where it starts as it is.
    context: tokens that one score may depend on, its own included; pieces begin so many tokens early. Parameters that
    want no gradient stay as they are.
    """

    module: Module
    heads: nn.ModuleDict | None
    context: int


@dataclass(frozen=True)
class Trained:
    """The weights of the best epoch on validation, and a report of each epoch."""

    weights: Weights
    history: tuple[Progress, ...]

    def load_into(self, module: nn.Module) -> None:
        """Give a module these weights."""
        module.load_state_dict({name: torch.from_numpy(array) for name, array in self.weights.items()})


class Objective(Protocol):
    """What is learned. pieces: those of training; batch_tokens: padded tokens a batch and worker."""

    pieces: Pieces
    batch_tokens: int

    def batches(self, planned: list[Indices], epoch: int) -> Iterator[Any]:
        """The batches of a plan, each with the `mask` (B, T) of its real tokens."""
        ...

    def loss(self, module: nn.Module, batch: Any) -> Tensor:  # noqa: ANN401  each objective has batches of its own
        """The loss of a batch, by calling `module`, which may share gradients among workers."""
        ...

    def validation_loss(self, module: nn.Module) -> float:
        """What tells the best epoch: lower is better. May leave the module in evaluation mode."""
        ...


def fit_module(
    dataset: Dataset,
    build: Callable[[], Trainee[Module]],
    training: TrainingConfig,
    report: Callable[[Progress, Module], None],
    place: Place | None = None,
    savepoints: Savepoints | None = None,
) -> Trained:
    """Train on the TRAIN events of `dataset`, stop early on its VALIDATION events. Sets torch's threads and seed.

    `build` is called once the seed is set, so that the first weights are a function of it. With `savepoints` the
    training goes on from the newest, and ends with the weights that it would have had anyway.
    """
    place = place or Place()

    def begin() -> tuple[Module, Objective]:
        trainee = build()
        trainee.module.to(place.device)
        if trainee.heads is not None:
            _start_at_base_rates(trainee.heads, dataset)
        return trainee.module, Labelled(dataset, trainee.context, training, place)

    return fit_objective(begin, training, report, place, savepoints)


def fit_objective(
    begin: Callable[[], tuple[Module, Objective]],
    training: TrainingConfig,
    report: Callable[[Progress, Module], None],
    place: Place | None = None,
    savepoints: Savepoints | None = None,
) -> Trained:
    """Train the module of `begin` for what it is to learn; as `fit_module`, which does so for labels."""
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.start_seed)
    module, objective = begin()
    return _Fit(module, objective, training, place or Place()).run(report, savepoints)


class Labelled:
    """The objective of a training on labels: the joint loss of all heads."""

    def __init__(self, dataset: Dataset, context: int, training: TrainingConfig, place: Place) -> None:
        self.dataset, self.training, self.device = dataset, training, place.device
        self.batch_tokens = training.batch_tokens
        self.pieces = self._cut(Role.TRAIN, context)
        self.held_out = self._cut(Role.VALIDATION, context)
        self.counted = dataset.known & (dataset.role == Role.TRAIN)[:, None]
        planned = len(plan(self.pieces, training.batch_tokens, (training.start_seed, 0)))
        labels_a_batch = torch.from_numpy(self.counted.sum(axis=0) / max(planned, 1)).float().to(place.device)
        self.weights = training.weights(dataset.heads)
        self.joint_loss = JointLoss(dataset.heads, self.weights, labels_a_batch, training.label_smoothing)

    def batches(self, planned: list[Indices], epoch: int) -> Iterator[Batch]:  # noqa: ARG002  the same in every epoch
        """The batches of a plan."""
        return batches(self.dataset, self.pieces, planned, self.counted)

    def loss(self, module: nn.Module, batch: Batch) -> Tensor:
        """The joint loss over the labels of a batch."""
        logits_btc = module(*batch.inputs(self.device))
        return self.joint_loss(logits_btc, batch.value.to(self.device), batch.counts.to(self.device))

    def validation_loss(self, module: nn.Module) -> float:
        """Weighted mean over heads of the log loss on held-out labels; on training ones where nothing is held out."""
        role = Role.VALIDATION if len(self.held_out) else Role.TRAIN
        pieces = self.held_out if len(self.held_out) else self.pieces
        counted = self.dataset.known & (self.dataset.role == role)[:, None]
        logits = predict_columns(module, self.dataset, pieces, self.batch_tokens)
        losses = mean_log_losses(self.dataset.heads, logits, self.dataset.value, counted)
        return float(np.nanmean(self.weights * losses))

    def _cut(self, role: Role, context: int) -> Pieces:
        return cut(self.dataset.person, self.dataset.scored(role), context, self.training.sequence_tokens)


@dataclass
class _Epoch:
    """What an epoch has come to: steps done, the loss of each, tokens, seconds on the whole and waiting for input."""

    step: int = 0
    losses: list[float] = field(default_factory=list)
    tokens: int = 0
    seconds: float = 0.0
    waited: float = 0.0


class _Step(NamedTuple):
    """What a step has shown: its loss, the norm of the gradients before they were clipped, and its learning rate."""

    loss: float
    gradient_norm: float
    learning_rate: float


class _Fit(Generic[Module]):
    """State of one training: model, optimiser, schedule, number `at` of the epoch, and what that epoch has come to."""

    def __init__(self, module: Module, objective: Objective, training: TrainingConfig, place: Place) -> None:
        self.objective, self.training, self.place = objective, training, place
        self.model = module.to(place.device)
        self.module = place.wrap(self.model)
        planned = len(self._plan(0))
        self.optimiser = torch.optim.AdamW(
            _groups(self.model, training.weight_decay), lr=training.learning_rate, betas=_BETAS, fused=True
        )
        steps = planned // place.workers * training.epochs
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, _warmup_cosine(training, max(steps, 1)))
        self.at, self.epoch = 0, _Epoch()
        self.told = (0, 0.0, 0.0)
        self.history: list[Progress] = []
        self.best = weights_of(self.model)

    def run(self, report: Callable[[Progress, Module], None], savepoints: Savepoints | None) -> Trained:
        self._go_on(savepoints)
        while self.at < self.training.epochs and not self._no_longer_better():
            progress = self._epoch(savepoints)
            if progress.validation_loss < min((each.validation_loss for each in self.history), default=math.inf):
                self.best = weights_of(self.model)
            self.history.append(progress)
            self._record({"validation_loss": progress.validation_loss})
            self.at, self.epoch = self.at + 1, _Epoch()
            report(progress, self.model)
        return Trained(self.best, tuple(self.history))

    def _no_longer_better(self) -> bool:
        """Whether the best epoch is `patience` epochs ago."""
        losses = [each.validation_loss for each in self.history]
        return bool(losses) and self.at - 1 - int(np.argmin(losses)) >= self.training.patience

    def _epoch(self, savepoints: Savepoints | None) -> Progress:
        self.module.train()
        done, mine, began = self.epoch, self._mine(self.at), time.perf_counter()
        self.told = (done.tokens, began, done.waited)
        for batch in self.objective.batches(mine[done.step :], self.at):
            done.waited += time.perf_counter() - began
            step = self._step(batch)
            done.losses.append(step.loss)
            done.tokens += int(batch.mask.sum())
            done.step += 1
            if done.step % EVERY == 0 or done.step == len(mine):
                self._tell(step)  # before it is saved: who goes on from there does not tell it again
            if savepoints is not None and done.step % self.training.savepoint_steps == 0:
                savepoints.save(Position(epoch=self.at, step=done.step), self._shared_state, self._own_state())
            now = time.perf_counter()
            done.seconds, began = done.seconds + now - began, now
        return Progress(
            epoch=self.at + 1,
            epochs=self.training.epochs,
            train_loss=self.place.mean(float(np.mean(done.losses)) if done.losses else math.nan),
            validation_loss=self.objective.validation_loss(self.model),
            tokens_per_s=done.tokens * self.place.workers / max(done.seconds, 1e-9),
            input_wait_share=done.waited / max(done.seconds, 1e-9),
        )

    def _tell(self, step: _Step) -> None:
        """Log the steps since the last that was logged: the mean of their losses, and how `step`, the last, went."""
        done, now, (tokens, began, waited) = self.epoch, time.perf_counter(), self.told
        self.told = (done.tokens, now, done.waited)
        passed = max(now - began, 1e-9)
        self._record(
            {
                "loss": float(np.mean(done.losses[-((done.step - 1) % EVERY + 1) :])),
                "learning_rate": step.learning_rate,
                "gradient_norm": step.gradient_norm,
                "tokens_per_s": (done.tokens - tokens) * self.place.workers / passed,
                "input_wait_share": (done.waited - waited) / passed,
            }
        )

    def _record(self, values: dict[str, float]) -> None:
        """The schedule counts steps over all epochs, and goes on counting when a training is taken up."""
        named = {f"{self.place.phase}/{name}": value for name, value in values.items()}
        self.place.tracker.record(self.schedule.last_epoch, named)

    def _shared_state(self) -> State:
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "best": {name: torch.from_numpy(array) for name, array in self.best.items()},
            "history": [asdict(each) for each in self.history],
        }

    def _own_state(self) -> State:
        return {"random": torch.get_rng_state(), "epoch": asdict(self.epoch)}

    def _go_on(self, savepoints: Savepoints | None) -> None:
        """Take up the newest savepoint, where there is one."""
        found = None if savepoints is None else savepoints.newest()
        if found is None:
            return
        position, shared, own = found
        self.model.load_state_dict(shared["model"])
        self.optimiser.load_state_dict(shared["optimiser"])
        self.schedule.load_state_dict(shared["schedule"])
        self.best = {name: tensor.numpy() for name, tensor in shared["best"].items()}
        self.history = [Progress(**each) for each in shared["history"]]
        self.at, self.epoch = position.epoch, _Epoch(step=position.step)
        if own is not None:
            torch.set_rng_state(own["random"])
            self.epoch = _Epoch(**own["epoch"])

    def _step(self, batch: Any) -> _Step:  # noqa: ANN401  see Objective
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.objective.loss(self.module, batch)
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not type it
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.training.clip)
        self.optimiser.step()
        learning_rate = float(self.schedule.get_last_lr()[0])
        self.schedule.step()
        return _Step(float(loss.detach()), float(norm), learning_rate)

    def _plan(self, epoch: int) -> list[Indices]:
        order = (self.training.start_seed, epoch)
        return plan(self.objective.pieces, self.objective.batch_tokens, order, self.place.workers)

    def _mine(self, epoch: int) -> list[Indices]:
        """This worker's batches: of each group of `workers` steps, the one of its rank; a rest is dropped."""
        planned = self._plan(epoch)
        whole = len(planned) // self.place.workers * self.place.workers
        return planned[self.place.rank : whole : self.place.workers]


def predict(model: nn.Module, dataset: Dataset, pieces: Pieces, batch_tokens: int) -> npt.NDArray[np.float32]:
    """(n, H) logits of the scored rows of `pieces`, NaN elsewhere and for heads of more than two classes."""
    logits = predict_columns(model, dataset, pieces, batch_tokens)
    heads, columns = dataset.heads, catalog.columns(dataset.heads)
    if all(catalog.head(name).binary for name in heads):
        return logits
    of_heads = np.full(dataset.value.shape, np.nan, dtype=np.float32)
    for index in (index for index, name in enumerate(heads) if catalog.head(name).binary):
        of_heads[:, index] = logits[:, columns[heads[index]].start]
    return of_heads


def predict_columns(model: nn.Module, dataset: Dataset, pieces: Pieces, batch_tokens: int) -> npt.NDArray[np.float32]:
    """(n, C) logits of all heads (`catalog.columns`) for the scored rows of `pieces`, NaN elsewhere.

    Leaves the model in evaluation mode.
    """
    width = sum(catalog.head(name).width for name in dataset.heads)
    logits = np.full((len(dataset), width), np.nan, dtype=np.float32)
    device = next(model.parameters()).device
    model.eval()
    with torch.inference_mode():
        for batch in batches(dataset, pieces, plan(pieces, batch_tokens, None), dataset.known):
            own = batch.rows >= 0
            logits[batch.rows[own]] = model(*batch.inputs(device)).cpu().numpy()[own]
    return logits


def _start_at_base_rates(modules: nn.ModuleDict, dataset: Dataset) -> None:
    """Set each head's bias so that an untrained model says the base rates: saves the first steps."""
    with torch.no_grad():
        for index, rate in enumerate(dataset.base_rates()):
            name = dataset.heads[index]
            bias = modules[name].get_parameter("bias")
            if catalog.head(name).binary:
                bias.fill_(math.log(rate / (1 - rate)))
            else:
                bias.copy_(torch.from_numpy(np.log(dataset.class_rates(index))))


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Weight decay for matrices and tables, none for biases and norms; what wants no gradient is left out."""
    parameters = [each for each in model.parameters() if each.requires_grad]
    return [
        {"params": [each for each in parameters if each.dim() > 1], "weight_decay": weight_decay},
        {"params": [each for each in parameters if each.dim() <= 1], "weight_decay": 0.0},
    ]


def _warmup_cosine(training: TrainingConfig, steps: int) -> Callable[[int], float]:
    """Factor of the learning rate: up linearly for the warm-up, then down a cosine to 5%."""
    warmup = max(1, round(steps * training.warmup_share))

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / max(1, steps - warmup))
        return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))

    return factor
