"""From a tick's new tokens to padded rows of fixed shape, and from their scores back to the tokens.

A padded row ends with up to S new tokens of one person; before them stands the person's past: earlier new tokens, then
the ring. A person with more than the largest step gets several rows. Without loops over people.

Shape legend: n new tokens, r padded rows, N r rounded up to whole chunks, T tokens a row, S scored ones, O outputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.features.tokens import Tokens
from models.serving.ring import COLUMNS, Groups, Indices, TokenRing
from models.serving.shapes import PaddedBatch, Scores, Shapes


@dataclass(frozen=True)
class _Rows:
    """Padded rows of one step: whose (row of the ring), where their new tokens start, the number of
    the person's new tokens up to the row's end, and how many of those the row scores. Shapes (r,).
    """

    step: int
    person: Indices
    first: Indices
    end: Indices
    take: Indices


class Assembly:
    """The padded rows of a tick. `rows` (n,) names each token's person (a row of the ring), people side by side."""

    def __init__(self, shapes: Shapes, rows: Indices) -> None:
        self._shapes = shapes
        self._count = len(rows)
        self._work = _plan(shapes, rows)

    def batches(self, ring: TokenRing, tokens: Tokens) -> list[PaddedBatch]:
        """The padded batches, one a step that is needed; the ring stands before the new tokens."""
        return [_pad(work, ring, tokens, self._shapes) for work in self._work]

    def collect(self, answers: Sequence[Scores], outputs: int) -> Scores:
        """The probabilities of each new token, shape (n, O), from the answers (N, S, O) to `batches`."""
        collected = np.full((self._count, outputs), np.nan, dtype=np.float32)
        for work, answer in zip(self._work, answers, strict=True):
            row, column = np.nonzero(np.arange(work.step) >= work.step - work.take[:, None])
            token = work.first[row] + work.end[row] - work.step + column
            collected[token] = answer[row, column]
        return collected


def _plan(shapes: Shapes, rows: Indices) -> list[_Rows]:
    groups, most = Groups.of(rows), shapes.steps[-1]
    passes = -(-groups.length // most)
    group = np.repeat(np.arange(len(passes)), passes)
    turn = Groups.of(group).ordinal
    end = np.minimum((turn + 1) * most, groups.length[group])
    take = end - turn * most
    bucket = np.searchsorted(shapes.steps, take)
    plan = []
    for index, step in enumerate(shapes.steps):
        mine = np.flatnonzero(bucket == index)
        if len(mine):
            first = groups.first[group[mine]]
            plan.append(_Rows(step, rows[first], first, end[mine], take[mine]))
    return plan


def _pad(work: _Rows, ring: TokenRing, tokens: Tokens, shapes: Shapes) -> PaddedBatch:
    batch = PaddedBatch.empty(len(work.person), work.step, shapes)
    # Place of each padded token among the person's new ones; negative: that many before them.
    ordinal = work.end[:, None] - shapes.tokens(work.step) + np.arange(shapes.tokens(work.step))
    row, column = np.nonzero(ordinal >= 0)
    _write(batch, (row, column), tokens.take(work.first[row] + ordinal[row, column]))
    row, column = np.nonzero((ordinal < 0) & (-ordinal <= ring.depth(work.person)[:, None]))
    _write(batch, (row, column), ring.past(work.person[row], -ordinal[row, column]))
    return batch


def _write(batch: PaddedBatch, places: tuple[NDArray[Any], NDArray[Any]], tokens: Tokens) -> None:
    for name in COLUMNS:
        getattr(batch, name)[places] = getattr(tokens, name)
    batch.mask[places] = True
