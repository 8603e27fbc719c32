"""Interaction: given an exposure, will this person act on it within the horizon?"""

import numpy as np
import numpy.typing as npt

from infra.contracts.kinds import EXPOSURES
from models.attention.catalog import Head, Labels, LabelSource
from models.attention.logit import Logit

_EXPOSURE_CODES = np.array(sorted(int(kind) for kind in EXPOSURES), dtype=np.int64)


def labels(source: LabelSource) -> Labels:
    """1 where an event within the horizon answers the exposure (its in_reply_to is the exposure's event_id).

    Defined for exposures only. One whose horizon reaches past the end of the data is censored, answered or not:
    to keep the answered ones alone would bias the rate.
    """
    events = source.events
    known = np.isin(events["kind"], _EXPOSURE_CODES)
    if source.horizon_us is not None:
        known &= events["occurred_at"] + source.horizon_us <= source.end_us
    return Labels(value=_answered(source).astype(np.float32), known=known)


def _answered(source: LabelSource) -> npt.NDArray[np.bool_]:
    """(n,) whether an event of the same person answers this event within the horizon."""
    events = source.events
    replies = np.flatnonzero(events["in_reply_to"] != 0)
    order = np.argsort(events["event_id"], kind="stable")
    at = np.searchsorted(events["event_id"], events["in_reply_to"][replies], sorter=order)
    exposure = order[np.minimum(at, len(order) - 1)]
    waited_us = events["occurred_at"][replies] - events["occurred_at"][exposure]
    good = (
        (events["event_id"][exposure] == events["in_reply_to"][replies])
        & (events["person"][exposure] == events["person"][replies])
        & (waited_us >= 0)
    )
    if source.horizon_us is not None:
        good &= waited_us <= source.horizon_us
    answered = np.zeros(len(order), dtype=np.bool_)
    answered[exposure[good]] = True
    return answered


def truth(source: LabelSource) -> npt.NDArray[np.float64]:
    """(n,) the probability that the simulation drew the answer with; NaN where it is not known."""
    probability = np.full(len(source.events["event_id"]), np.nan)
    if source.truth is None or not len(source.truth["ref"]):
        return probability
    at = np.minimum(np.searchsorted(source.truth["ref"], source.events["event_id"]), len(source.truth["ref"]) - 1)
    found = source.truth["ref"][at] == source.events["event_id"]
    probability[found] = source.truth["probability"][at[found]]
    return probability


HEAD = Head(
    name="interaction",
    meaning="probability that the person acts on this exposure",
    build=Logit,
    labels=labels,
    truth=truth,
)
