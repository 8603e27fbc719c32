"""Row 15: how many of those who install still practise."""

import numpy as np

from simulation.calibration.fact import OVERLAP, Curve, Fact, Finding, Part, Published
from simulation.calibration.intervals import mean
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.installers import installers


def measure(lab: Lab) -> Finding:
    """Share of installers who practise on day 15 and on day 30; three days are pooled, as a share moves in steps."""
    minutes = lab.once(installers).minutes
    used = minutes > 0

    def on(day: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.asarray(used[day - 1 : day + 2].mean(axis=0))

    days = tuple(float(day) for day in range(len(used)))
    lines = {
        "simulated": (days, tuple(float(x) for x in used.mean(axis=1))),
        "published": ((15.0, 30.0), (0.039, 0.033)),
    }
    return Finding(
        (
            Part("day 15", "share", mean(on(15)), Published(0.039, 0.029, 0.049)),
            Part("day 30", "share", mean(on(30)), Published(0.033, 0.023, 0.047)),
        ),
        Curve("Installers who practise on a day", "day since installing", "share", lines),
    )


FACT = Fact(
    id="retention",
    row=15,
    title="Few of those who install an app still use it after two weeks and a month",
    source="Baumel 2019: 3.9% and 3.3% of mental-health apps, 4.7% of meditation apps; a point either side is allowed",
    protocol="1,500 people whom nobody enrolled, 31 days, no reminders",
    rule=f"for both days, {OVERLAP}",
    measure=measure,
)
