"""Row 12: a prompt brings people to open within the hour."""

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.intervals import per_person, risk_ratio
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.prompts import evenings


def measure(lab: Lab) -> Finding:
    """Practised unasked or on the prompt, prompted days against others."""
    trial = lab.once(evenings)
    person, assigned, engaged = (trial.points[name] for name in ("person", "assigned", "hour"))
    prompted, alone = (
        (per_person(person[part], trial.people, engaged[part]), per_person(person[part], trial.people))
        for part in (assigned, ~assigned)
    )
    base = float(alone[0].sum() / alone[1].sum())
    compared = risk_ratio(prompted, alone, log=False)
    part = Part("risk ratio", "", compared, Published(3.5, 2.91, 4.25))
    return Finding((part,), note=f"{base:.1%} without a prompt")


FACT = Fact(
    id="prompt-and-hour",
    row=12,
    title="A prompt brings people to open within the hour",
    source="Bell 2023",
    protocol="400 enrolled people, 30 days, a prompt at 20:00 or not at random, whoever is there to see it",
    rule=OVERLAP,
    measure=measure,
)
