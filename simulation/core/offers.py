"""An offer reaches a person: shown, taken up or dismissed; the practice runs, and ends or is abandoned."""

from infra.contracts.kinds import EventKind
from simulation.cognition.parameters import Parameters
from simulation.cognition.practice import acceptance, benefit, interrupt
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


@kernel
def _report(p: Person, kind: int, practice: int, minutes: int, sink: ListSink) -> None:
    row = new_event(sink, p, kind)
    row.command = p.command
    row.amount = practice
    row.duration = float(minutes)


@kernel
def meet_offer(p: Person, k: Parameters) -> None:
    """What the sight of an offer does, taken up or not."""
    interrupt(p, k)
    p.habit += k.habit_step * 0.2


@kernel
def conclude(p: Person, k: Parameters, minutes: float) -> None:
    """What so many minutes of the running practice leave behind, and its end."""
    benefit(p, k, p.practice, minutes)
    p.habit += k.habit_step
    p.practice = 0


@kernel
def answer_offer(p: Person, k: Parameters, now: Moment, sink: ListSink) -> None:
    """Show the offer that has arrived, and let the person take it up or dismiss it."""
    offer = p.offer
    p.offer = 0
    p.offers += 1
    _report(p, _SHOWN, offer, p.offer_minutes, sink)
    willing = acceptance(p, k)
    meet_offer(p, k)
    if uniform(now.seed, purposes.OFFER, p.number, now.tick, 0) >= willing:
        _report(p, _DISMISSED, offer, p.offer_minutes, sink)
        return
    _report(p, _ACCEPTED, offer, p.offer_minutes, sink)
    p.practice = offer
    p.practice_since = now.tick
    p.practice_until = now.tick + p.offer_minutes
    p.practice_end = p.practice_until
    if uniform(now.seed, purposes.OFFER, p.number, now.tick, 1) < k.abandon:
        share = uniform(now.seed, purposes.OFFER, p.number, now.tick, 2)
        p.practice_end = now.tick + 1 + int(share * (p.offer_minutes - 1))


@kernel
def end_practice(p: Person, k: Parameters, now: Moment, sink: ListSink) -> None:
    """The practice is over: what was done of it counts."""
    minutes = now.tick - p.practice_since
    p.practice_minutes += minutes
    _report(p, _COMPLETED if p.practice_end >= p.practice_until else _ABANDONED, p.practice, minutes, sink)
    conclude(p, k, float(minutes))


@kernel
def practise(p: Person, k: Parameters, now: Moment, sink: ListSink) -> None:
    """One minute of offers and practices."""
    if p.practice > 0 and now.tick >= p.practice_end:
        end_practice(p, k, now, sink)
    if p.offer > 0:
        answer_offer(p, k, now, sink)
