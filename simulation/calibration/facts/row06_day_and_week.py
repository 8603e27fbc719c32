"""Row 6: mood over the day and the week."""

import numpy as np
from numpy.typing import NDArray

from simulation.calibration.fact import Curve, Estimate, Fact, Finding, Part, Published
from simulation.calibration.intervals import of_people, within
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.moments import Moments, moments

Floats = NDArray[np.float64]
_SATURDAY = 5
_BINS, _WIDTH = 48, 30
_MORNING, _EVENING, _AFTERNOON = (6, 9), (21, 24), (13, 17)
_SHIFTS = range(-30, 241, 15)
_FROM, _TO = 5 * 60, 13 * 60


def measure(lab: Lab) -> Finding:
    """Morning and evening against the afternoon, and the shift that lays weekend mornings over those of weekdays."""
    noted = lab.once(moments)
    sums, counts = _by_time(noted)

    def contrast(hours: tuple[int, int]) -> Estimate:
        def statistic(weights: Floats) -> float:
            return _level(sums, counts, weights, hours) - _level(sums, counts, weights, _AFTERNOON)

        return of_people(statistic, noted.people)

    later = of_people(lambda weights: _shift(sums, counts, weights), noted.people)
    ones = np.ones(noted.people)
    hours = tuple(float(x) for x in (np.arange(_BINS) * 0.5 + 0.25)[12:])
    lines = {
        name: (hours, tuple(float(y) for y in _curve(sums, counts, ones, part)[12:]))
        for part, name in enumerate(("weekdays", "weekends"))
    }
    return Finding(
        (
            Part("6 to 9 h against 13 to 17 h", "mood", contrast(_MORNING), Published.above(), direction=True),
            Part("21 to 24 h against 13 to 17 h", "mood", contrast(_EVENING), Published.above(), direction=True),
            Part("weekend mornings later by", "min", later, Published(120.0, 60.0, 180.0)),
        ),
        Curve("Mood over the day", "local hour", "mood less the person's mean", lines),
    )


def _by_time(noted: Moments) -> tuple[Floats, Floats]:
    """Sums and numbers of the centred mood, float64 [kind of day, half hour, person]."""
    person, clock, day = (noted.samples[name] for name in ("person", "clock", "day"))
    mood = within(noted.samples["mood"], person, noted.people)
    place = ((day % 7 >= _SATURDAY) * _BINS + clock // _WIDTH) * noted.people + person
    shape = (2, _BINS, noted.people)
    size = 2 * _BINS * noted.people
    sums = np.bincount(place, mood, size).reshape(shape).astype(np.float64)
    return sums, np.bincount(place, minlength=size).reshape(shape).astype(np.float64)


def _level(sums: Floats, counts: Floats, weights: Floats, hours: tuple[int, int]) -> float:
    part = slice(2 * hours[0], 2 * hours[1])
    return float((sums[:, part] @ weights).sum() / (counts[:, part] @ weights).sum())


def _curve(sums: Floats, counts: Floats, weights: Floats, part: int) -> Floats:
    """Mood by half hour, smoothed over two hours and a half, so that single half hours do not decide."""
    total, number = (np.convolve(table[part] @ weights, np.ones(5), "same") for table in (sums, counts))
    result: Floats = np.divide(total, number, out=np.zeros(_BINS), where=number > 0)
    return result


def _shift(sums: Floats, counts: Floats, weights: Floats) -> float:
    """Minutes by which the weekday curve must be moved to lie over the weekend's morning, levels aside."""
    weekday, weekend = (_curve(sums, counts, weights, part) for part in (0, 1))
    at = np.arange(_FROM, _TO + 120, 15.0)
    middle = np.arange(_BINS) * _WIDTH + 0.5 * _WIDTH
    held = np.interp(at, middle, weekend)
    losses = []
    for shift in _SHIFTS:
        gap = held - np.interp(at - shift, middle, weekday)
        losses.append(float(np.var(gap)))
    return float(_SHIFTS[int(np.argmin(losses))])


FACT = Fact(
    id="day-and-week",
    row=6,
    title="Mood is best early in the morning and late in the evening, and later at weekends",
    source="Golder & Macy 2011; an hour either side of the two hours is allowed",
    protocol="600 people, two weeks, mood less the person's mean in the samples of row 1",
    rule="both contrasts above zero with their whole interval; the shift's interval overlaps 60 to 180 min",
    measure=measure,
)
