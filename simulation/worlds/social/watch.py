"""What an observer makes of a minute in the social world."""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.cognition.parameters import Parameters as Cognition
from simulation.cognition.rhythm import body_minute
from simulation.core.compiled import compiled, kernel
from simulation.core.moment import Moment
from simulation.core.person import Person
from simulation.core.rows import Rows
from simulation.core.witness import Hidden, Seen
from simulation.worlds.acting import content, settle
from simulation.worlds.social.kernel import COMMENT_RANGE, POST_RANGE, comment_logit, rub_off
from simulation.worlds.social.spec import Parameters
from simulation.worlds.watching import (
    MINUTE_BEGINS,
    is_look,
    see_answer,
    see_begin,
    see_exposure,
    see_look,
    see_words,
)

_POST = int(EventKind.POST_PUBLISHED)
_SEEN = int(EventKind.COMMENT_SEEN)
_COMMENT = int(EventKind.COMMENT_POSTED)
_CALL = int(EventKind.VIDEO_CALL_JOINED)
_CALL_END = int(EventKind.VIDEO_CALL_ENDED)


@kernel
def watch(p: Person, h: Hidden, k: Cognition, w: Parameters, now: Moment, e: Seen, liked: float) -> float:  # noqa: PLR0913, PLR0917  a supposed person is in two records, and every world has one signature
    """Log-likelihood of the event, and what it does to the person."""
    if e.kind == MINUTE_BEGINS:
        settle(p, k)
    elif e.kind == _SEEN:
        logit = comment_logit(p, k, w, body_minute(p, k, now), (e.tone, e.weight, liked))
        see_exposure(p, h, k, (e.tone, e.weight), logit)
        rub_off(p, w, e.tone)
    elif e.kind == _COMMENT:
        see_answer(p, h, k, now)
        return see_words(p, e.tone, COMMENT_RANGE)
    elif e.kind == _POST:
        return see_words(p, e.tone, POST_RANGE)
    elif e.kind == _CALL:
        see_begin(p, now, e, 3 + int(w.call_minutes * content(p, now, 5)))
    elif e.kind == _CALL_END:
        p.doing = 0
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
