"""Row 11: a notification costs attention even when nobody reacts to it."""

import numpy as np

from simulation.calibration.fact import SIGN, Fact, Finding, Part, Published
from simulation.calibration.intervals import per_person, ratio
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.offers import notifications

_MINUTES = 100_000


def measure(lab: Lab) -> Finding:
    """Probability of a lapse five minutes after a notification less that at the same moment without it."""
    shown, silent = lab.once(notifications)
    first, second = (made.points["person"] * _MINUTES + made.points["minute"] for made in (shown, silent))
    _, one, other = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    person = shown.points["person"][one]
    more = shown.points["lapse"][one] - silent.points["lapse"][other]
    cost = ratio(per_person(person, shown.people, more), per_person(person, shown.people))
    return Finding((Part("more lapses after 5 min", "probability", cost, Published.above(), direction=True),))


FACT = Fact(
    id="interruption",
    row=11,
    title="A notification alone disrupts",
    source="Stothart 2015: direction",
    protocol="500 people, 6 days, notifications that nobody takes up at random moments, and the same moments without",
    rule=SIGN,
    measure=measure,
)
