"""The training loop of one worker, and nothing about where it runs: no Ray, no files.

Deterministic on one worker and one thread: the batch of a step is a function of (seed, epoch, step), the weights
start from the seed, and every operation adds in a fixed order.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.attention.checkpoint import Weights, weights_of
from models.attention.model import AttentionConfig, AttentionModel
from models.training.batches import Batch, Indices, Pieces, batches, cut, plan
from models.training.dataset import Dataset
from models.training.settings import Progress, TrainingConfig
from models.training.split import Role

Module = TypeVar("Module", bound=nn.Module)
_BETAS = (0.9, 0.98)  # a training has some thousand steps: the second moment must forget faster than in 0.999


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where this worker stands among others: its rank, how many there are, its device, and how it wraps the model.

    `wrap` makes the module that is called in training (which shares gradients among workers); `mean` averages a
    number over workers.
    """

    rank: int = 0
    workers: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    wrap: Callable[[nn.Module], nn.Module] = lambda module: module
    mean: Callable[[float], float] = lambda number: number


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """The weights of the best epoch on validation, and a report of each epoch."""

    config: AttentionConfig
    weights: Weights
    history: tuple[Progress, ...]

    def tensors(self) -> dict[str, Tensor]:
        """The weights as tensors, for `load_state_dict`."""
        return {name: torch.from_numpy(array) for name, array in self.weights.items()}


@dataclass(frozen=True)
class Trainee(Generic[Module]):
    """A module that can be trained: (kind, features, item, time_us, mask) -> logits (B, T, H), as `Batch.inputs` gives.

    heads: its last layers by name, each with a `bias` to start from. context: tokens that one score may depend on, its
    own included; pieces begin so many tokens early.
    """

    module: Module
    heads: nn.ModuleDict
    context: int


@dataclass(frozen=True)
class Trained:
    """The weights of the best epoch on validation, and a report of each epoch."""

    weights: Weights
    history: tuple[Progress, ...]

    def load_into(self, module: nn.Module) -> None:
        """Give a module these weights."""
        module.load_state_dict({name: torch.from_numpy(array) for name, array in self.weights.items()})


def fit(
    dataset: Dataset,
    model: AttentionConfig,
    training: TrainingConfig,
    report: Callable[[Progress, AttentionModel], None],
    place: Place | None = None,
) -> Fitted:
    """The attention model by `fit_module`, for the heads that `dataset` has labels of."""
    config = replace(model, outputs=dataset.heads)

    def build() -> Trainee[AttentionModel]:
        attention = AttentionModel(config)
        return Trainee(attention, attention.heads, config.context)

    trained = fit_module(dataset, build, training, report, place)
    return Fitted(config=config, weights=trained.weights, history=trained.history)


def fit_module(
    dataset: Dataset,
    build: Callable[[], Trainee[Module]],
    training: TrainingConfig,
    report: Callable[[Progress, Module], None],
    place: Place | None = None,
) -> Trained:
    """Train on the TRAIN events of `dataset`, stop early on its VALIDATION events. Sets torch's threads and seed.

    `build` is called once the seed is set, so that the first weights are a function of it.
    """
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)
    return _Fit(dataset, build(), training, place or Place()).run(report)


