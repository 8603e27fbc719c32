"""Row 26: three hours in bed slow reactions, day after day."""

import numpy as np

from simulation.calibration.fact import OVERLAP, Curve, Fact, Finding, Part, Published
from simulation.calibration.intervals import mean
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.restriction import restriction

_SLEEPSTUDY = (256.7, 264.5, 265.4, 283.0, 288.6, 308.5, 312.2, 318.8, 336.6, 350.9)
"""Means of the ten days in `lme4/sleepstudy`, ms."""


def measure(lab: Lab) -> Finding:
    """Reaction time of a person and day as the inverse of mean speed: its slope over days 0 to 9, and its ends."""
    times = lab.once(restriction).times
    scored = 1.0 / (1.0 / times).mean(axis=2)
    days = np.arange(len(scored)) - (len(scored) - 1) / 2
    slopes = (days[:, None] * scored).sum(axis=0) / (days**2).sum()
    at = tuple(float(day) for day in range(len(scored)))
    lines = {
        "simulated": (at, tuple(float(x) for x in scored.mean(axis=1))),
        "published": (at, _SLEEPSTUDY),
    }
    return Finding(
        (
            Part("slowing a day", "ms", mean(slopes), Published(10.5, 7.4, 13.6)),
            Part("day 0", "ms", mean(scored[0]), Published(257.0, 242.0, 272.0)),
            Part("day 9", "ms", mean(scored[-1]), Published(351.0, 320.0, 382.0)),
        ),
        Curve("Reaction time under sleep restriction", "day", "ms", lines),
    )


FACT = Fact(
    id="sleep-loss",
    row=26,
    title="Reactions slow from day to day under sleep restriction",
    source="Belenky 2003 (`lme4/sleepstudy`, 18 people): two standard errors either side, slope of lme4",
    protocol="100 people, nine nights of three hours in bed, 200 reactions a day, scored as the inverse of mean speed",
    rule=f"for slope and both ends, {OVERLAP}",
    measure=measure,
)
