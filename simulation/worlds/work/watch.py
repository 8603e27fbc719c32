"""What an observer makes of a minute in the world of work."""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.cognition.parameters import Parameters as Cognition
from simulation.cognition.practice import practising
from simulation.cognition.rhythm import body_minute
from simulation.core.compiled import compiled, kernel
from simulation.core.moment import Moment
from simulation.core.person import Person
from simulation.core.rows import Rows
from simulation.core.witness import Hidden, Seen, log_of
from simulation.worlds.acting import content, settle
from simulation.worlds.watching import (
    MINUTE_BEGINS,
    MINUTE_ENDS,
    is_look,
    see_answer,
    see_begin,
    see_exposure,
    see_look,
)
from simulation.worlds.work.kernel import (
    ERROR_STRESS,
    MESSAGE_STRESS,
    error_chance,
    message_logit,
    message_tone,
    press,
)
from simulation.worlds.work.spec import Parameters

_TASK = int(EventKind.TASK_STARTED)
_TASK_END = int(EventKind.TASK_COMPLETED)
_MEETING = int(EventKind.MEETING_JOINED)
_MESSAGE = int(EventKind.MESSAGE_DELIVERED)
_ANSWER = int(EventKind.MESSAGE_ANSWERED)
_ERROR = int(EventKind.ERROR_MADE)


@kernel
def watch(p: Person, h: Hidden, k: Cognition, w: Parameters, now: Moment, e: Seen, liked: float) -> float:  # noqa: PLR0913, PLR0917  a supposed person is in two records, and every world has one signature
    """Log-likelihood of the event, and what it does to the person."""
    if e.kind == MINUTE_BEGINS:
        settle(p, k)
        if p.doing == _MEETING and now.tick >= p.doing_until:
            p.doing = 0
    elif e.kind == _MESSAGE:
        p.due_weight = e.weight
        # Its tone is in the text, which an observer does not have: each supposed person has a tone of their own.
        what = (message_tone(p, now), e.weight, e.level, liked)
        see_exposure(p, h, k, (0.0, e.weight), message_logit(p, k, w, body_minute(p, k, now), what))
        press(p, MESSAGE_STRESS * e.weight)
    elif e.kind == _ANSWER:
        see_answer(p, h, k, now)
    elif e.kind in (_ERROR, MINUTE_ENDS):
        return see_errors(p, k, w, e)
    elif is_look(e):
        return see_look(p, e, w.clicks)
    else:
        see_business(p, w, now, e)
    return 0.0


@kernel
def see_errors(p: Person, k: Cognition, w: Parameters, e: Seen) -> float:
    """Log-likelihood of an error in the running task, or, at the end of a minute without one, of none."""
    if e.kind == _ERROR:
        chance = log_of(error_chance(p, w))
        press(p, ERROR_STRESS)
        return chance
    if p.doing == _TASK and e.amount == 0 and not practising(p, k):
        return log_of(1.0 - error_chance(p, w))
    return 0.0


@kernel
def see_business(p: Person, w: Parameters, now: Moment, e: Seen) -> None:
    """A task or a meeting begins, or a task is done."""
    if e.kind == _TASK:
        p.doing_level = e.level
        see_begin(p, now, e, 5 + int(w.task_minutes * content(p, now, 5)))
    elif e.kind == _TASK_END:
        p.doing = 0
    elif e.kind == _MEETING:
        see_begin(p, now, e, int(e.duration / 60.0 + 0.5))


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
