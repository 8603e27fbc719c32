"""The loss of all heads together: cross-entropy of each, weighted, whether it has two classes or many.

Shape legend: B people, T tokens, H heads, C columns of logits (`catalog.columns`), n events.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from models.attention import catalog

Doubles = npt.NDArray[np.float64]


class JointLoss:
    """Mean over heads of the weighted cross-entropy per label. `weights` (H,) have a mean of 1."""

    def __init__(
        self, heads: tuple[str, ...], weights: Doubles, labels_a_batch: Tensor, smoothing: float = 0.0
    ) -> None:
        """labels_a_batch (H,): the mean number of labels a batch; smoothing s: of K classes, the label counts 1 - s and
        every class s / K.

        Divided by labels_a_batch, not by this batch's own: a batch with few labels must not count as much as one with
        many, and then workers' gradients add up to those of one.
        """
        self._smoothing = smoothing
        self._columns = catalog.columns(heads)
        self._heads = heads
        self._labels_a_batch = labels_a_batch
        self._weights = torch.from_numpy(weights).to(labels_a_batch)
        self._binary = [index for index, name in enumerate(heads) if catalog.head(name).binary]
        self._others = [index for index in range(len(heads)) if index not in self._binary]

    def __call__(self, logits_btc: Tensor, value_bth: Tensor, counts_bth: Tensor) -> Tensor:
        """The loss of a batch: value and counts as in `batches.Batch`, on the device of the logits."""
        sums = [self._of_binary(logits_btc, value_bth, counts_bth)] if self._binary else []
        sums += [self._of_classes(index, logits_btc, value_bth, counts_bth) for index in self._others]
        back = np.argsort([*self._binary, *self._others])
        sum_h = torch.cat(sums)[torch.from_numpy(back).to(logits_btc.device)]
        return (self._weights * sum_h / self._labels_a_batch).mean()

    def _of_binary(self, logits_btc: Tensor, value_bth: Tensor, counts_bth: Tensor) -> Tensor:
        """(heads of two classes,) cross-entropies, summed over labels."""
        if self._others:
            logits_btc = logits_btc[:, :, [self._columns[self._heads[index]].start for index in self._binary]]
            value_bth, counts_bth = value_bth[:, :, self._binary], counts_bth[:, :, self._binary]
        if self._smoothing:
            value_bth = value_bth * (1 - self._smoothing) + self._smoothing / 2
        entropy = functional.binary_cross_entropy_with_logits(
            logits_btc, value_bth, weight=counts_bth, reduction="none"
        )
        return entropy.sum(dim=(0, 1))

    def _of_classes(self, index: int, logits_btc: Tensor, value_bth: Tensor, counts_bth: Tensor) -> Tensor:
        """(1,) cross-entropy of a head of several classes, summed over labels."""
        counted = counts_bth[:, :, index] > 0
        logits = logits_btc[counted][:, self._columns[self._heads[index]]]
        label = value_bth[:, :, index][counted].long()
        return functional.cross_entropy(logits, label, reduction="sum", label_smoothing=self._smoothing)[None]


def mean_log_losses(
    heads: tuple[str, ...],
    logits: npt.NDArray[np.float32],
    value: npt.NDArray[np.float32],
    counted: npt.NDArray[np.bool_],
) -> Doubles:
    """(H,) mean log loss (nats) of each head over its `counted` labels; NaN where a head has none.

    logits (n, C); value and counted (n, H).
    """
    columns = catalog.columns(heads)
    means = np.full(len(heads), np.nan)
    binary = [index for index, name in enumerate(heads) if catalog.head(name).binary]
    if binary:
        own = [columns[heads[index]].start for index in binary]
        # Taken, not indexed: the sums below add in the order in which the numbers lie.
        parts = (np.take(logits, own, axis=1), np.take(value, binary, axis=1), np.take(counted, binary, axis=1))
        means[binary] = _binary_log_losses(*parts)
    for index in (each for each in range(len(heads)) if each not in binary):
        rows = np.flatnonzero(counted[:, index])
        if len(rows):
            probability = class_probabilities(logits[rows, columns[heads[index]]])
            means[index] = class_log_losses(value[rows, index], probability).mean()
    return means


def class_probabilities(logits: npt.NDArray[np.float32]) -> Doubles:
    """(n, classes) softmax of each row."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    weights = np.exp(shifted)
    probabilities: Doubles = weights / weights.sum(axis=1, keepdims=True)
    return probabilities


def class_log_losses(label: npt.NDArray[np.float32], probability: Doubles) -> Doubles:
    """(n,) log loss (nats) of class indices (n,) under probabilities (n, classes), kept 1e-12 away from 0."""
    said = probability[np.arange(len(label)), label.astype(np.int64)]
    losses: Doubles = -np.log(np.maximum(said, 1e-12))
    return losses


def _binary_log_losses(
    logits: npt.NDArray[np.float32], value: npt.NDArray[np.float32], counted: npt.NDArray[np.bool_]
) -> Doubles:
    """The same for heads of two classes; all (n, heads)."""
    x = np.where(counted, logits, 0).astype(np.float64)
    entropy = np.logaddexp(0, x) - x * value
    count = counted.sum(axis=0)
    total = np.where(counted, entropy, 0).sum(axis=0)
    means: Doubles = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return means
