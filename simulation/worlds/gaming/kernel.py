"""What a player does in a minute: takes up some quests, completes them, plays matches."""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.cognition.answering import answer_logit, answer_probability, interest
from simulation.cognition.parameters import Parameters as Cognition
from simulation.cognition.practice import practising
from simulation.cognition.rhythm import body_minute, clamp
from simulation.core import purposes
from simulation.core.compiled import compiled, kernel
from simulation.core.draws import uniform
from simulation.core.groups import group_heat
from simulation.core.moment import Common, Moment
from simulation.core.person import Person
from simulation.core.rows import ListSink, Rows, new_event
from simulation.worlds.acting import (
    ITEMS,
    begin,
    content,
    decide,
    finish,
    is_due,
    is_over,
    look_around,
    respond,
    settle,
)
from simulation.worlds.gaming.spec import Parameters

_OFFERED = int(EventKind.QUEST_OFFERED)
_STARTED = int(EventKind.QUEST_STARTED)
_COMPLETED = int(EventKind.QUEST_COMPLETED)
_MATCH = int(EventKind.MATCH_PLAYED)
QUEST_WEIGHT = 0.5
"""How much a quest matters, 0 to 1."""


@kernel
def act(p: Person, k: Cognition, w: Parameters, now: Moment, common: Common, sink: ListSink) -> None:  # noqa: ARG001  every world has one signature
    """One minute of play."""
    settle(p, k)
    if is_over(p, now, _STARTED):
        complete_quest(p, now, sink)
    elif not practising(p, k):
        u = content(p, now, 0)
        quests = w.quests * (1.0 + w.group_swing * group_heat(p, now, w.group_circles))
        if p.doing == 0 and u < quests:
            if p.due_at < 0:
                offer_quest(p, k, w, now, sink)
        elif p.doing == 0 and u < quests + w.matches:
            play_match(p, w, now, sink)
        elif u >= 1.0 - w.looks:
            look_around(p, now, sink, w.clicks)
    if is_due(p, now):
        start_quest(p, k, w, now, sink)


@kernel
def offer_quest(p: Person, k: Cognition, w: Parameters, now: Moment, sink: ListSink) -> None:
    """A quest is offered: the best ones are a little beyond one's skill (flow: Csikszentmihalyi 1990)."""
    level = content(p, now, 1)
    row = new_event(sink, p, _OFFERED)
    row.item = int(content(p, now, 3) * ITEMS)
    row.level = level
    p.due_weight = level
    liked = interest(p, now, row.item)
    logit = quest_logit(p, k, w, body_minute(p, k, now), (level, liked))
    decide(p, k, now, sink, row, answer_probability(p, k, 0.0, QUEST_WEIGHT, logit))


@kernel
def quest_logit(p: Person, k: Cognition, w: Parameters, local: int, what: tuple[float, float]) -> float:
    """Log-odds of taking up a quest that is noticed; `what` is (challenge, the person's interest in its topic)."""
    level, liked = what
    off = level - (p.ability + 0.08 - 0.5 * (p.fatigue - 0.4))
    logit = w.answer + answer_logit(p, k, local, 0.0, QUEST_WEIGHT)
    return logit + (k.answer_interest * liked - w.flow * off * off)


@kernel
def start_quest(p: Person, k: Cognition, w: Parameters, now: Moment, sink: ListSink) -> None:
    """The quest is taken up."""
    row = respond(p, k, now, sink, _STARTED)
    row.level = p.due_weight
    p.doing_level = p.due_weight
    begin(p, now, row, 1 + int(w.quest_minutes * content(p, now, 5)))


@kernel
def chance(p: Person) -> float:
    """Probability of winning: skill and focus against the challenge."""
    return clamp(0.55 + 0.8 * (p.ability - p.doing_level) + 0.4 * (p.focus - 0.4), 0.05, 0.95)


@kernel
def complete_quest(p: Person, now: Moment, sink: ListSink) -> None:
    """The quest ends, won or lost; winning lifts the mood a little."""
    level = p.doing_level
    won = 1 if uniform(now.seed, purposes.TASK, p.number, now.tick, 0) < chance(p) else 0
    row = finish(p, now, sink, _COMPLETED)
    row.level = level
    row.amount = won
    take_result(p, won)


@kernel
def take_result(p: Person, won: int) -> None:
    """What winning or losing does to mood."""
    p.mood = clamp(p.mood + (0.03 if won == 1 else -0.02), -1.0, 1.0)


@kernel
def play_match(p: Person, w: Parameters, now: Moment, sink: ListSink) -> None:
    """A short match against others."""
    p.doing_level = content(p, now, 1)
    row = new_event(sink, p, _MATCH)
    row.item = int(content(p, now, 3) * ITEMS)
    row.level = p.doing_level
    row.amount = 1 if uniform(now.seed, purposes.TASK, p.number, now.tick, 1) < chance(p) else 0
    row.duration = 60.0 * (1.0 + w.match_minutes * content(p, now, 4))


@compiled
def act_all(
    state: Rows, residents: NDArray[np.int64], tables: tuple[Rows, Rows], now: Moment, common: Common, sink: ListSink
) -> None:
    """`act` for the people at `residents` (int64 indices into `state`); `tables` are (cognition, world) parameters."""
    k, w = tables[0][0], tables[1][0]
    for place in residents:
        act(state[place], k, w, now, common, sink)
