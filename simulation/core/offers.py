"""An offer reaches a person: shown, taken up or dismissed; the practice runs, and ends or is abandoned."""

from infra.contracts.commands import Practice
from infra.contracts.kinds import EventKind
from simulation.cognition.parameters import Parameters
from simulation.cognition.practice import (
    CLOSING,
    acceptance,
    benefit,
    breaking_off,
    interrupt,
    lose_thread,
    own_rate,
    phase,
)
from simulation.core import purposes
from simulation.core.compiled import kernel
from simulation.core.draws import uniform
from simulation.core.moment import Moment
from simulation.core.person import Person
from simulation.core.rows import ListSink, new_event

_SHOWN = int(EventKind.OFFER_SHOWN)
_ACCEPTED = int(EventKind.OFFER_ACCEPTED)
_DISMISSED = int(EventKind.OFFER_DISMISSED)
_COMPLETED = int(EventKind.PRACTICE_COMPLETED)
_ABANDONED = int(EventKind.PRACTICE_ABANDONED)
_KINDS_OF_PRACTICE = len(Practice) - 1
OWN_MOST = 0.05
"""Largest probability a minute of practising unasked: draws above it need no further look."""


@kernel
def _report(p: Person, kind: int, practice: int, minutes: int, sink: ListSink) -> None:
    row = new_event(sink, p, kind)
    row.command = p.command
    row.amount = practice
    row.duration = float(minutes)


@kernel
def answer_offer(p: Person, k: Parameters, now: Moment, sink: ListSink) -> None:
    """Show the offer that has arrived, and let the person take it up or dismiss it."""
    offer = p.offer
    p.offer = 0
    p.offers += 1
    _report(p, _SHOWN, offer, p.offer_minutes, sink)
    willing = acceptance(p, k)
    interrupt(p, k)
    if uniform(now.seed, purposes.OFFER, p.number, now.tick, 0) >= willing:
        _report(p, _DISMISSED, offer, p.offer_minutes, sink)
        return
    _report(p, _ACCEPTED, offer, p.offer_minutes, sink)
    begin_practice(p, k, now, offer)


@kernel
def begin_practice(p: Person, k: Parameters, now: Moment, practice: int) -> None:
    """Start a practice of `offer_minutes`; some will break it off."""
    p.practice = practice
    p.practice_since = now.tick
    p.practice_length = p.offer_minutes
    if uniform(now.seed, purposes.OFFER, p.number, now.tick, 1) < breaking_off(k, practice, p.offer_minutes):
        share = uniform(now.seed, purposes.OFFER, p.number, now.tick, 2)
        p.practice_length = 1 + int(share * (p.offer_minutes - 1))


@kernel
def end_practice(p: Person, k: Parameters, now: Moment, sink: ListSink) -> None:
    """The practice is over: what was done of it counts."""
    minutes = now.tick - p.practice_since
    p.practice_minutes += minutes
    _report(p, _COMPLETED if minutes >= p.offer_minutes else _ABANDONED, p.practice, minutes, sink)
    conclude(p, k, now, float(minutes))


@kernel
def conclude(p: Person, k: Parameters, now: Moment, minutes: float) -> None:
    """What so many minutes of the running practice leave behind, and its end: who breaks off early loses the thread."""
    benefit(p, k, p.practice, float(p.offer_minutes), minutes)
    if phase(p.practice, minutes / p.offer_minutes) < CLOSING:
        lose_thread(p, k)
    p.habit += k.habit_step
    p.practice_since = now.tick
    p.practice = 0


@kernel
def practise(p: Person, k: Parameters, now: Moment, sink: ListSink) -> None:
    """One minute of offers and practices."""
    if p.practice > 0 and now.tick >= p.practice_since + p.practice_length:
        end_practice(p, k, now, sink)
    if p.offer > 0:
        answer_offer(p, k, now, sink)
    elif p.practice == 0:
        practise_unasked(p, k, now)


@kernel
def own_minutes(u: float) -> int:
    """Length of a practice that nobody offered: 5, 10, 15 or 20 minutes."""
    return 5 + 5 * int(4.0 * u)


@kernel
def practise_unasked(p: Person, k: Parameters, now: Moment) -> None:
    """Perhaps begin a practice that nobody offered: its command is 0."""
    u = uniform(now.seed, purposes.OWN, p.number, now.tick, 0)
    if u < OWN_MOST and u < own_rate(p, k, now.tick):
        p.command = 0
        p.offer_minutes = own_minutes(uniform(now.seed, purposes.OWN, p.number, now.tick, 1))
        kind = 1 + int(_KINDS_OF_PRACTICE * uniform(now.seed, purposes.OWN, p.number, now.tick, 2))
        begin_practice(p, k, now, kind)
