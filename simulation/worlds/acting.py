"""What the worlds share: browsing, exposures with their true probability, answers, and things that take a while."""

from infra.contracts.kinds import EventKind
from simulation.cognition.answering import answer_delay
from simulation.cognition.parameters import Parameters
from simulation.core import purposes
from simulation.core.compiled import kernel
from simulation.core.draws import uniform
from simulation.core.moment import Common, Moment
from simulation.core.person import Person
from simulation.core.rows import LAST_US, EventRow, ListSink, new_event, new_truth

_PAGE_BROWSED = int(EventKind.PAGE_BROWSED)
_ITEM_CLICKED = int(EventKind.ITEM_CLICKED)
ITEMS = 4096
"""Items of a world; the topic of an item is its number modulo `cognition.answering.TOPICS`."""
LOOK_SECONDS, LOOK_RANGE = 4.0, 30.0
"""Least time on a page of an attentive person, and how much longer it may be, seconds. Chosen."""
LINGER = 2.2
"""How much longer a wandering mind stays on a page (slower, less regular reading: Franklin 2011 ?; size chosen)."""


@kernel
def content(p: Person, now: Moment, index: int) -> float:
    """The `index`-th uniform draw for what this tick brings."""
    return uniform(now.seed, purposes.CONTENT, p.number, now.tick, index)


@kernel
def some_friend(p: Person, common: Common, u: float) -> int:
    """Internal number of another member of the circle, or -1 where there is none."""
    if common.circle_size < 2:
        return -1
    first = p.circle * common.circle_size
    step = 1 + int(u * (common.circle_size - 1))
    return first + (p.number - first + step) % common.circle_size


@kernel
def click_chance(p: Person, share_clicks: float) -> float:
    """Probability that a look around ends in a click: less with a wandering mind, more at a natural break."""
    return share_clicks * (0.55 if p.wandering == 1 else 1.0) * (1.15 if p.open == 1 else 0.9)


@kernel
def linger(p: Person) -> float:
    """Factor on the time on a page."""
    return LINGER if p.wandering == 1 else 1.0


@kernel
def look_around(p: Person, now: Moment, sink: ListSink, share_clicks: float) -> None:
    """Browse a page or click on something; a wandering mind clicks less and lingers longer."""
    item = int(content(p, now, 20) * ITEMS)
    clicks = content(p, now, 21) < click_chance(p, share_clicks)
    row = new_event(sink, p, _ITEM_CLICKED if clicks else _PAGE_BROWSED)
    row.item = item
    row.duration = (LOOK_SECONDS + LOOK_RANGE * content(p, now, 22)) * linger(p)


@kernel
def decide(p: Person, k: Parameters, now: Moment, sink: ListSink, row: EventRow, probability: float) -> None:
    """Record the true probability of the exposure `row`, and let the person act on it, within ten minutes, or not."""
    new_truth(sink, p, row.kind, row.seq, probability)
    meet(p)
    if uniform(now.seed, purposes.ANSWER, p.number, now.tick, 0) >= probability:
        return
    p.due_at = now.tick + answer_delay(p, k, uniform(now.seed, purposes.ANSWER, p.number, now.tick, 1))
    p.due_kind = row.kind
    p.due_seq = row.seq
    p.due_item = row.item
    p.due_peer = row.peer


@kernel
def meet(p: Person) -> None:
    """An exposure takes its place in what the person has before them, answered or not."""
    p.exposures += 1
    p.load += 1.0


@kernel
def is_due(p: Person, now: Moment) -> bool:
    """Whether the pending answer comes in this tick."""
    return bool(p.due_at >= 0 and now.tick >= p.due_at)


@kernel
def respond(p: Person, k: Parameters, now: Moment, sink: ListSink, kind: int) -> EventRow:
    """Give the pending answer: whoever answers has mostly come back to the task. Returns the row to fill in."""
    if p.due_at == now.tick:
        seconds = 2.0 + 20.0 * uniform(now.seed, purposes.ANSWER, p.number, now.tick, 2) * (1.2 - p.focus)
        p.clock = min(p.clock + int(1e6 * seconds), LAST_US)
    turn_to(p, k, now)
    row = new_event(sink, p, kind)
    row.reply = p.due_seq
    row.item = p.due_item
    row.peer = p.due_peer
    p.due_at = -1
    return row


@kernel
def turn_to(p: Person, k: Parameters, now: Moment) -> None:
    """What answering does to the one who answers: the mind is mostly back, and one answer leads to the next."""
    if uniform(now.seed, purposes.ANSWER, p.number, now.tick, 3) < k.returns:
        p.wandering = 0
    p.momentum += 1.0
    p.answers += 1


@kernel
def settle(p: Person, k: Parameters) -> None:
    """One minute of forgetting recent exposures and answers."""
    p.momentum *= 1.0 - 1.0 / k.momentum_fade
    p.load *= 1.0 - 1.0 / k.load_fade


@kernel
def begin(p: Person, now: Moment, row: EventRow, minutes: int) -> None:
    """The event `row` begins something that takes `minutes`."""
    p.doing = row.kind
    p.doing_item = row.item
    p.doing_since = now.tick
    p.doing_until = now.tick + minutes


@kernel
def is_over(p: Person, now: Moment, kind: int) -> bool:
    """Whether what an event of this kind began comes to its end in this tick."""
    return bool(p.doing == kind and now.tick >= p.doing_until)


@kernel
def finish(p: Person, now: Moment, sink: ListSink, kind: int) -> EventRow:
    """End what the person is doing; returns the row to fill in."""
    row = new_event(sink, p, kind)
    row.item = p.doing_item
    row.duration = 60.0 * (now.tick - p.doing_since)
    p.doing = 0
    return row
