"""Row 3: how people feel while their mind wanders."""

import numpy as np

from simulation.calibration.fact import OVERLAP, Estimate, Fact, Finding, Part, Published
from simulation.calibration.intervals import of_people, within
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.moments import moments

_POINTS = 50.0
"""Points of the 0 to 100 scale to one unit of feeling, which runs from -1 to 1."""
_PUBLISHED = {
    "pleasant": Published(-0.5, -3.0, 2.0),
    "neutral": Published(-7.2, -9.7, -4.7),
    "unpleasant": Published(-23.9, -27.9, -19.9),
}


def measure(lab: Lab) -> Finding:
    """Regression of the feeling on the topic, within people; not wandering is the reference."""
    noted = lab.once(moments)
    person, samples = noted.samples["person"], noted.samples
    columns = [(samples["wandering"] == 1) & (samples["topic"] == code) for code in range(3)]
    design = np.stack([within(column.astype(np.float64), person, noted.people) for column in columns], axis=1)
    felt = within(_POINTS * samples["feeling"], person, noted.people)
    squares = np.zeros((noted.people, 3, 3))
    products = np.zeros((noted.people, 3))
    np.add.at(squares, person, design[:, :, None] * design[:, None, :])
    np.add.at(products, person, design * felt[:, None])

    def slope(code: int) -> Estimate:
        def solve(weights: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
            normal = np.tensordot(weights, squares, 1)
            return float(np.linalg.solve(normal, weights @ products)[code])

        return of_people(solve, noted.people)

    parts = [
        Part(f"{name} topics against none", "points of 100", slope(code), _PUBLISHED[name])
        for code, name in enumerate(_PUBLISHED)
    ]
    return Finding((parts[2], parts[1], parts[0]))


FACT = Fact(
    id="thoughts-and-mood",
    row=3,
    title="Unpleasant and neutral thoughts lower the feeling of the moment, pleasant ones hardly",
    source="Killingsworth & Gilbert 2010, recalled; margins of 2.5 (unpleasant: 4) points are allowed",
    protocol="600 people, 14 days, the samples of row 1, least squares within people",
    rule=f"for each topic, {OVERLAP}",
    measure=measure,
    recalled=True,
)
