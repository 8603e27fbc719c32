"""The inputs of the simple baselines: a token, and means over the last few tokens of its person.

Shape legend: n events, r rows asked for, C columns of a token: its features, its kind one-hot, and, where there are
at most MOST_ITEMS item buckets, its item one-hot.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from models.features.tokens import FEATURE_COUNT, Tokens
from models.features.vocabulary import KIND_COUNT

Floats = npt.NDArray[np.float32]
MOST_ITEMS = 64


def windowed(
    tokens: Tokens, person: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64], windows: tuple[int, ...]
) -> Floats:
    """(r, C · (1 + len(windows))): the token of each row, then the means over its person's last w tokens.

    The means take the row itself in; where the person has fewer than w tokens, those there are.
    """
    columns = list(_columns(tokens))
    out = np.zeros((len(rows), len(columns) * (1 + len(windows))), dtype=np.float32)
    starts = np.flatnonzero(np.concatenate([[True], person[1:] != person[:-1]]))
    begin = starts[np.searchsorted(starts, rows, side="right") - 1]
    first = [np.maximum(begin, rows + 1 - window) for window in windows]
    for column, read in enumerate(columns):
        values = read()
        out[:, column] = values[rows]
        running = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
        for index, start in enumerate(first):
            mean = (running[rows + 1] - running[start]) / (rows + 1 - start)
            out[:, len(columns) * (1 + index) + column] = mean
    return out


def _columns(tokens: Tokens) -> Iterator[Callable[[], Floats]]:
    """A reader of each column: one at a time is in memory."""
    for feature in range(FEATURE_COUNT):
        yield partial(_feature, tokens, feature)
    for kind in range(KIND_COUNT):
        yield partial(_indicator, tokens.kind, kind)
    items = int(tokens.item.max(initial=0))
    if items <= MOST_ITEMS:
        for item in range(1, items + 1):
            yield partial(_indicator, tokens.item, item)


def _feature(tokens: Tokens, feature: int) -> Floats:
    values: Floats = tokens.features[:, feature]
    return values


def _indicator(codes: npt.NDArray[np.integer[Any]], code: int) -> Floats:
    return np.asarray(codes == code, dtype=np.float32)
