"""What an observer makes of a minute in the medical world."""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.cognition.parameters import Parameters as Cognition
from simulation.cognition.rhythm import body_minute
from simulation.core.compiled import compiled, kernel
from simulation.core.moment import Moment
from simulation.core.person import Person
from simulation.core.rows import Rows
from simulation.core.witness import Hidden, Seen, nearly
from simulation.worlds.acting import settle
from simulation.worlds.medical.kernel import check_in_share, homework_share, prompt_logit, prompt_weight, relieve
from simulation.worlds.medical.spec import Parameters
from simulation.worlds.watching import (
    MINUTE_BEGINS,
    TOLERANCE,
    is_look,
    see_answer,
    see_begin,
    see_exposure,
    see_look,
)

_PROMPT = int(EventKind.CHECK_IN_PROMPTED)
_CHECK_IN = int(EventKind.CHECK_IN_COMPLETED)
_THERAPY = int(EventKind.THERAPY_ATTENDED)
_HOMEWORK = int(EventKind.HOMEWORK_COMPLETED)


@kernel
def watch(p: Person, h: Hidden, k: Cognition, w: Parameters, now: Moment, e: Seen, liked: float) -> float:  # noqa: PLR0913, PLR0917, ARG001  a supposed person is in two records, and every world has one signature
    """Log-likelihood of the event, and what it does to the person."""
    if e.kind == MINUTE_BEGINS:
        settle(p, k)
        if p.doing == _THERAPY and now.tick >= p.doing_until:
            p.doing = 0
    elif e.kind == _PROMPT:
        logit = prompt_logit(p, k, w, body_minute(p, k, now), e.amount)
        see_exposure(p, h, k, (0.0, prompt_weight(e.amount)), logit)
    elif e.kind == _CHECK_IN:
        see_answer(p, h, k, now)
        return nearly(e.score, check_in_share(p), TOLERANCE, 0.0, 1.0)
    elif e.kind == _HOMEWORK:
        return nearly(e.score, homework_share(p), TOLERANCE, 0.0, 1.0)
    elif e.kind == _THERAPY:
        relieve(p)
        see_begin(p, now, e, int(e.duration / 60.0 + 0.5))
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
