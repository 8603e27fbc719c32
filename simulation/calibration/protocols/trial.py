"""A trial of weeks: the same people with the practices and, with the same random numbers, without (rows 17 to 20)."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulation.calibration.lab import Lab, lasting
from simulation.calibration.protocols.given import battery, states
from simulation.calibration.study import Design, Study
from simulation.core.measures import anxiety_score, depression_score

Floats = NDArray[np.float64]
PEOPLE = 300
BRIEF, SHORT, LONG = 14, 56, 84
"""Days: of a brief training, of a trial's end, of its longer follow-up."""
REMINDED_AT = 19 * 60
TRIALS = 6
_AFFECT_FROM, _TESTS_FROM = BRIEF - 4, SHORT - 7


@dataclass
class Arm:
    """One arm, each float64 [people]: scores at the end, affect after a brief training, tests, the day of leaving."""

    depression: Floats = field(default_factory=lambda: np.zeros(0))
    anxiety: Floats = field(default_factory=lambda: np.zeros(0))
    negative_affect: Floats = field(default_factory=lambda: np.zeros(0))
    tests: Floats = field(default_factory=lambda: np.zeros(0))
    left_on: Floats = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class Trial:
    """Both arms; the waiting list is not followed up beyond the trial's end."""

    practising: Arm
    waiting: Arm


@lasting(LONG + SHORT + 1)
def trial(lab: Lab) -> Trial:
    """Carry both arms out. Who practises is reminded once an evening; the waiting list has nothing to practise with."""
    return Trial(_arm(lab, LONG, waiting=False), _arm(lab, SHORT + 1, waiting=True))


def _arm(lab: Lab, days: int, *, waiting: bool) -> Arm:
    study = Study(lab.scenario, Design(people=lab.people(PEOPLE), days=days))
    count = len(study.people)
    arm, affect, tests = Arm(left_on=np.full(count, np.inf)), np.zeros((2, count)), np.zeros((4, count))
    reminded = np.zeros(count, bool)
    if waiting:
        study.people["left"] = 1

    def look(study: Study) -> None:
        if study.clock == 0:
            reminded[:] = study.people["left"] == 1
            arm.left_on[(study.people["left"] == 1) & np.isinf(arm.left_on)] = study.day
        if study.clock >= REMINDED_AT and not waiting:
            there = np.flatnonzero(study.reachable() & ~reminded)
            study.offer(there)
            reminded[there] = True
        if study.clock % 30 == 0:
            _note(study, affect, tests)
        if study.minute == SHORT * 1440:
            arm.depression, arm.anxiety = depression_score(study.people), anxiety_score(study.people)

    study.run(study.scenario.ticks, look, lab.progress)
    arm.negative_affect = -_mean(affect[1], affect[0])
    arm.tests = np.stack([_mean(row, tests[0]) for row in tests[1:]])
    return arm


def _note(study: Study, affect: Floats, tests: Floats) -> None:
    if _AFFECT_FROM <= study.day < BRIEF:
        here = np.flatnonzero(study.people["world"] > 0)
        felt, _, _ = states(study, here)
        affect[0, here] += 1
        affect[1, here] += felt
    if _TESTS_FROM <= study.day < SHORT:
        here = np.flatnonzero((study.people["world"] > 0) & (study.people["practice"] == 0))
        tests[0, here] += 1
        tests[1:, here] += battery(study, here, TRIALS).T


def _mean(total: Floats, count: Floats) -> Floats:
    result: Floats = np.full(len(total), np.nan)
    np.divide(total, count, out=result, where=count > 0)
    return result
