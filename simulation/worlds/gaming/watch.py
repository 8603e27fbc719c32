"""What an observer makes of a minute in the gaming world."""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.cognition.parameters import Parameters as Cognition
from simulation.cognition.rhythm import body_minute
from simulation.core.compiled import compiled, kernel
from simulation.core.moment import Moment
from simulation.core.person import Person
from simulation.core.rows import Rows
from simulation.core.witness import Hidden, Seen, log_of
from simulation.worlds.acting import content, settle
from simulation.worlds.gaming.kernel import QUEST_WEIGHT, chance, quest_logit, take_result
from simulation.worlds.gaming.spec import Parameters
from simulation.worlds.watching import MINUTE_BEGINS, is_look, see_answer, see_begin, see_exposure, see_look

_OFFERED = int(EventKind.QUEST_OFFERED)
_STARTED = int(EventKind.QUEST_STARTED)
_COMPLETED = int(EventKind.QUEST_COMPLETED)
_MATCH = int(EventKind.MATCH_PLAYED)


@kernel
def watch(p: Person, h: Hidden, k: Cognition, w: Parameters, now: Moment, e: Seen, liked: float) -> float:  # noqa: PLR0913, PLR0917  a supposed person is in two records, and every world has one signature
    """Log-likelihood of the event, and what it does to the person."""
    if e.kind == MINUTE_BEGINS:
        settle(p, k)
    elif e.kind == _OFFERED:
        p.due_weight = e.level
        logit = quest_logit(p, k, w, body_minute(p, k, now), (e.level, liked))
        see_exposure(p, h, k, (0.0, QUEST_WEIGHT), logit)
    elif e.kind == _STARTED:
        see_answer(p, h, k, now)
        p.doing_level = e.level
        see_begin(p, now, e, 1 + int(w.quest_minutes * content(p, now, 5)))
    elif e.kind == _COMPLETED:
        wins = chance(p)
        p.doing = 0
        take_result(p, e.amount)
        return log_of(wins if e.amount == 1 else 1.0 - wins)
    elif e.kind == _MATCH:
        p.doing_level = e.level
        wins = chance(p)
        return log_of(wins if e.amount == 1 else 1.0 - wins)
    elif is_look(e):
        return see_look(p, e, w.clicks)
    return 0.0


@compiled
def watch_all(
    cloud: tuple[Rows, Rows, NDArray[np.float64], NDArray[np.float64]],
    tables: tuple[Rows, Rows],
    now: Moment,
    seen: Rows,
) -> None:
    """`watch` for every supposed person of `cloud`: (people, hidden, interest in the event's topic, log-weights)."""
    people, hidden, liked, weights = cloud
    k, w, e = tables[0][0], tables[1][0], seen[0]
    for place in range(people.shape[0]):
        weights[place] += watch(people[place], hidden[place], k, w, now, e, liked[place])
