"""Row 7, held out: the tail of the times between one's answers."""

import numpy as np
from numpy.typing import NDArray

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.facts.row08_bursts import gaps
from simulation.calibration.intervals import of_people, per_person
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.moments import moments

Floats = NDArray[np.float64]
_SHORTEST, _LONGEST = 60.0, 86_400.0
_EXPONENTS = np.linspace(0.5, 3.0, 251)


def measure(lab: Lab) -> Finding:
    """Exponent of a power law between a minute and a day, by maximum likelihood."""
    noted = lab.once(moments)
    person, gap, _ = gaps(noted.answers)
    kept = (gap >= _SHORTEST) & (gap <= _LONGEST)
    logs = per_person(person[kept], noted.people, np.log(gap[kept]))
    number = per_person(person[kept], noted.people)

    def exponent(weights: Floats) -> float:
        return _most_likely(float(weights @ logs) / float(weights @ number))

    return Finding((Part("tail exponent", "", of_people(exponent, noted.people), Published(None, 1.0, 2.0)),))


def _most_likely(mean_log: float) -> float:
    """Exponent of a power law cut off at both ends, from the mean logarithm."""
    power = 1.0 - _EXPONENTS + 1e-9
    scale = (_LONGEST**power - _SHORTEST**power) / power
    return float(_EXPONENTS[int(np.argmax(-_EXPONENTS * mean_log - np.log(scale)))])


FACT = Fact(
    id="waiting-times",
    row=7,
    title="Times between one's answers have a heavy tail",
    source="Vázquez 2006 (about 1); Vajna 2013 (1 to 2 between events)",
    protocol="600 people, 14 days, all answers; power law between 1 minute and 1 day",
    rule=OVERLAP,
    measure=measure,
    held_out=True,
)
