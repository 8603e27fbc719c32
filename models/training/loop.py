"""The training loop of one worker, and nothing about where it runs: no Ray, no files.

Deterministic on one worker and one thread: the batch of a step is a function of (seed, epoch, step), the weights
start from the seed, and every operation adds in a fixed order.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.attention import catalog
from models.attention.checkpoint import Weights, weights_of
from models.attention.model import AttentionConfig, AttentionModel
from models.training.batches import Batch, Indices, Pieces, batches, cut, plan
from models.training.dataset import Dataset
from models.training.losses import JointLoss, mean_log_losses
from models.training.settings import Progress, TrainingConfig
from models.training.split import Role

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


def fit(
    dataset: Dataset,
    model: AttentionConfig,
    training: TrainingConfig,
    report: Callable[[Progress, AttentionModel], None],
    place: Place | None = None,
) -> Fitted:
    """Train on the TRAIN events of `dataset`, stop early on its VALIDATION events. Sets torch's threads and seed."""
    torch.set_num_threads(training.threads)
    torch.manual_seed(training.seed)
    return _Fit(dataset, replace(model, outputs=dataset.heads), training, place or Place()).run(report)


class _Fit:
    """State of one training: model, optimiser, schedule."""

    def __init__(self, dataset: Dataset, model: AttentionConfig, training: TrainingConfig, place: Place) -> None:
        self.dataset, self.training, self.place = dataset, training, place
        self.model = AttentionModel(model).to(place.device)
        _start_at_base_rates(self.model, dataset)
        self.module = place.wrap(self.model)
        self.pieces = self._cut(Role.TRAIN)
        self.held_out = self._cut(Role.VALIDATION)
        self.counted = dataset.known & (dataset.role == Role.TRAIN)[:, None]
        planned = len(self._plan(0))
        labels_a_batch = torch.from_numpy(self.counted.sum(axis=0) / max(planned, 1)).float().to(place.device)
        self.weights = training.weights(dataset.heads)
        self.joint_loss = JointLoss(dataset.heads, self.weights, labels_a_batch)
        self.optimiser = torch.optim.AdamW(
            _groups(self.model, training.weight_decay), lr=training.learning_rate, betas=_BETAS, fused=True
        )
        steps = planned // place.workers * training.epochs
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, _warmup_cosine(training, max(steps, 1)))

    def run(self, report: Callable[[Progress, AttentionModel], None]) -> Fitted:
        history: list[Progress] = []
        best, best_weights = math.inf, weights_of(self.model)
        for epoch in range(self.training.epochs):
            progress = self._epoch(epoch)
            history.append(progress)
            if progress.validation_loss < best:
                best, best_weights = progress.validation_loss, weights_of(self.model)
            report(progress, self.model)
            losses = [each.validation_loss for each in history]
            if epoch - int(np.argmin(losses)) >= self.training.patience:
                break
        return Fitted(config=self.model.config, weights=best_weights, history=tuple(history))

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
        device = self.place.device
        logits_btc = self.module(*batch.inputs(device))
        loss = self.joint_loss(logits_btc, batch.value.to(device), batch.counts.to(device))
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not type it
        nn.utils.clip_grad_norm_(self.model.parameters(), self.training.clip)
        self.optimiser.step()
        self.schedule.step()
        return float(loss.detach())

    def _validation_loss(self) -> float:
        """Weighted mean over heads of the log loss on held-out labels; on training ones where nothing is held out."""
        role = Role.VALIDATION if len(self.held_out) else Role.TRAIN
        pieces = self.held_out if len(self.held_out) else self.pieces
        counted = self.dataset.known & (self.dataset.role == role)[:, None]
        logits = predict_columns(self.model, self.dataset, pieces, self.training.batch_tokens)
        losses = mean_log_losses(self.dataset.heads, logits, self.dataset.value, counted)
        return float(np.nanmean(self.weights * losses))

    def _cut(self, role: Role) -> Pieces:
        return cut(
            self.dataset.person,
            self.dataset.scored(role),
            self.model.config.context,
            self.training.sequence_tokens,
        )

    def _plan(self, epoch: int) -> list[Indices]:
        return plan(self.pieces, self.training.batch_tokens, (self.training.seed, epoch))

    def _mine(self, epoch: int) -> list[Indices]:
        """This worker's batches: of each group of `workers` steps, the one of its rank; a rest is dropped."""
        planned = self._plan(epoch)
        whole = len(planned) // self.place.workers * self.place.workers
        return planned[self.place.rank : whole : self.place.workers]


def predict(model: AttentionModel, dataset: Dataset, pieces: Pieces, batch_tokens: int) -> npt.NDArray[np.float32]:
    """(n, H) logits of the scored rows of `pieces`, NaN elsewhere and for heads of more than two classes."""
    logits = predict_columns(model, dataset, pieces, batch_tokens)
    heads, columns = dataset.heads, catalog.columns(dataset.heads)
    if all(catalog.head(name).binary for name in heads):
        return logits
    of_heads = np.full(dataset.value.shape, np.nan, dtype=np.float32)
    for index in (index for index, name in enumerate(heads) if catalog.head(name).binary):
        of_heads[:, index] = logits[:, columns[heads[index]].start]
    return of_heads


def predict_columns(
    model: AttentionModel, dataset: Dataset, pieces: Pieces, batch_tokens: int
) -> npt.NDArray[np.float32]:
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


def _start_at_base_rates(model: AttentionModel, dataset: Dataset) -> None:
    """Set each head's bias so that an untrained model says the base rates: saves the first steps."""
    with torch.no_grad():
        for index, rate in enumerate(dataset.base_rates()):
            name = dataset.heads[index]
            bias = model.heads[name].get_parameter("bias")
            if catalog.head(name).binary:
                bias.fill_(math.log(rate / (1 - rate)))
            else:
                bias.copy_(torch.from_numpy(np.log(dataset.class_rates(index))))


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
