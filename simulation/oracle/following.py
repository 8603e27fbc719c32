"""Following one person: what is seen is imposed or weighed, and what is hidden moves by the simulator's kernels."""

import threading
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.cognition.answering import LONGEST_DELAY, TOPICS
from simulation.core.moment import Moment
from simulation.core.rows import Rows
from simulation.core.witness import SEEN
from simulation.oracle.cloud import Cloud, Tries, View
from simulation.oracle.laws import LawBook
from simulation.oracle.situation import ANSWERS, BEFORE_ACTING, COMES, EXPOSES, FREES, LIVES, Situation
from simulation.oracle.steps import (
    CAME,
    NEVER,
    SILENT,
    Minds,
    come_all,
    enter_all,
    go_all,
    live_minute,
    rest_all,
    sense_all,
    wait_all,
)
from simulation.oracle.tastes import ANSWERED, NOT
from simulation.oracle.timeline import Timeline
from simulation.worlds.watching import MINUTE_BEGINS, MINUTE_ENDS

_TRUTH_NEVER: Final = 2**30


class Given(NamedTuple):
    """What a `Following` is made from."""

    book: LawBook
    cloud: Cloud
    timeline: Timeline
    span: range
    around: NDArray[np.float64]


class Following:
    """Follows one person over the ticks of `span`; `around` float64 [ticks, 2] is the circle's mood and stress.

    Nothing is predicted: that is left to whoever asks in between (`_noticed`, `_minute_over`).
    """

    def __init__(
        self, book: LawBook, cloud: Cloud, timeline: Timeline, span: range, around: NDArray[np.float64]
    ) -> None:
        self.given = Given(book, cloud, timeline, span, around)
        self._book, self._cloud, self._timeline = book, cloud, timeline
        self._span, self._around = span, around
        self._at = Situation(ended=span.start)
        self._pseudo = np.zeros(1, SEEN)
        self.steps = 0  # minutes lived by suppositions

    def follow(self, stop: threading.Event | None = None) -> None:
        """Live the whole span, or until `stop`."""
        rows = self._timeline.rows
        firsts = np.flatnonzero(np.diff(rows["tick"], prepend=-1))
        lasts = np.append(firsts[1:], len(rows))
        ticks = rows["tick"][firsts]
        tick, place = self._span.start, 0
        while tick < self._span.stop and not (stop is not None and stop.is_set()):
            self._begins(tick)
            some = place < len(ticks) and ticks[place] == tick
            if self._at.world == 0 and not some:
                until = int(ticks[place]) if place < len(ticks) else self._span.stop
                self._rest(tick, until - tick)
                tick = until
                continue
            self._minute(tick, range(firsts[place], lasts[place]) if some else range(0))
            place += int(some)
            tick += 1

    def _now(self, tick: int) -> Moment:
        return Moment(self._cloud.seed, tick, tick % 1440, _TRUTH_NEVER)

    def _table(self, tick: int) -> Rows:
        return self._book.at(tick).cognition

    def _rest(self, tick: int, ticks: int) -> None:
        rest_all(self._cloud.people, self._table(tick), self._now(tick), ticks)
        self.steps += ticks * len(self._cloud.people)

    def _minute(self, tick: int, places: range) -> None:
        """One minute: what is lived before, what is seen in order, what the world does, and what stayed away."""
        at, now = self._at, self._now(tick)
        if at.world > 0:
            self._live(now)
        else:
            self._rest(tick, 1)
        acting = False
        for place in places:
            kind = int(self._timeline.rows["kind"][place])
            if not acting and kind not in BEFORE_ACTING:
                self._begin_acting(now)
                acting = True
            self._see(place, kind, now)
        if at.world > 0:
            if not acting:
                self._begin_acting(now)
            self._end_acting(now, places)
        if len(places) or at.asked is not None:
            self._minute_over(tick, -1 if at.asked is None else tick - at.asked)

    def _minute_over(self, tick: int, waited: int) -> None:
        """A minute is over in which something was seen, or missed; `waited` minutes since the open exposure, or -1."""

    def _begins(self, tick: int) -> None:
        """A minute, or some minutes outside, are about to begin."""

    def _predict(self, place: int, kind: int, now: Moment) -> None:
        """A row has just been seen."""

    def _minds(self, now: Moment) -> Minds:
        """Where it is noted which minds wander after the coming minute: the suppositions move as they move."""
        return Minds(self._cloud.past.noted(now.tick), self._cloud.likelihood, again=False)

    def _live(self, now: Moment) -> None:
        at, cloud = self._at, self._cloud
        free = at.free(now.tick)
        told = (self._circle(now.tick), free)
        live_minute(cloud.view(), self._table(now.tick), now, told, self._minds(now))
        self.steps += len(cloud.people)
        if free:
            at.free_at = now.tick

    def _circle(self, tick: int) -> tuple[float, float]:
        mood, stress = self._around[tick - self._span.start]
        return float(mood), float(stress)

    def _see(self, place: int, kind: int, now: Moment) -> None:
        """Weigh and impose one row."""
        seen = self._timeline.rows[place : place + 1]
        self._settle_open_exposure(kind, now)
        if kind in COMES:
            self._come(now, int(seen["world"][0]))
        elif kind == EventKind.WORLD_ENTERED:
            self._at.world = int(seen["world"][0])
            enter_all(self._cloud.people, now, self._at.world)
        elif kind == EventKind.SESSION_ENDED:
            self._go(now)
        elif kind in LIVES:
            sense_all(self._cloud.view(), self._table(now.tick), now, seen)
            self._at.note_practice(kind)
        elif self._at.world > 0:
            item = int(seen["item"][0])
            if kind in EXPOSES:
                self._expose(item, seen, now)
            else:
                self._watch(self._cloud.view(item), seen, now)
            self._at.note_business(kind, float(seen["duration"][0]), now.tick)
        self._predict(place, kind, now)

    def _expose(self, item: int, seen: Rows, now: Moment) -> None:
        """An exposure opens, and is remembered."""
        tries = self._tries(seen, now)
        self._watch(self._cloud.view(item), seen, now)
        self._cloud.remember(item % TOPICS, tries)

    def _settle_open_exposure(self, kind: int, now: Moment) -> None:
        at = self._at
        if at.asked is None or not (kind in ANSWERS or kind in FREES):
            return
        came = kind in ANSWERS
        wait_all(self._cloud.view(), now.tick - at.asked, CAME if came else NEVER)
        self._cloud.memory.settle(ANSWERED if came else NOT)
        at.asked = None

    def _come(self, now: Moment, world: int) -> None:
        at = self._at
        since = (now.tick - at.ended, at.first)
        come_all(self._cloud.view(), self._table(now.tick), now, world, since, self._minds(now))
        at.first, at.free_at, at.world = False, now.tick, world

    def _go(self, now: Moment) -> None:
        go_all(self._cloud.view(), self._table(now.tick), now)
        self._at.world, self._at.ended, self._at.busy_until = 0, now.tick, 0

    def _watch(self, view: View, seen: Rows, now: Moment) -> None:
        laws, world = self._book.at(now.tick), self._at.world
        laws.watches[world](view, (laws.cognition, laws.acts[world][1]), now, seen)

    def _tries(self, seen: Rows, now: Moment) -> Tries:
        """The log-odds of an answer with one more of eagerness, taste and interest: tried on copies.

        A tone that is not seen differs between suppositions, and with it what taste adds; the rest is alike for all.
        """
        logits = {}
        for name, count in (("eager", 1), ("taste", len(self._cloud.people)), ("liked", 1)):
            tried = self._cloud.copy(int(seen["item"][0]), name, count)
            self._watch(tried, seen, now)
            logits[name] = tried.hidden["logit"]
        return Tries(**logits)

    def _begin_acting(self, now: Moment) -> None:
        if self._at.world > 0:
            self._pseudo["kind"], self._pseudo["amount"] = MINUTE_BEGINS, 0
            self._watch(self._cloud.view(), self._pseudo, now)

    def _end_acting(self, now: Moment, places: range) -> None:
        at, kinds = self._at, self._timeline.rows["kind"][places.start : places.stop]
        self._pseudo["kind"] = MINUTE_ENDS
        self._pseudo["amount"] = int((kinds == EventKind.ERROR_MADE).sum())
        self._watch(self._cloud.view(), self._pseudo, now)
        if at.asked is not None:
            wait_all(self._cloud.view(), now.tick - at.asked, SILENT)
            if now.tick - at.asked >= LONGEST_DELAY:
                self._cloud.memory.settle(NOT)
                self._cloud.hidden["chance"] = 0.0
                at.asked = None
