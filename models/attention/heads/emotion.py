"""Emotion: in which quadrant of valence and arousal is the next reading, given that there is one in the horizon?

Quadrants are those of the circumplex model of affect (Russell 1980). Classes, and not the numbers themselves: a density
of valence would have to assume a shape for the noise of whatever reads it, while probabilities of quadrants assume none
and are compared with base rates by their log loss, as those of the other heads.
"""

from functools import partial

import numpy as np

from models.attention.catalog import Head, Labels, LabelSource, unknown_truth
from models.attention.logit import Logits

CLASSES: tuple[str, ...] = ("unpleasant, calm", "unpleasant, excited", "pleasant, calm", "pleasant, excited")
"""2·(valence >= 0) + (arousal >= 0); 0 is the middle of both scales (`infra.contracts.events`)."""


def labels(source: LabelSource) -> Labels:
    """The quadrant of the person's next reading after the event, however sure the reading is of itself.

    Censored where none comes within the horizon, or where the horizon reaches past the end of the data.
    """
    events = source.events
    person, occurred_at = events["person"], events["occurred_at"]
    readings = np.flatnonzero(np.isfinite(events["valence"]) & np.isfinite(events["arousal"]))
    value, known = np.zeros(len(person), dtype=np.float32), np.zeros(len(person), dtype=np.bool_)
    if not len(readings):
        return Labels(value=value, known=known)
    later = np.searchsorted(readings, np.arange(len(person)), side="right")
    following = readings[np.minimum(later, len(readings) - 1)]
    known = (later < len(readings)) & (person[following] == person)
    if source.horizon_us is not None:
        known &= occurred_at[following] - occurred_at <= source.horizon_us
        known &= occurred_at + source.horizon_us <= source.end_us
    quadrant = 2 * (events["valence"][following] >= 0) + (events["arousal"][following] >= 0)
    return Labels(value=quadrant.astype(np.float32), known=known)


HEAD = Head(
    name="emotion",
    meaning="probabilities of the quadrant of the person's next reading of emotion, given one within the horizon",
    build=partial(Logits, classes=len(CLASSES)),
    labels=labels,
    truth=unknown_truth,
    classes=CLASSES,
)
