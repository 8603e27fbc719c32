"""Row 27: what counts as a lapse of the reaction test."""

from simulation.calibration.fact import Fact, Finding, Part, Published
from simulation.calibration.intervals import per_person, ratio
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.moments import moments

_LAPSE_MS = 500.0


def measure(lab: Lab) -> Finding:
    """Recorded checks whose verdict is that of the definition; how many are lapses is told beside it."""
    noted = lab.once(moments)
    person, reaction, passed = (noted.checks[name] for name in ("person", "reaction", "passed"))
    agree = (passed == 1) == (reaction < _LAPSE_MS)
    share = ratio(per_person(person, noted.people, agree), per_person(person, noted.people))
    note = f"{float((passed == 0).mean()):.1%} of reaction checks are lapses"
    return Finding((Part("verdicts that agree", "share", share, Published(1.0, 1.0, 1.0)),), note=note)


FACT = Fact(
    id="lapse-definition",
    row=27,
    title="A lapse is a reaction of 500 ms or more",
    source="Basner 2011: definition; the PVT-B and intervals between stimuli are not simulated",
    protocol="600 people, 14 days, every reaction check recorded",
    rule="every verdict is that of the definition",
    measure=measure,
)
