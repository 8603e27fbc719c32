"""What an observer makes of a minute in the learning world."""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.cognition.memory import attend
from simulation.cognition.parameters import Parameters as Cognition
from simulation.cognition.rhythm import body_minute
from simulation.core.compiled import compiled, kernel
from simulation.core.moment import Moment
from simulation.core.person import Person
from simulation.core.rows import Rows
from simulation.core.witness import Hidden, Seen, nearly, noisy
from simulation.worlds.acting import content, settle
from simulation.worlds.learning.kernel import (
    QUIZ_NOISE,
    follow,
    lesson_score,
    quiz_logit,
    quiz_score,
    quiz_weight,
    take_in,
)
from simulation.worlds.learning.spec import Parameters
from simulation.worlds.watching import (
    MINUTE_BEGINS,
    TOLERANCE,
    is_look,
    see_answer,
    see_begin,
    see_exposure,
    see_look,
)

_LESSON = int(EventKind.LESSON_STARTED)
_LESSON_END = int(EventKind.LESSON_COMPLETED)
_SHOWN = int(EventKind.QUIZ_SHOWN)
_ANSWERED = int(EventKind.QUIZ_ANSWERED)


@kernel
def watch(p: Person, h: Hidden, k: Cognition, w: Parameters, now: Moment, e: Seen, liked: float) -> float:  # noqa: PLR0913, PLR0917  a supposed person is in two records, and every world has one signature
    """Log-likelihood of the event, and what it does to the person."""
    if e.kind == MINUTE_BEGINS:
        settle(p, k)
        follow(p, k)
    elif e.kind == _SHOWN:
        p.due_weight = e.level
        logit = quiz_logit(p, k, w, body_minute(p, k, now), (e.level, liked))
        see_exposure(p, h, k, (0.0, quiz_weight(e.level)), logit)
    elif e.kind == _ANSWERED:
        see_answer(p, h, k, now)
        return see_score(p, k, now, e)
    elif e.kind == _LESSON:
        p.doing_level = e.level
        p.attended = 0
        see_begin(p, now, e, 6 + int(w.lesson_minutes * content(p, now, 5)))
    elif e.kind == _LESSON_END:
        return see_lesson_end(p, k, now, e)
    elif is_look(e):
        return see_look(p, e, w.clicks)
    return 0.0


@kernel
def see_score(p: Person, k: Cognition, now: Moment, e: Seen) -> float:
    """Log-likelihood of the score of an answer to a quiz, and what answering does to memory."""
    expected = quiz_score(p, k, now, e.level)
    attend(p, int(k.quiz_minutes))
    return noisy(e.score, expected, QUIZ_NOISE, 0.0, 1.0)


@kernel
def see_lesson_end(p: Person, k: Cognition, now: Moment, e: Seen) -> float:
    """Log-likelihood of the score of a lesson, which ends, and what it leaves in memory."""
    p.doing = 0
    expected = lesson_score(p, now, e.level)
    take_in(p, k, now, e.level)
    return nearly(e.score, expected, TOLERANCE, 0.0, 1.0)


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
