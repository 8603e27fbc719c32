"""Lapse: will an attention check within the next ten minutes fail, given that there is one?"""

import numpy as np
import numpy.typing as npt

from models.attention.catalog import Head, Labels, LabelSource
from models.attention.logit import Logit

WINDOW_US = 600_000_000
"""Ten minutes (DESIGN §4): the label of an event looks at checks in (t, t + 10 min]."""


def labels(source: LabelSource) -> Labels:
    """1 where any attention check of the person in (t, t + 10 min] fails, 0 where all pass.

    Censored where there is no check in that window, or where the window reaches past the end of the data.
    """
    first, last = _windows(source)
    failed = np.concatenate([[0], np.cumsum(source.checks["passed"] == 0)])
    value = failed[last] > failed[first]
    covered = source.events["occurred_at"] + WINDOW_US <= source.end_us
    return Labels(value=value.astype(np.float32), known=(last > first) & covered)


def truth(source: LabelSource) -> npt.NDArray[np.float64]:
    """(n,) 1 - prod(1 - p_i) over the checks in the window, p_i their true probabilities of failing; else NaN."""
    rows = len(source.events["event_id"])
    if source.truth is None or not len(source.truth["ref"]):
        return np.full(rows, np.nan)
    ref, checks = source.truth["ref"], source.checks["event_id"]
    at = np.minimum(np.searchsorted(ref, checks), len(ref) - 1)
    fails = np.where(ref[at] == checks, source.truth["probability"][at], np.nan)
    # A sum of logs over each window, by differences of one running sum; a missing truth makes its window NaN.
    missing = np.concatenate([[0], np.cumsum(np.isnan(fails))])
    passes = np.log1p(-np.minimum(np.nan_to_num(fails), 1 - 1e-12))
    running = np.concatenate([[0.0], np.cumsum(passes)])
    first, last = _windows(source)
    known = (last > first) & (missing[last] == missing[first])
    return np.where(known, -np.expm1(running[last] - running[first]), np.nan)


def _windows(source: LabelSource) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(n,), (n,): the half-open range of check rows of the same person in (t, t + 10 min]."""
    person, checked = source.events["person"], source.checks["person"]
    people, rank = np.unique(np.concatenate([person, checked]), return_inverse=True)
    if not len(checked):
        nothing = np.zeros(len(person), dtype=np.int64)
        return nothing, nothing
    start = min(int(source.events["occurred_at"].min()), int(source.checks["occurred_at"].min()))
    stop = max(int(source.events["occurred_at"].max()), int(source.checks["occurred_at"].max()))
    # One sortable number for (person, time): people stand further apart than any two times and a window.
    stride = stop - start + WINDOW_US + 2
    if len(people) * stride >= 2**63:
        raise OverflowError(f"{len(people)} people over {stride} µs do not fit into 64 bits")
    when = rank[: len(person)] * stride + (source.events["occurred_at"] - start)
    check = rank[len(person) :] * stride + (source.checks["occurred_at"] - start)
    return np.searchsorted(check, when, side="right"), np.searchsorted(check, when + WINDOW_US, side="right")


HEAD = Head(
    name="lapse",
    meaning="probability that an attention check in the next ten minutes fails, given a check",
    build=Logit,
    labels=labels,
    truth=truth,
)
