"""Row 22: prompts wear out."""

import numpy as np
from numpy.typing import NDArray

from simulation.calibration.fact import OVERLAP, Curve, Fact, Finding, Part, Published
from simulation.calibration.intervals import of_people
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.prompts import Prompted, heart_steps

Floats = NDArray[np.float64]
_WEEK = 7


def measure(lab: Lab) -> Finding:
    """Effect of a prompt on log(minutes of practice within half an hour + .5), linear in the day."""
    trial = lab.once(heart_steps)
    day, person, assigned, outcome = _columns(trial)
    terms = np.stack([np.ones(len(day)), day, assigned, assigned * day], axis=1)
    squares = np.zeros((trial.people, 4, 4))
    products = np.zeros((trial.people, 4))
    np.add.at(squares, person, terms[:, :, None] * terms[:, None, :])
    np.add.at(products, person, terms * outcome[:, None])

    def solve(weights: Floats) -> Floats:
        normal = np.tensordot(weights, squares, 1)
        return np.asarray(np.linalg.solve(normal, weights @ products))

    first, slope, zero = (
        of_people(statistic, trial.people)
        for statistic in (
            lambda w: float(solve(w)[2]),
            lambda w: float(solve(w)[3]),
            lambda w: float(-solve(w)[2] / solve(w)[3]),
        )
    )
    return Finding(
        (
            Part("effect on day 0", "log minutes", first, Published(0.443, 0.27, 0.62)),
            Part("change a day", "log minutes a day", slope, Published(-0.0179, -0.025, -0.011)),
            Part("zero on day", "day", zero, Published(25.0, 20.0, 30.0)),
        ),
        _curve(day, assigned, outcome),
    )


def _columns(trial: Prompted) -> tuple[Floats, NDArray[np.int64], Floats, Floats]:
    points = trial.points
    outcome = np.log(points["minutes"] + 0.5)
    return points["day"], points["person"].astype(np.int64), points["assigned"].astype(np.float64), outcome


def _curve(day: Floats, assigned: Floats, outcome: Floats) -> Curve:
    weeks = np.arange(0, int(day.max()) + 1, _WEEK)
    effects = []
    for week in weeks:
        now = (day >= week) & (day < week + _WEEK)
        effects.append(float(outcome[now & (assigned > 0)].mean() - outcome[now & (assigned == 0)].mean()))
    middles = tuple(float(week) + _WEEK / 2 for week in weeks)
    published = tuple(max(0.0, 0.443 - 0.0179 * x) for x in middles)
    lines = {"simulated": (middles, tuple(effects)), "published": (middles, published)}
    return Curve("Effect of a prompt", "day of the trial", "log minutes", lines)


FACT = Fact(
    id="prompt-decay",
    row=22,
    title="Prompts work at first and wear out within weeks",
    source="HeartSteps generative model, .443 - .0179 a day (Klasnja 2019); 40% and 5 days either side are allowed",
    protocol="200 enrolled people, 42 days, five decision points a day, prompted with probability .6 where available",
    rule=f"for all three, {OVERLAP}",
    measure=measure,
)
