"""Row 10: how many notifications there are, and how many are taken up."""

import numpy as np

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.intervals import of_people, per_person, ratio
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.moments import moments
from simulation.calibration.protocols.offers import OFFERED, offers


def measure(lab: Lab) -> Finding:
    """Offers taken up; the median over people of what asks for a reaction on a day."""
    made = lab.once(offers)
    person, seen, taken = (made.points[name] for name in ("person", "seen", "taken"))
    offered = seen[:, OFFERED]
    accepted, shown = (per_person(person, made.people, column) for column in (taken * offered, offered))
    received = lab.once(moments).exposures
    order = np.argsort(received)

    def median(weights: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        reached = np.cumsum(weights[order])
        return float(received[order][np.searchsorted(reached, 0.5 * reached[-1])])

    return Finding(
        (
            Part("offers taken up", "share", ratio(accepted, shown), Published(None, 0.15, 0.25)),
            Part("exposures a day, median", "", of_people(median, len(received)), Published(56.0, 45.0, 67.0)),
        )
    )


FACT = Fact(
    id="notifications",
    row=10,
    title="Dozens of notifications a day, of which a fifth are taken up",
    source="Pielot 2018; a margin of 20% of the median is allowed",
    protocol="1,000 people, 6 days, offers at random moments; 600 people, 14 days, exposures of all kinds",
    rule=f"for both, {OVERLAP}",
    measure=measure,
)
