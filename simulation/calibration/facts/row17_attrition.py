"""Row 17: how many leave a trial."""

import numpy as np

from simulation.calibration.fact import OVERLAP, Curve, Fact, Finding, Part, Published
from simulation.calibration.intervals import mean
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.trial import LONG, SHORT, trial


def measure(lab: Lab) -> Finding:
    """Share of the practising arm who have given up by the end of the trial, and by its follow-up."""
    left_on = lab.once(trial).practising.left_on
    gone = {day: mean((left_on <= day).astype(np.float64)) for day in (SHORT, LONG - 1)}
    days = tuple(float(day) for day in range(LONG))
    lines = {"simulated": (days, tuple(float((left_on <= day).mean()) for day in days))}
    return Finding(
        (
            Part("short, 8 weeks", "share", gone[SHORT], Published(0.241, 0.193, 0.296)),
            Part("long, 12 weeks", "share", gone[LONG - 1], Published(0.355, 0.267, 0.453)),
        ),
        Curve("Participants who have left", "day of the trial", "share", lines),
    )


FACT = Fact(
    id="attrition",
    row=17,
    title="A quarter leaves short trials, a third long ones",
    source="Linardon & Fuller-Tyszkiewicz 2020; their intervals are recalled",
    protocol="300 enrolled people, 12 weeks, reminded once an evening",
    rule=f"for both, {OVERLAP}",
    measure=measure,
    recalled=True,
)
