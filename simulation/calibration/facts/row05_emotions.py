"""Row 5: how often people feel something, and how often something good."""

import numpy as np

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.intervals import per_person, ratio
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.moments import moments
from simulation.cognition.reports import FELT, POSITIVE


def measure(lab: Lab) -> Finding:
    """Prompts with at least one emotion; prompts with a positive one to those with a negative one."""
    noted = lab.once(moments)
    person, felt = noted.prompts["person"], noted.prompts["felt"] > FELT
    positive, negative = felt[:, :POSITIVE].any(axis=1), felt[:, POSITIVE:].any(axis=1)
    some, good, bad, asked = (
        per_person(person, noted.people, np.asarray(column))
        for column in (positive | negative, positive, negative, np.ones(len(person)))
    )
    return Finding(
        (
            Part("at least one emotion", "share", ratio(some, asked), Published(0.90, 0.86, 0.94)),
            Part("positive to negative", "ratio", ratio(good, bad), Published(2.5, 2.0, 3.0)),
        )
    )


FACT = Fact(
    id="emotions",
    row=5,
    title="Most moments hold an emotion, more often a good one",
    source="Trampe 2015; margins of 4 points and of .5 are allowed",
    protocol="600 people, 14 days, the prompts of row 4; an emotion is felt from an intensity of .36 on",
    rule=f"for both, {OVERLAP}",
    measure=measure,
)
