"""Row 1: how much of the time minds wander."""

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.intervals import ratio
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.moments import moments


def measure(lab: Lab) -> Finding:
    """Wandering samples over samples."""
    noted = lab.once(moments)
    share = ratio(noted.per_person(noted.samples["wandering"]), noted.per_person())
    return Finding((Part("share of moments", "share", share, Published(0.469, 0.449, 0.489)),))


FACT = Fact(
    id="mind-wandering",
    row=1,
    title="Minds wander in about half of all sampled moments",
    source="Killingsworth & Gilbert 2010; no interval is given, 2 points either side are allowed",
    protocol="600 people, 14 days, a sample of everybody in a session every 15 minutes",
    rule=OVERLAP,
    measure=measure,
)
