"""Row 4: how much of an emotion is left at the next prompt."""

import numpy as np

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.intervals import fit
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.moments import moments
from simulation.cognition.reports import EMOTIONS

_INERTIA = {"happy": 0.30, "excited": 0.33, "relaxed": 0.27, "angry": 0.20, "anxious": 0.22, "sad": 0.27}
_MARGIN = 0.08


def measure(lab: Lab) -> Finding:
    """Slope of each report on the one before it, same person and day."""
    noted = lab.once(moments)
    person, day, felt = (noted.prompts[name] for name in ("person", "day", "felt"))
    order = np.argsort(person, kind="stable")
    person, day, felt = person[order], day[order], felt[order]
    follows = np.flatnonzero((person[1:] == person[:-1]) & (day[1:] == day[:-1]))
    parts = []
    for place, name in enumerate(EMOTIONS):
        slope = fit(felt[follows, place], felt[follows + 1, place], person[follows], noted.people)
        value = _INERTIA[name]
        parts.append(Part(name, "autoregression", slope, Published(value, value - _MARGIN, value + _MARGIN)))
    return Finding(tuple(parts))


FACT = Fact(
    id="inertia",
    row=4,
    title="Emotions have inertia from one prompt to the next",
    source="Kuppens 2010, Table 1; a margin of .08 is allowed",
    protocol="600 people, 14 days, prompts in sessions at least an hour apart, slope on the prompt before, same day",
    rule=f"for each of six emotions, {OVERLAP}",
    measure=measure,
)
