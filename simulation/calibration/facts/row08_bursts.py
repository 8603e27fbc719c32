"""Row 8: activity comes in bursts, also when the day's cycle is taken out."""

import numpy as np
from numpy.typing import NDArray

from simulation.calibration.fact import Fact, Finding, Part, Published
from simulation.calibration.intervals import mean
from simulation.calibration.lab import Lab
from simulation.calibration.protocols.moments import moments
from simulation.calibration.study import Notes

Floats = NDArray[np.float64]
_DAY = 86_400
_LEAST = 30
"""Gaps a person must have to be counted."""


def measure(lab: Lab) -> Finding:
    """Burstiness (s - m)/(s + m) of the gaps between answers, raw and without the cycle of the day, and memory."""
    noted = lab.once(moments)
    person, gap, seconds = gaps(noted.answers)
    slots = np.arange(0, _DAY + 1, 600)
    activity = np.histogram(noted.answers["seconds"] % _DAY, slots)[0] + 1.0
    busy = np.concatenate([[0.0], np.cumsum(activity)]) * (_DAY / activity.sum())
    flat = _flattened(seconds, slots, busy) - _flattened(seconds - gap, slots, busy)
    counted = np.flatnonzero(np.bincount(person, minlength=noted.people) >= _LEAST)
    raw = np.array([_burstiness(gap[person == one]) for one in counted])
    even = np.array([_burstiness(flat[person == one]) for one in counted])
    memory = np.array([_memory(gap[person == one]) for one in counted])
    return Finding(
        (
            Part("burstiness", "", mean(raw), Published.above(), direction=True),
            Part("burstiness without the day's cycle", "", mean(even), Published.above(), direction=True),
            Part("memory", "correlation", mean(memory), Published(0.0, -0.2, 0.2)),
        )
    )


def gaps(answers: Notes) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Person, seconds since their answer before, and time of the answer, sorted by person and time."""
    order = np.lexsort((answers["seconds"], answers["person"]))
    person, seconds = answers["person"][order].astype(np.int64), answers["seconds"][order]
    same = person[1:] == person[:-1]
    return person[1:][same], (seconds[1:] - seconds[:-1])[same], seconds[1:][same]


def _flattened(seconds: Floats, slots: NDArray[np.int64], busy: Floats) -> Floats:
    """Time that runs in proportion to how active people are at that time of day (Jo 2012)."""
    return np.asarray(seconds // _DAY * _DAY + np.interp(seconds % _DAY, slots, busy))


def _burstiness(gap: Floats) -> float:
    return float((gap.std() - gap.mean()) / (gap.std() + gap.mean()))


def _memory(gap: Floats) -> float:
    return float(np.corrcoef(gap[:-1], gap[1:])[0, 1])


FACT = Fact(
    id="bursts",
    row=8,
    title="Answers come in bursts",
    source="Goh & Barabási 2008; Jo 2012; memory counts as weak within .2",
    protocol="600 people, 14 days, gaps between answers of everybody with at least 30",
    rule="both burstinesses above zero with their whole interval; the memory's interval overlaps -.2 to .2",
    measure=measure,
)
