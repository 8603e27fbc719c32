"""One session of 15 minutes against rest: 117 people, half of whom practise once (row 21)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra.contracts.commands import Practice
from simulation.calibration.lab import Lab, lasting
from simulation.calibration.protocols.given import battery
from simulation.calibration.study import Design, Study

POOL, PEOPLE = 1200, 117
BEGINS, MINUTES, REST = 15 * 60, 15, 3
TRIALS = 12


@dataclass(frozen=True)
class Single:
    """Mean memory span after the session, float64 [people of the arm]."""

    practised: NDArray[np.float64]
    rested: NDArray[np.float64]


@lasting(0.5)
def single(lab: Lab) -> Single:
    """Carry the protocol out with the first 117 of those in a session at 15:00, who stay until they are tested."""
    study = Study(lab.scenario, Design(people=lab.people(POOL), days=1))
    chosen = np.zeros(0, np.int64)
    spans = np.zeros(0)

    def look(study: Study) -> None:
        nonlocal chosen, spans
        if study.minute == BEGINS:
            chosen = np.flatnonzero(study.reachable())[:PEOPLE]
            _begin(study, chosen)
        if study.minute == BEGINS + MINUTES + REST:
            spans = battery(study, chosen, TRIALS)[:, 2]

    study.run(BEGINS + MINUTES + REST + 1, look, lab.progress)
    return Single(spans[::2], spans[1::2])


def _begin(study: Study, chosen: NDArray[np.int64]) -> None:
    people = study.people
    for name in ("session_until", "stay_until"):
        people[name][chosen] = np.maximum(people[name][chosen], study.tick + 2 * MINUTES)
    practising = chosen[::2]
    people["practice"][practising] = Practice.MINDFULNESS_OF_BREATH
    people["offer_minutes"][practising] = MINUTES
    people["practice_since"][practising] = study.tick
    people["practice_length"][practising] = MINUTES
