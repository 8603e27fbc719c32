"""Row 21: one session does nothing that 117 people could show."""

import numpy as np

from simulation.calibration.fact import OVERLAP, Estimate, Fact, Finding, Part, Published
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.single import single


def measure(lab: Lab) -> Finding:
    """Hedges' g of two independent groups, with its usual large-sample interval."""
    groups = lab.once(single)
    one, other = len(groups.practised), len(groups.rested)
    spread = np.sqrt((one * groups.practised.var() + other * groups.rested.var()) / (one + other - 2))
    g = float((groups.practised.mean() - groups.rested.mean()) / spread)
    error = float(np.sqrt((one + other) / (one * other) + g * g / (2 * (one + other))))
    effect = Estimate(g, g - 1.96 * error, g + 1.96 * error)
    return Finding((Part("executive function", "g", effect, Published(0.0, 0.0, 0.0)),))


FACT = Fact(
    id="one-session",
    row=21,
    title="One session of 15 minutes does not move executive function",
    source="Collabra 9:90219 (N=117)",
    protocol="117 people, half of whom practise for 15 minutes, memory spans three minutes later",
    rule=f"{OVERLAP}: the interval holds zero",
    measure=measure,
)
