"""Row 20: what weeks of practice do to attention."""

import numpy as np

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.intervals import effect_size
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.trial import trial

_MARGIN = 0.06
_TESTS = (
    ("attention: checks passed", -1.0, Published(0.171, 0.119, 0.224)),
    ("alerting: reaction time", -1.0, Published(0.158, 0.158 - _MARGIN, 0.158 + _MARGIN)),
    ("executive: memory span", 1.0, Published(0.203, 0.203 - _MARGIN, 0.203 + _MARGIN)),
)


def measure(lab: Lab) -> Finding:
    """Hedges' g of three tests over the eighth week; positive is better."""
    arms = lab.once(trial)
    parts = []
    for row, (name, sign, published) in enumerate(_TESTS):
        one, other = sign * arms.practising.tests[row], sign * arms.waiting.tests[row]
        both = np.isfinite(one) & np.isfinite(other)
        parts.append(Part(name, "g", effect_size(one[both], other[both]), published))
    return Finding(tuple(parts))


FACT = Fact(
    id="attention",
    row=20,
    title="Weeks of practice improve attention a little",
    source="Sumantry & Stewart 2021; no interval for the parts, .06 either side is allowed",
    protocol="300 people, the eighth week of the trial of row 18, batteries of tests in sessions",
    rule=f"for all three, {OVERLAP}",
    measure=measure,
)
