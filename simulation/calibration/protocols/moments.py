"""Moments sampled from everyday life: 600 people over two weeks, without offers (rows 1 to 10, 23 to 25 and 27)."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import RESPONSES, EventKind
from infra.contracts.worlds import World
from simulation.calibration.intervals import per_person
from simulation.calibration.lab import Lab, lasting
from simulation.calibration.protocols.given import reports, states
from simulation.calibration.study import Design, Notes, Study

PEOPLE, DAYS = 600, 15
"""The first day is for settling in and is not used."""
EVERY = 15
"""Minutes between two looks at everybody."""
LEAST_GAP = 60
"""Minutes between two prompts about emotions, at least."""
_MOVES = (int(EventKind.SESSION_ENDED), int(EventKind.WORLD_ENTERED))
_ANSWERS = tuple(int(kind) for kind in RESPONSES)


@dataclass
class Moments:
    """What was noted: samples of everybody in a session, prompts about emotions, answers, moves, checks."""

    people: int
    days: int
    samples: Notes = field(default_factory=Notes)
    prompts: Notes = field(default_factory=Notes)
    answers: Notes = field(default_factory=Notes)
    moves: Notes = field(default_factory=Notes)
    checks: Notes = field(default_factory=Notes)
    exposures: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def per_person(self, values: NDArray[Any] | None = None) -> NDArray[np.float64]:
        """Sum over a person's samples of `values` (or their number), float64 [people]."""
        return per_person(self.samples["person"], self.people, values)


@lasting(DAYS)
def moments(lab: Lab) -> Moments:
    """Carry the protocol out."""
    study = Study(lab.scenario, Design(people=lab.people(PEOPLE), days=DAYS))
    noted = Moments(len(study.people), DAYS - 1)
    due = np.zeros(len(study.people), np.int64)

    def look(study: Study) -> None:
        if study.day == 0:
            study.start_measuring()
            return
        _note_rows(study, noted)
        _prompt(study, noted, due)
        if study.minute % EVERY == 0:
            _sample(study, noted)

    study.run(study.scenario.ticks, look, lab.progress)
    noted.exposures = study.people["exposures"] / noted.days
    return noted


def _sample(study: Study, noted: Moments) -> None:
    here = np.flatnonzero(study.people["world"] > 0)
    people = study.people[here]
    felt, lapse, _ = states(study, here)
    noted.samples.add(
        person=here,
        day=np.full(len(here), study.day),
        clock=np.full(len(here), study.clock),
        feeling=felt,
        lapse=lapse,
        available=study.available()[here],
        on_task=study.tick - people["stay_since"],
        fatigue=people["fatigue"],
        wandering=people["wandering"],
        topic=people["topic"],
        mood=people["mood"],
    )


def _prompt(study: Study, noted: Moments, due: NDArray[np.int64]) -> None:
    asked = np.flatnonzero((study.people["world"] > 0) & (study.minute >= due))
    if not len(asked):
        return
    due[asked] = study.minute + LEAST_GAP
    noted.prompts.add(person=asked, day=np.full(len(asked), study.day), felt=reports(study, asked))


def _note_rows(study: Study, noted: Moments) -> None:
    answers = study.events_of(_ANSWERS)
    if len(answers):
        seconds = 60.0 * study.minute + answers["clock"] / 1e6
        noted.answers.add(person=answers["number"], seconds=seconds)
    moves = study.events_of(_MOVES)
    if len(moves):
        gaming = (moves["kind"] == EventKind.WORLD_ENTERED) & (moves["world"] == World.GAMING)
        noted.moves.add(
            person=moves["number"], seq=moves["seq"], gaming=gaming, minute=np.full(len(moves), study.minute)
        )
    _, checks = study.written()
    timed = checks[checks["kind"] == EventKind.REACTION_TIMED]
    if len(timed):
        noted.checks.add(
            person=timed["number"],
            reaction=timed["reaction"].astype(np.float64),
            passed=timed["passed"],
            fatigue=study.people["fatigue"][timed["number"]],
            wandering=study.people["wandering"][timed["number"]],
        )
