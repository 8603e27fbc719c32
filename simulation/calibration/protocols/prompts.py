"""Randomised prompts to people who have joined: at eight in the evening, once a day for months, five times a day."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.calibration.lab import Lab, lasting
from simulation.calibration.study import Design, Notes, Study

Flags = NDArray[np.bool_]
_SEED = 4_022
_DAY = 1440


@dataclass(frozen=True, kw_only=True)
class Prompting:
    """`at` are local minutes of the day. Assigned prompts wait up to `wait` minutes until the person is there.

    Where `when_available`, a decision point is the first available minute after such a time, and nobody else has one.
    """

    people: int
    days: int
    at: tuple[int, ...]
    probability: float
    wait: int
    when_available: bool = False


@dataclass(frozen=True)
class Prompted:
    """Decision points: `person`, `day`, `assigned`; `hour`, `next_day`: whether they practised within 1 h and 24 h;
    `minutes`: of practice within 30 minutes."""

    people: int
    points: Notes


@lasting(30)
def evenings(lab: Lab) -> Prompted:
    """A prompt at 20:00 or not, for 30 days, as in Bell 2023 (row 12)."""
    return _Trial(lab, Prompting(people=400, days=30, at=(20 * 60,), probability=0.5, wait=60)).carry_out()


@lasting(61)
def months(lab: Lab) -> Prompted:
    """A prompt at 12:30 or not, for 60 of the 89 days of Bidargaddi 2018 (row 13)."""
    return _Trial(lab, Prompting(people=300, days=61, at=(12 * 60 + 30,), probability=0.5, wait=60)).carry_out()


@lasting(42)
def heart_steps(lab: Lab) -> Prompted:
    """Five decision points a day, prompted with probability .6 where available, for 42 days (row 22)."""
    at = tuple(60 * hour for hour in (8, 11, 14, 17, 20))
    design = Prompting(people=200, days=42, at=at, probability=0.6, wait=150, when_available=True)
    return _Trial(lab, design).carry_out()


class _Trial:
    """One micro-randomised trial."""

    def __init__(self, lab: Lab, design: Prompting) -> None:
        self.lab, self.design = lab, design
        self.study = Study(lab.scenario, Design(people=lab.people(design.people), days=design.days))
        count = len(self.study.people)
        self.generator = np.random.default_rng(_SEED)
        self.open_until = np.full(count, -1)  # a slot in which a decision (or a delivery) is still due
        self.assigned = np.zeros(count, bool)
        self.last_start = np.full(count, -1)
        self.was_practising = np.zeros(count, bool)
        self.practised = np.zeros(count)
        self.points = Notes()
        self.decisions: list[dict[str, NDArray[Any]]] = []

    def carry_out(self) -> Prompted:
        """Simulate, and return the decision points that could be followed for a day."""
        self.study.run(self.study.scenario.ticks, self._minute, self.lab.progress)
        for decision in self.decisions:
            if "next_day" in decision:
                self.points.add(**decision)
        return Prompted(len(self.study.people), self.points)

    def _minute(self, study: Study) -> None:
        now = study.people["practice"] > 0
        self.last_start[now & ~self.was_practising] = study.minute
        self.was_practising = now
        self.practised += now
        self._follow_up(study)
        if study.clock in self.design.at:
            self.open_until[:] = study.minute + self.design.wait
            if not self.design.when_available:
                self.assigned = self.generator.random(len(now)) < self.design.probability
                self._decide(study, np.arange(len(now)), self.assigned)
        open_slot = self.open_until > study.minute
        if self.design.when_available:
            there = np.flatnonzero(open_slot & study.available())
            assigned = self.generator.random(len(there)) < self.design.probability
            self._decide(study, there, assigned)
            study.offer(there[assigned])
        else:
            there = np.flatnonzero(open_slot & self.assigned & study.reachable())
            study.offer(there)
        self.open_until[there] = -1

    def _decide(self, study: Study, places: NDArray[np.int64], assigned: Flags) -> None:
        if len(places):
            day = np.full(len(places), float(study.day))
            began = np.full(len(places), float(study.minute))
            self.decisions.append(
                {"person": places, "day": day, "assigned": assigned, "began": began, "done": self.practised[places]}
            )

    def _follow_up(self, study: Study) -> None:
        # Decision points come in order of time: only the youngest day of them is still open.
        for decision in reversed(self.decisions):
            age = study.minute - decision["began"][0]
            started = self.last_start[decision["person"]] > decision["began"]
            if age == 31:
                decision["minutes"] = self.practised[decision["person"]] - decision["done"]
            elif age == 61:
                decision["hour"] = started
            elif age >= _DAY:
                if "next_day" in decision:
                    return
                decision["next_day"] = started
