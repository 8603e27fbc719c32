"""Row 2: what wandering minds think of."""

from simulation.calibration.fact import OVERLAP, Fact, Finding, Part, Published
from simulation.calibration.intervals import ratio
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.moments import moments

_MARGIN = 0.02
_SHARES = {"pleasant": 0.425, "neutral": 0.31, "unpleasant": 0.265}


def measure(lab: Lab) -> Finding:
    """Share of each topic among the wandering samples."""
    noted = lab.once(moments)
    wandering, topic = noted.samples["wandering"], noted.samples["topic"]
    total = noted.per_person(wandering)
    return Finding(
        tuple(
            Part(
                f"{name} topics",
                "share",
                ratio(noted.per_person(wandering * (topic == code)), total),
                Published(share, share - _MARGIN, share + _MARGIN),
            )
            for code, (name, share) in enumerate(_SHARES.items())
        )
    )


FACT = Fact(
    id="topics",
    row=2,
    title="Topics of wandering minds",
    source="Killingsworth & Gilbert 2010; no interval is given, 2 points either side are allowed",
    protocol="600 people, 14 days, the wandering ones among the samples of row 1",
    rule=f"for each topic, {OVERLAP}",
    measure=measure,
)
