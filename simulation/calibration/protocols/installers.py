"""Installers: 1,500 people who have merely installed the practices, nobody enrolled them, 31 days (rows 15 and 16)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.calibration.lab import Lab, lasting
from simulation.calibration.study import Design, Study

PEOPLE, DAYS = 1500, 31


@dataclass(frozen=True)
class Installers:
    """Minutes of practice, float64 [day, person], day 0 being that of the installation."""

    minutes: NDArray[np.float64]


@lasting(DAYS)
def installers(lab: Lab) -> Installers:
    """Carry the protocol out: nobody is reminded of anything."""
    study = Study(lab.scenario, Design(people=lab.people(PEOPLE), days=DAYS, changes={"enrolled": 0.0}))
    minutes = np.zeros((DAYS, len(study.people)))

    def look(study: Study) -> None:
        minutes[study.day] += study.people["practice"] > 0

    study.run(study.scenario.ticks, look, lab.progress)
    return Installers(minutes)
