"""Sleep restriction: 100 people, nights as usual, then nine of three hours in bed (row 26)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.calibration.lab import Lab, lasting
from simulation.calibration.protocols.given import reactions
from simulation.calibration.study import Design, Study

PEOPLE, DAYS = 100, 14
FIRST = 4
"""Nights as usual before day 0, for settling in."""
HOURS = (9, 12, 15, 18, 21)
TRIALS = 40
IN_BED = 180


@dataclass(frozen=True)
class Restriction:
    """Reaction times, ms, float64 [day, person, trial], days 0 to 9."""

    times: NDArray[np.float64]


@lasting(DAYS)
def restriction(lab: Lab) -> Restriction:
    """Carry the protocol out. Who is asleep at an hour of testing is woken for it, as in a laboratory."""
    study = Study(lab.scenario, Design(people=lab.people(PEOPLE), days=DAYS))
    everybody = np.arange(len(study.people))
    days: list[list[NDArray[np.float64]]] = [[] for _ in range(DAYS)]

    def look(study: Study) -> None:
        if study.clock in {60 * hour for hour in HOURS}:
            days[study.day].append(reactions(study, everybody, TRIALS))
        if study.minute == FIRST * 1440 + 22 * 60:
            # From the evening of day 0 on, nights end three hours after they begin.
            study.people["wake"] = (study.people["bed"] + IN_BED) % 1440

    study.run(study.scenario.ticks, look, lab.progress)
    return Restriction(np.array([np.concatenate(day, axis=1) for day in days[FIRST:]]))
