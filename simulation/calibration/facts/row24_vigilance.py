"""Row 24: vigilance falls with time on task."""

import numpy as np

from simulation.calibration.fact import SIGN, Curve, Fact, Finding, Part, Published
from simulation.calibration.intervals import mean, per_person
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.moments import moments

_EARLY, _LATE = 5, 20


def measure(lab: Lab) -> Finding:
    """Probability of a lapse after 20 minutes in one place less that in the first five, within people."""
    noted = lab.once(moments)
    person, lapse, on_task = (noted.samples[name] for name in ("person", "lapse", "on_task"))
    early, late = on_task < _EARLY, on_task >= _LATE
    (first, firsts), (last, lasts) = (
        (per_person(person[part], noted.people, lapse[part]), per_person(person[part], noted.people))
        for part in (early, late)
    )
    known = (firsts > 0) & (lasts > 0)
    difference = mean(last[known] / lasts[known] - first[known] / firsts[known])
    edges = np.arange(0, 61, 5)
    level = tuple(float(lapse[(on_task >= x) & (on_task < x + 5)].mean()) for x in edges[:-1])
    curve = Curve(
        "Lapses and time on task",
        "minutes in one place",
        "probability of a lapse",
        {"simulated": (tuple(float(x) + 2.5 for x in edges[:-1]), level)},
    )
    return Finding((Part("more lapses", "probability", difference, Published.above(), direction=True),), curve)


FACT = Fact(
    id="vigilance",
    row=24,
    title="Vigilance falls with time on task",
    source="Parasuraman 1979: direction",
    protocol="600 people, 14 days, samples after 20 minutes in one world against the first five, within people",
    rule=SIGN,
    measure=measure,
)
