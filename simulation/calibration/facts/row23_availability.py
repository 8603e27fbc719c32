"""Row 23: how often people are available."""

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.intervals import ratio
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.moments import moments


def measure(lab: Lab) -> Finding:
    """Available samples over samples in a session."""
    noted = lab.once(moments)
    share = ratio(noted.per_person(noted.samples["available"]), noted.per_person())
    return Finding((Part("available", "share", share, Published(0.804, 0.754, 0.854)),))


FACT = Fact(
    id="availability",
    row=23,
    title="People are available at four of five decision points",
    source="HeartSteps generative model; 5 points either side are allowed",
    protocol="600 people, 14 days, samples in sessions; busy: call, meeting, therapy, quest, practice, pending answer",
    rule=OVERLAP,
    measure=measure,
)
