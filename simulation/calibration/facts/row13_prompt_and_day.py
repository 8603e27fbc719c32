"""Row 13: a prompt hardly changes who engages within a day."""

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.intervals import per_person, risk_ratio
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.prompts import months


def measure(lab: Lab) -> Finding:
    """Practised unasked or on the prompt, prompted days against others."""
    trial = lab.once(months)
    person, assigned, engaged = (trial.points[name] for name in ("person", "assigned", "next_day"))
    prompted, alone = (
        (per_person(person[part], trial.people, engaged[part]), per_person(person[part], trial.people))
        for part in (assigned, ~assigned)
    )
    base = float(alone[0].sum() / alone[1].sum())
    compared = risk_ratio(prompted, alone, log=True)
    part = Part("log risk ratio", "", compared, Published(0.04, 0.0, 0.08))
    return Finding((part,), note=f"{base:.1%} without a prompt")


FACT = Fact(
    id="prompt-and-day",
    row=13,
    title="A prompt hardly changes who engages within a day",
    source="Bidargaddi 2018",
    protocol="300 enrolled people, 60 days, a prompt at 12:30 or not at random, whoever is there to see it",
    rule=OVERLAP,
    measure=measure,
)
