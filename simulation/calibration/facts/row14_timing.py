"""Row 14, held out: what timing by what can be seen gains in receptivity."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.intervals import of_people, per_person
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.offers import OFFERED, WILLING, offers

Floats = NDArray[np.float64]
_BEST = 0.25


def measure(lab: Lab) -> Finding:
    """Share taken up at the quarter of moments that a model of other people finds best, over that at all, less 1."""
    made = lab.once(offers)
    person, seen, taken = (made.points[name] for name in ("person", "seen", "taken"))
    shown = seen[:, OFFERED] > 0
    person, taken = person[shown], taken[shown].astype(np.float64)
    visible = np.delete(seen[shown], [OFFERED, WILLING], axis=1)
    learning = person % 2 == 0
    model = LogisticRegression(max_iter=500).fit(visible[learning], taken[learning])
    tested = ~learning
    score = model.decision_function(visible[tested])
    best = score >= np.quantile(score, 1.0 - _BEST)
    person, taken = person[tested], taken[tested]
    every, chosen = (
        (per_person(person[part], made.people, taken[part]), per_person(person[part], made.people))
        for part in (np.ones(len(person), bool), best)
    )

    def gain(weights: Floats) -> float:
        timed = weights @ chosen[0] / (weights @ chosen[1])
        return float(timed / (weights @ every[0] / (weights @ every[1])) - 1.0)

    return Finding((Part("gain by timing", "share", of_people(gain, made.people), Published(None, 0.0, 0.40)),))


FACT = Fact(
    id="timing",
    row=14,
    title="Timing by context gains receptivity",
    source="Mishra 2021: up to 40%",
    protocol="1,000 people, 6 days, random offers; a logistic model of half of the people times the other half's",
    rule=OVERLAP,
    measure=measure,
    held_out=True,
)
