"""The observable oracle of one person: a particle filter over the simulator's own dynamics.

What is seen is imposed or weighed, what is hidden moves by the simulator's kernels, and before each exposure and at
each event the weighted suppositions say what is to come. Nothing later than the event goes into its prediction.
"""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.core.moment import Moment
from simulation.oracle.cloud import Cloud
from simulation.oracle.config import HEADS
from simulation.oracle.following import Following
from simulation.oracle.forecast import Forecaster, Outlook
from simulation.oracle.laws import LawBook
from simulation.oracle.reliving import Reviser
from simulation.oracle.situation import EXPOSES, STILL
from simulation.oracle.timeline import Timeline


@dataclass
class Predictions:
    """Per row of the timeline, float64: the predicted probability by head, NaN where the head says nothing."""

    by_head: dict[str, NDArray[np.float64]]
    steps: int = 0  # minutes lived by suppositions, looks ahead and lives lived again included

    @classmethod
    def none(cls, rows: int) -> "Predictions":
        """Nothing predicted yet."""
        return cls({head: np.full(rows, np.nan) for head in HEADS})


class PersonFilter(Following):
    """Filters one person: follows them, resamples, moves traits, and predicts."""

    def __init__(
        self, book: LawBook, cloud: Cloud, timeline: Timeline, span: range, around: NDArray[np.float64]
    ) -> None:
        super().__init__(book, cloud, timeline, span, around)
        self._forecaster = Forecaster(book, cloud.ahead)
        self._outlook: Outlook | None = None
        self._reviser = Reviser(self.given)
        self.predictions = Predictions.none(len(timeline.rows))

    @property
    def revised(self) -> int:
        """How often traits were moved."""
        return self._reviser.revised

    def run(self, stop: threading.Event | None = None) -> Predictions:
        """Filter the whole timeline; an early `stop` leaves the rest unpredicted."""
        self.follow(stop)
        self.predictions.steps = self.steps + self._forecaster.steps + self._reviser.steps
        return self.predictions

    def _minute_over(self, tick: int, waited: int) -> None:
        if self._cloud.refresh(tick, waited) and self._reviser.due():
            self._reviser.revise(tick)

    def _live(self, now: Moment) -> None:
        super()._live(now)
        self._outlook = None

    def _see(self, place: int, kind: int, now: Moment) -> None:
        if kind not in STILL:
            self._outlook = None
        super()._see(place, kind, now)

    def _predict(self, place: int, kind: int, now: Moment) -> None:
        """Note what the suppositions say now: of the exposure just seen, and of the checks to come."""
        by_head = self.predictions.by_head
        if kind in EXPOSES:
            by_head["interaction"][place] = self._cloud.mean(self._cloud.hidden["chance"])
        if EventKind.ATTENTION_CHECKED <= kind <= EventKind.REACTION_TIMED:
            return
        if self._outlook is None:
            self._outlook = self._look_ahead(now, int(self._timeline.rows["clock"][place]))
        by_head["lapse"][place] = self._outlook.probability(self._cloud.weights)

    def _look_ahead(self, now: Moment, clock_us: int) -> Outlook:
        at = self._at
        waited = -1 if at.asked is None else now.tick - at.asked - 1
        circle = self._circle(now.tick)
        return self._forecaster.outlook(self._cloud, now, clock_us, circle, (waited, at.free_at))
