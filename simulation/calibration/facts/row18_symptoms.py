"""Row 18: what weeks of practice do to symptoms."""

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.intervals import effect_size
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.trial import trial


def measure(lab: Lab) -> Finding:
    """Hedges' g of the scores at eight weeks, all participants; positive is better."""
    arms = lab.once(trial)
    depression = effect_size(-arms.practising.depression, -arms.waiting.depression)
    anxiety = effect_size(-arms.practising.anxiety, -arms.waiting.anxiety)
    return Finding(
        (
            Part("depression", "g", depression, Published(0.24, 0.17, 0.31)),
            Part("anxiety", "g", anxiety, Published(0.28, 0.21, 0.35)),
        )
    )


FACT = Fact(
    id="symptoms",
    row=18,
    title="Weeks of practice lower depression and anxiety a little",
    source="Linardon 2024",
    protocol="300 people, 8 weeks, practising and waiting list with the same random numbers, all participants counted",
    rule=f"for both, {OVERLAP}",
    measure=measure,
)
