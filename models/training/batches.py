"""Pieces of people's sequences, and the batches they come in: a function of (seed, epoch), never of who ran before.

A piece is a stretch of one person's events. Where a person is cut, the next piece starts with the tokens that its
first scored token depends on; they carry no loss, so a cut changes nothing but cost.

Shape legend: p pieces, B pieces of a batch, T tokens of its longest piece (a multiple of 16), H heads.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from infra.contracts.draws import Purpose, bits
from models.training.dataset import Dataset

_ROUND = 16
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pieces:
    """Rows [start, stop) of the data set; loss on the scored rows of [scored, stop) only. Shapes (p,)."""

    start: Indices
    scored: Indices
    stop: Indices

    def __len__(self) -> int:
        return len(self.start)

    def take(self, which: Indices) -> "Pieces":
        """The pieces at `which`."""
        return Pieces(self.start[which], self.scored[which], self.stop[which])


@dataclass(frozen=True)
class Batch:
    """Padded on the right. kind, item, time_us, mask: (B, T); features (B, T, F); value, counts: (B, T, H).

    counts is 1 where the label counts in the loss, else 0. rows (B, T): rows of the data set, -1 for padding.
    """

    kind: Tensor
    features: Tensor
    item: Tensor
    time_us: Tensor
    mask: Tensor
    value: Tensor
    counts: Tensor
    rows: Indices

    def inputs(self, device: torch.device) -> tuple[Tensor, ...]:
        """What the model's forward takes, on `device`."""
        columns = (self.kind, self.features, self.item, self.time_us, self.mask)
        return tuple(column.to(device) for column in columns)


def cut(person: npt.NDArray[np.uint64], scored: npt.NDArray[np.bool_], context: int, length: int) -> Pieces:
    """Pieces of at most max(length, 2·context) rows that cover every `scored` row with its context.

    person (n,): sorted by person; scored (n,) bool. Each scored row belongs to exactly one piece.
    """
    rows = np.flatnonzero(scored)
    if not len(rows):
        return Pieces(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
    begin = np.flatnonzero(np.concatenate([[True], person[1:] != person[:-1]]))
    owner = np.searchsorted(begin, rows, side="right") - 1
    first_of_owner = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    first = rows[first_of_owner]
    end = rows[np.concatenate([first_of_owner[1:], [len(rows)]]) - 1] + 1
    floor = begin[owner[first_of_owner]]
    step = max(length, 2 * context) - (context - 1)
    count = -(-(end - first) // step)
    whose = np.repeat(np.arange(len(first)), count)
    turn = np.arange(len(whose)) - np.repeat(np.cumsum(count) - count, count)
    from_row = first[whose] + turn * step
    pieces = Pieces(
        np.maximum(floor[whose], from_row - (context - 1)), from_row, np.minimum(end[whose], from_row + step)
    )
    total = np.concatenate([[0], np.cumsum(scored)])
    return pieces.take(np.flatnonzero(total[pieces.stop] > total[pieces.scored]))


def plan(pieces: Pieces, batch_tokens: int, shuffle: tuple[int, int] | None, together: int = 1) -> list[Indices]:
    """Which pieces make each batch: pieces of similar length, at most `batch_tokens` padded tokens together.

    shuffle: (seed, epoch) that order pieces and batches; None keeps them in order of length. together: workers that
    take a step together: so many neighbours in length stay neighbours, because each waits for the slowest. What is
    left over, which is of another length in each epoch, comes last.
    """
    length = -(-(pieces.stop - pieces.start) // _ROUND) * _ROUND
    count = len(pieces)
    key = np.arange(count) if shuffle is None else bits(shuffle[0], int(Purpose.ORDER), np.arange(count), shuffle[1], 0)
    order = np.lexsort((key, length))
    batches, first = [], 0
    while first < count:
        # Lengths ascend: the last piece that fits decides the width.
        last = first + 1
        while last < count and int(length[order[last]]) * (last + 1 - first) <= batch_tokens:
            last += 1
        batches.append(order[first:last])
        first = last
    if shuffle is None:
        return batches
    return [batches[index] for index in _order(len(batches), shuffle, together)]


def _order(batches: int, shuffle: tuple[int, int], together: int) -> Indices:
    """The order of `batches` batches, neighbours `together` at a time."""
    seed, epoch = shuffle
    groups, over = divmod(batches, together)
    turn = np.argsort(bits(seed, int(Purpose.ORDER), np.arange(groups), epoch, 1), kind="stable")
    first = epoch % (over + 1)
    grouped = first + (turn[:, None] * together + np.arange(together)).reshape(-1)
    rest = np.setdiff1d(np.arange(batches), grouped)
    return np.concatenate([grouped, rest]).astype(np.int64)


def gather(dataset: Dataset, pieces: Pieces, counted: npt.NDArray[np.bool_]) -> Batch:
    """The padded tensors of `pieces`; `counted` (n, H) says which labels may count."""
    width = -(-int((pieces.stop - pieces.start).max()) // _ROUND) * _ROUND
    rows = pieces.start[:, None] + np.arange(width)
    real = rows < pieces.stop[:, None]
    at = np.where(real, rows, 0)
    tokens = dataset.tokens
    loss = real & (rows >= pieces.scored[:, None])
    return Batch(
        kind=torch.from_numpy(np.where(real, tokens.kind[at], np.int16(0))),
        features=torch.from_numpy(tokens.features[at]),
        item=torch.from_numpy(tokens.item[at]),
        time_us=torch.from_numpy(tokens.time_us[at]),
        mask=torch.from_numpy(real),
        value=torch.from_numpy(dataset.value[at]),
        counts=torch.from_numpy((counted[at] & loss[:, :, None]).astype(np.float32)),
        rows=np.where(loss, rows, -1),
    )


def batches(
    dataset: Dataset, pieces: Pieces, planned: list[Indices], counted: npt.NDArray[np.bool_]
) -> Iterator[Batch]:
    """The batches of a plan, one by one."""
    for which in planned:
        yield gather(dataset, pieces.take(which), counted)
