"""What a patient does in a minute: completes some check-ins, reports symptoms, attends therapy, does homework."""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.cognition.answering import answer_logit, answer_probability
from simulation.cognition.parameters import Parameters as Cognition
from simulation.cognition.practice import practising
from simulation.cognition.rhythm import body_minute, clamp
from simulation.cognition.scales import anxiety_severity, depression_severity
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
    is_due,
    is_over,
    look_around,
    respond,
    settle,
)
from simulation.worlds.medical.spec import Parameters

_PROMPT = int(EventKind.CHECK_IN_PROMPTED)
_CHECK_IN = int(EventKind.CHECK_IN_COMPLETED)
_SYMPTOMS = int(EventKind.SYMPTOMS_REPORTED)
_THERAPY = int(EventKind.THERAPY_ATTENDED)
_HOMEWORK = int(EventKind.HOMEWORK_COMPLETED)
MOOD_SCALE, WORRY_SCALE = 1, 2


@kernel
def act(p: Person, k: Cognition, w: Parameters, now: Moment, common: Common, sink: ListSink) -> None:  # noqa: ARG001  every world has one signature
    """One minute in the medical world."""
    settle(p, k)
    if is_over(p, now, _THERAPY):
        p.doing = 0
    elif p.doing == 0 and not practising(p, k):
        u = content(p, now, 0)
        prompts = w.prompts * (1.0 + w.group_swing * group_heat(p, now, w.group_circles))
        if u < prompts:
            if p.due_at < 0:
                prompt(p, k, w, now, sink)
        elif u < prompts + w.looks:
            look_around(p, now, sink, w.clicks)
        elif u < prompts + w.looks + w.homework:
            do_homework(p, now, sink)
        elif u < prompts + w.looks + w.homework + w.therapy and p.due_at < 0:
            attend(p, w, now, sink)
    if is_due(p, now):
        check_in(p, k, w, now, sink)


@kernel
def prompt(p: Person, k: Cognition, w: Parameters, now: Moment, sink: ListSink) -> None:
    """A check-in is prompted: people answer the scale that speaks to how they are, mood when low, worry when tense."""
    scale = MOOD_SCALE if content(p, now, 1) < 0.5 else WORRY_SCALE
    row = new_event(sink, p, _PROMPT)
    row.item = int(content(p, now, 3) * ITEMS)
    row.amount = scale
    logit = prompt_logit(p, k, w, body_minute(p, k, now), scale)
    decide(p, k, now, sink, row, answer_probability(p, k, 0.0, prompt_weight(scale), logit))


@kernel
def prompt_weight(scale: int) -> float:
    """How much a check-in on this scale matters, 0.4 or 0.6."""
    return 0.4 + 0.2 * (scale - 1)


@kernel
def prompt_logit(p: Person, k: Cognition, w: Parameters, local: int, scale: int) -> float:
    """Log-odds of completing a check-in on this scale that is noticed."""
    touched = -p.mood if scale == MOOD_SCALE else 1.5 * (p.stress - 0.3)
    logit = w.answer + answer_logit(p, k, local, 0.0, prompt_weight(scale))
    return logit + (w.answer_state * touched + 0.8 * p.taste * (1.0 if scale == MOOD_SCALE else -1.0))


@kernel
def check_in_share(p: Person) -> float:
    """Share of a check-in that is filled in, before it is kept between 0 and 1."""
    return 0.5 + 0.4 * p.control + 0.4 * p.focus - 0.3 * p.fatigue


@kernel
def homework_share(p: Person) -> float:
    """Share of the homework that is done, before it is kept between 0 and 1."""
    return 0.3 + 0.5 * p.control + 0.4 * p.focus


@kernel
def relieve(p: Person) -> None:
    """What a therapy session does to stress."""
    p.stress = clamp(p.stress - 0.04, 0.0, 1.0)


@kernel
def check_in(p: Person, k: Cognition, w: Parameters, now: Moment, sink: ListSink) -> None:
    """The check-in is completed; some go on to report symptoms."""
    row = respond(p, k, now, sink, _CHECK_IN)
    completion = clamp(check_in_share(p), 0.0, 1.0)
    row.score = completion
    row.duration = 20.0 + 70.0 * content(p, now, 12)
    if uniform(now.seed, purposes.TASK, p.number, now.tick, 0) < w.reports:
        report(p, now, completion, sink)


@kernel
def report(p: Person, now: Moment, completion: float, sink: ListSink) -> None:
    """Symptom scores of the last two weeks (the item scores are drawn when the tick is written out)."""
    row = new_event(sink, p, _SYMPTOMS)
    row.item = p.due_item
    row.amount = MOOD_SCALE if uniform(now.seed, purposes.TASK, p.number, now.tick, 1) < 0.5 else WORRY_SCALE
    row.score = completion
    row.symptoms = 1
    row.tone = depression_severity(p) if row.amount == MOOD_SCALE else anxiety_severity(p)


@kernel
def do_homework(p: Person, now: Moment, sink: ListSink) -> None:
    """A piece of therapy homework."""
    row = new_event(sink, p, _HOMEWORK)
    row.item = int(content(p, now, 3) * ITEMS)
    row.score = clamp(homework_share(p), 0.0, 1.0)
    row.duration = 60.0 * (1.0 + 6.0 * content(p, now, 4))


@kernel
def attend(p: Person, w: Parameters, now: Moment, sink: ListSink) -> None:
    """A therapy session; it eases stress a little, practice offers or not."""
    row = new_event(sink, p, _THERAPY)
    row.item = int(content(p, now, 3) * ITEMS)
    row.score = 1.0
    minutes = 8 + int(w.therapy_minutes * content(p, now, 5))
    row.duration = 60.0 * minutes
    relieve(p)
    begin(p, now, row, minutes)


@compiled
def act_all(
    state: Rows, residents: NDArray[np.int64], tables: tuple[Rows, Rows], now: Moment, common: Common, sink: ListSink
) -> None:
    """`act` for the people at `residents` (int64 indices into `state`); `tables` are (cognition, world) parameters."""
    k, w = tables[0][0], tables[1][0]
    for place in residents:
        act(state[place], k, w, now, common, sink)
