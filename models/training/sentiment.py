"""Training of the sentiment model: token lists once, cross-entropy, early stopping on the validation loss."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from infra.contracts.errors import BadInput
from models.features.sentiment.model import SentimentConfig, SentimentModel, TokenBatch
from models.features.sentiment.text import Tokens
from models.training.reviews import Review


@dataclass(frozen=True, kw_only=True)
class SentimentTraining:
    """How a sentiment model is trained. `patience` counts epochs without a better validation loss.

    n-grams of fewer than `least_texts` training texts are not read: they would be learned by heart, and take attention
    from the words that tell.
    """

    seed: int = 1
    epochs: int = 12
    patience: int = 2
    batch_texts: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    least_texts: int = 3
    model: SentimentConfig = field(default_factory=SentimentConfig)


@dataclass(frozen=True)
class Epoch:
    """Losses after an epoch: mean cross-entropy of a text, in nats."""

    number: int
    training_loss: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True)
class Fitted:
    """The model of the epoch with the lowest validation loss, in evaluation mode, and all epochs."""

    model: SentimentModel
    epochs: list[Epoch]


@dataclass(frozen=True)
class _Labelled:
    tokens: list[Tokens]
    positive: torch.Tensor

    @classmethod
    def of(cls, reviews: Sequence[Review], model: SentimentModel) -> "_Labelled":
        tokens = [model.tokens(review.text) for review in reviews]
        return cls(tokens, torch.tensor([int(review.positive) for review in reviews]))

    def batches(self, order: Sequence[int], size: int) -> Iterator[tuple[TokenBatch, torch.Tensor]]:
        for first in range(0, len(order), size):
            chosen = list(order[first : first + size])
            yield TokenBatch.of([self.tokens[index] for index in chosen]), self.positive[chosen]


def fit(
    train: Sequence[Review],
    validation: Sequence[Review],
    settings: SentimentTraining,
    report: Callable[[Epoch], None],
) -> Fitted:
    """Train on one thread; equal texts and settings give equal weights. Raises BadInput where a class has no text."""
    for name, reviews in (("training", train), ("validation", validation)):
        if {review.positive for review in reviews} != {False, True}:
            raise BadInput(f"the {name} part needs positive and negative texts: give a larger corpus")
    with _reproducible(settings.seed):
        model = SentimentModel(settings.model)
        model.known.copy_(_frequent(model, train, settings.least_texts))
        return _fit(model, _Labelled.of(train, model), _Labelled.of(validation, model), settings, report)


def _frequent(model: SentimentModel, reviews: Sequence[Review], least: int) -> torch.Tensor:
    """(buckets,) whether a bucket is in at least `least` texts; bucket 0 always is."""
    texts = np.zeros(model.config.buckets, dtype=np.int64)
    for review in reviews:
        texts[np.unique(model.tokens(review.text).bucket)] += 1
    texts[0] = least
    return torch.from_numpy(texts >= least)


def _fit(
    model: SentimentModel,
    train: _Labelled,
    validation: _Labelled,
    settings: SentimentTraining,
    report: Callable[[Epoch], None],
) -> Fitted:
    optimizers = _optimizers(model, settings)
    epochs: list[Epoch] = []
    best, weights = 0, model.state_dict()
    for number in range(1, settings.epochs + 1):
        loss = _epoch(model, train, optimizers, settings, number)
        epochs.append(Epoch(number, loss, *_validated(model, validation)))
        report(epochs[-1])
        if epochs[-1].validation_loss == min(each.validation_loss for each in epochs):
            best, weights = number, copy.deepcopy(model.state_dict())
        elif number - best >= settings.patience:
            break
    model.load_state_dict(weights)
    return Fitted(model.eval(), epochs)


def _optimizers(model: SentimentModel, settings: SentimentTraining) -> list[torch.optim.Optimizer]:
    """Adam for the embeddings, of which a batch touches few rows; AdamW for the rest."""
    rest = [tensor for name, tensor in model.named_parameters() if not name.startswith("embedding.")]
    return [
        torch.optim.SparseAdam([model.embedding.weight], lr=settings.learning_rate),
        torch.optim.AdamW(rest, lr=settings.learning_rate, weight_decay=settings.weight_decay),
    ]


def _epoch(
    model: SentimentModel,
    data: _Labelled,
    optimizers: list[torch.optim.Optimizer],
    settings: SentimentTraining,
    epoch: int,
) -> float:
    """One pass in an order that is a function of (seed, epoch); the mean loss of a text."""
    model.train()
    order = np.random.default_rng((settings.seed, epoch)).permutation(len(data.tokens)).tolist()
    total = 0.0
    for batch, positive in data.batches(order, settings.batch_texts):
        loss = functional.cross_entropy(model(batch)[0], positive)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for optimizer in optimizers:
            optimizer.step()
        total += float(loss.detach()) * batch.texts
    return total / len(data.tokens)


def _validated(model: SentimentModel, data: _Labelled) -> tuple[float, float]:
    """Mean cross-entropy and accuracy."""
    model.eval()
    with torch.no_grad():
        parts = [(model(batch)[0], positive) for batch, positive in data.batches(range(len(data.tokens)), 256)]
    logits, positive = (torch.cat(each) for each in zip(*parts, strict=True))
    right = (logits.argmax(dim=1) == positive).double().mean()
    return float(functional.cross_entropy(logits, positive)), float(right)


@contextmanager
def _reproducible(seed: int) -> Iterator[None]:
    """One thread and a generator of this seed; afterwards both are as they were."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