class _Fit(Generic[Module]):
    """State of one training: model, optimiser, schedule."""

    def __init__(self, dataset: Dataset, trainee: Trainee[Module], training: TrainingConfig, place: Place) -> None:
        self.dataset, self.training, self.place = dataset, training, place
        self.model, self.context = trainee.module.to(place.device), trainee.context
        _start_at_base_rates(trainee.heads, dataset)
        self.module = place.wrap(self.model)
        self.pieces = self._cut(Role.TRAIN)
        self.held_out = self._cut(Role.VALIDATION)
        self.counted = dataset.known & (dataset.role == Role.TRAIN)[:, None]
        planned = len(self._plan(0))
        self.labels_a_batch = torch.from_numpy(self.counted.sum(axis=0) / max(planned, 1)).float().to(place.device)
        self.optimiser = torch.optim.AdamW(
            _groups(self.model, training.weight_decay), lr=training.learning_rate, betas=_BETAS, fused=True
        )
        steps = planned // place.workers * training.epochs
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, _warmup_cosine(training, max(steps, 1)))

    def run(self, report: Callable[[Progress, Module], None]) -> Trained:
        history: list[Progress] = []
        best, best_weights = math.inf, _weights(self.model)
        for epoch in range(self.training.epochs):
            progress = self._epoch(epoch)
            history.append(progress)
            if progress.validation_loss < best:
                best, best_weights = progress.validation_loss, _weights(self.model)
            report(progress, self.model)
            losses = [each.validation_loss for each in history]
            if epoch - int(np.argmin(losses)) >= self.training.patience:
                break
        return Trained(best_weights, tuple(history))

    def _epoch(self, epoch: int) -> Progress:
        started, tokens, losses = time.perf_counter(), 0, []
        self.module.train()
        for batch in batches(self.dataset, self.pieces, self._mine(epoch), self.counted):
            losses.append(self._step(batch))
            tokens += int(batch.mask.sum())
        seconds = time.perf_counter() - started
        return Progress(
            epoch=epoch + 1,
            epochs=self.training.epochs,
            train_loss=self.place.mean(float(np.mean(losses)) if losses else math.nan),
            validation_loss=self._validation_loss(),
            tokens_per_s=tokens * self.place.workers / seconds,
        )

    def _step(self, batch: Batch) -> float:
        self.optimiser.zero_grad(set_to_none=True)
        logits_bth = self.module(*batch.inputs(self.place.device))
        loss = self._loss(logits_bth, batch)
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not type it
        nn.utils.clip_grad_norm_(self.model.parameters(), self.training.clip)
        self.optimiser.step()
        self.schedule.step()
        return float(loss.detach())

    def _loss(self, logits_bth: Tensor, batch: Batch) -> Tensor:
        """Mean over heads of the cross-entropy per label.

        Divided by the mean number of labels a batch, not by this batch's own: a batch with few labels must not
        count as much as one with many, and then workers' gradients add up to those of one.
        """
        device = self.place.device
        entropy_bth = functional.binary_cross_entropy_with_logits(
            logits_bth, batch.value.to(device), weight=batch.counts.to(device), reduction="none"
        )
        return (entropy_bth.sum(dim=(0, 1)) / self.labels_a_batch).mean()

    def _validation_loss(self) -> float:
        """Mean over heads of the log loss on held-out labels; the training loss where nothing is held out."""
        role = Role.VALIDATION if len(self.held_out) else Role.TRAIN
        pieces = self.held_out if len(self.held_out) else self.pieces
        counted = self.dataset.known & (self.dataset.role == role)[:, None]
        logits = predict(self.model, self.dataset, pieces, self.training.batch_tokens)
        return float(np.nanmean(log_losses(logits, self.dataset.value, counted)))

    def _cut(self, role: Role) -> Pieces:
        return cut(
            self.dataset.person,
            self.dataset.scored(role),
            self.context,
            self.training.sequence_tokens,
        )

    def _plan(self, epoch: int) -> list[Indices]:
        return plan(self.pieces, self.training.batch_tokens, (self.training.seed, epoch))

    def _mine(self, epoch: int) -> list[Indices]:
        """This worker's batches: of each group of `workers` steps, the one of its rank; a rest is dropped."""
        planned = self._plan(epoch)
        whole = len(planned) // self.place.workers * self.place.workers
        return planned[self.place.rank : whole : self.place.workers]


def predict(model: nn.Module, dataset: Dataset, pieces: Pieces, batch_tokens: int) -> npt.NDArray[np.float32]:
    """(n, H) logits of the scored rows of `pieces`, NaN elsewhere; leaves the model in evaluation mode."""
    logits = np.full(dataset.value.shape, np.nan, dtype=np.float32)
    device = next(model.parameters()).device
    model.eval()
    with torch.inference_mode():
        for batch in batches(dataset, pieces, plan(pieces, batch_tokens, None), dataset.known):
            own = batch.rows >= 0
            logits[batch.rows[own]] = model(*batch.inputs(device)).cpu().numpy()[own]
    return logits


def log_losses(
    logits: npt.NDArray[np.float32], value: npt.NDArray[np.float32], counted: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """(H,) mean log loss (nats) of each head over its `counted` labels; all (n, H). NaN where a head has none."""
    x = np.where(counted, logits, 0).astype(np.float64)
    entropy = np.logaddexp(0, x) - x * value
    count = counted.sum(axis=0)
    total = np.where(counted, entropy, 0).sum(axis=0)
    means: npt.NDArray[np.float64] = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return means


def _weights(module: nn.Module) -> Weights:
    return weights_of(module)  # type: ignore[arg-type]  # reads state_dict() alone, which every module has


def _start_at_base_rates(heads: nn.ModuleDict, dataset: Dataset) -> None:
    """Set each head's bias so that an untrained model says the base rate: saves the first steps."""
    with torch.no_grad():
        for name, rate in zip(dataset.heads, dataset.base_rates(), strict=True):
            heads[name].bias.fill_(math.log(rate / (1 - rate)))  # type: ignore[operator]  # a Tensor


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Weight decay for matrices and tables, none for biases and norms."""
    parameters = list(model.parameters())
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
