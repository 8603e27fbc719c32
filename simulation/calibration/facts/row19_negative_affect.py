"""Row 19: what a brief training does to negative affect."""

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.intervals import effect_size
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.trial import trial


def measure(lab: Lab) -> Finding:
    """Hedges' g of the feeling over days 10 to 13; positive is less negative affect."""
    arms = lab.once(trial)
    one, other = arms.practising.negative_affect, arms.waiting.negative_affect
    both = (one == one) & (other == other)  # noqa: PLR0124  NaN is not equal to itself
    less = effect_size(-one[both], -other[both])
    return Finding((Part("negative affect", "g", less, Published(0.21, 0.04, 0.21)),))


FACT = Fact(
    id="negative-affect",
    row=19,
    title="A brief training lowers negative affect very little",
    source="Schumer 2018: .21, and .04 corrected for publication bias: anything between them",
    protocol="300 people, the first 14 days of the trial of row 18",
    rule=OVERLAP,
    measure=measure,
)
