"""Next kind: what will this person do next, within the horizon, if anything?"""

from functools import partial

import numpy as np

from infra.contracts.kinds import KINDS, EventKind
from models.attention.catalog import Head, Labels, LabelSource, unknown_truth
from models.attention.logit import Logits
from models.features.vocabulary import KIND_CODES, KIND_COUNT, PAD, kind_index

CLASSES: tuple[str, ...] = ("nothing", "unknown kind", *(KINDS[EventKind(code)].name for code in KIND_CODES))
"""The vocabulary of kinds in its order; its padding slot stands for "nothing within the horizon"."""


def labels(source: LabelSource) -> Labels:
    """The token index of the kind of the person's next event, `PAD` where none comes within the horizon.

    Silence is a class, so nothing is left out because it came late: censored is only an event whose horizon reaches
    past the end of the data. Without a horizon the next event counts however late, and the last one is censored.
    """
    events = source.events
    rows = len(events["person"])
    value = np.full(rows, PAD, dtype=np.int16)
    followed = np.append(events["person"][1:] == events["person"][:-1], False) if rows else np.zeros(0, dtype=np.bool_)
    known = followed.copy()
    if source.horizon_us is not None:
        known = events["occurred_at"] + source.horizon_us <= source.end_us
        waited_us = np.append(np.diff(events["occurred_at"]), 0) if rows else np.zeros(0, dtype=np.int64)
        followed &= waited_us <= source.horizon_us
    row = np.flatnonzero(followed)
    value[row] = kind_index(events["kind"][row + 1])
    return Labels(value=value.astype(np.float32), known=known)


HEAD = Head(
    name="next_kind",
    meaning="probabilities of the kind of the person's next event, with nothing within the horizon among them",
    build=partial(Logits, classes=KIND_COUNT),
    labels=labels,
    truth=unknown_truth,
    classes=CLASSES,
)
