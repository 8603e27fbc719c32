"""Row 16, held out: how much active users practise."""

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.intervals import ratio
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.installers import installers


def measure(lab: Lab) -> Finding:
    """Minutes over days with at least one."""
    minutes = lab.once(installers).minutes
    used = ratio(minutes.sum(axis=0), (minutes > 0).sum(axis=0).astype(float))
    return Finding((Part("on a day of use", "min", used, Published(21.5, 17.2, 25.8)),))


FACT = Fact(
    id="active-use",
    row=16,
    title="Active meditation users practise some twenty minutes a day",
    source="Baumel 2019; a margin of 20% is allowed",
    protocol="1,500 people whom nobody enrolled, 31 days, days on which somebody practised",
    rule=OVERLAP,
    measure=measure,
    held_out=True,
)
