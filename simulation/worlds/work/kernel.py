"""What a person at work does in a minute: works on tasks, answers some messages, meets, makes errors."""

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
    some_friend,
)
from simulation.worlds.phrases import pick_phrase
from simulation.worlds.work.spec import Parameters

_TASK = int(EventKind.TASK_STARTED)
_TASK_END = int(EventKind.TASK_COMPLETED)
_MEETING = int(EventKind.MEETING_JOINED)
_MESSAGE = int(EventKind.MESSAGE_DELIVERED)
_ANSWER = int(EventKind.MESSAGE_ANSWERED)
_ERROR = int(EventKind.ERROR_MADE)
MESSAGE_STRESS, ERROR_STRESS = 0.006, 0.03
"""What a message of the highest importance and an error add to stress. Chosen."""


@kernel
def act(p: Person, k: Cognition, w: Parameters, now: Moment, common: Common, sink: ListSink) -> None:
    """One minute at work."""
    settle(p, k)
    if is_over(p, now, _MEETING):
        p.doing = 0
    elif is_over(p, now, _TASK):
        complete_task(p, now, sink)
    elif not practising(p, k) and p.doing != _MEETING:
        take_up(p, k, w, now, common, sink)
    if p.doing == _TASK and not practising(p, k):
        err(p, w, now, sink)
    if is_due(p, now):
        answer_message(p, k, now, sink)


@kernel
def take_up(p: Person, k: Cognition, w: Parameters, now: Moment, common: Common, sink: ListSink) -> None:
    """What comes up in a minute outside meetings: a message, a meeting, a new task, or a look around."""
    u = content(p, now, 0)
    messages = w.messages * (1.0 + w.group_swing * group_heat(p, now, w.group_circles))
    if u < messages:
        if p.due_at < 0:
            deliver(p, k, w, now, common, sink)
    elif u < messages + w.meetings and p.due_at < 0:
        join_meeting(p, w, now, common, sink)
    elif p.doing == 0 and u >= 1.0 - w.tasks:
        start_task(p, w, now, sink)
    elif u < messages + w.meetings + w.looks:
        look_around(p, now, sink, w.clicks)


@kernel
def start_task(p: Person, w: Parameters, now: Moment, sink: ListSink) -> None:
    """A task begins."""
    row = new_event(sink, p, _TASK)
    row.item = int(content(p, now, 3) * ITEMS)
    p.doing_level = content(p, now, 4)
    row.level = p.doing_level
    row.weight = content(p, now, 2)
    begin(p, now, row, 5 + int(w.task_minutes * content(p, now, 5)))


@kernel
def complete_task(p: Person, now: Moment, sink: ListSink) -> None:
    """The task is done."""
    level = p.doing_level
    row = finish(p, now, sink, _TASK_END)
    row.level = level


@kernel
def join_meeting(p: Person, w: Parameters, now: Moment, common: Common, sink: ListSink) -> None:
    """A meeting with a colleague; a task that runs is laid down for good."""
    row = new_event(sink, p, _MEETING)
    row.item = int(content(p, now, 3) * ITEMS)
    row.peer = some_friend(p, common, content(p, now, 4))
    minutes = 5 + int(w.meeting_minutes * content(p, now, 5))
    row.duration = 60.0 * minutes
    begin(p, now, row, minutes)


@kernel
def deliver(p: Person, k: Cognition, w: Parameters, now: Moment, common: Common, sink: ListSink) -> None:
    """A message arrives. During a hard task only important ones are answered; they also strain a little."""
    weight = content(p, now, 2)
    tone = message_tone(p, now)
    hard = p.doing_level if p.doing == _TASK else 0.2
    row = new_event(sink, p, _MESSAGE)
    row.item = int(content(p, now, 3) * ITEMS)
    row.peer = some_friend(p, common, content(p, now, 4))
    row.weight, row.level = weight, hard
    row.text = pick_phrase(p, now, tone, 0)
    p.due_weight = weight
    what = (tone, weight, hard, interest(p, now, row.item))
    logit = message_logit(p, k, w, body_minute(p, k, now), what)
    decide(p, k, now, sink, row, answer_probability(p, k, 0.0, weight, logit))
    press(p, MESSAGE_STRESS * weight)


@kernel
def message_tone(p: Person, now: Moment) -> float:
    """Tone of what arrives at work, -0.6 to 0.6. It is in the text only."""
    return 1.2 * content(p, now, 1) - 0.6


@kernel
def message_logit(p: Person, k: Cognition, w: Parameters, local: int, what: tuple[float, float, float, float]) -> float:
    """Log-odds of answering a message that is noticed.

    `what` is (tone, importance, difficulty of the task, interest in the topic).
    """
    tone, weight, hard, liked = what
    logit = w.answer + answer_logit(p, k, local, tone, weight)
    return logit + (k.answer_interest * liked + 3.0 * (weight - 0.5) * hard)


@kernel
def press(p: Person, size: float) -> None:
    """Something at work strains a person."""
    p.stress = clamp(p.stress + size * p.reactive, 0.0, 1.0)


@kernel
def answer_message(p: Person, k: Cognition, now: Moment, sink: ListSink) -> None:
    """The answer to a message."""
    row = respond(p, k, now, sink, _ANSWER)
    row.weight = p.due_weight
    row.duration = 5.0 + 90.0 * content(p, now, 12)
    row.text = pick_phrase(p, now, clamp(p.mood, -1.0, 1.0), 1)


@kernel
def err(p: Person, w: Parameters, now: Moment, sink: ListSink) -> None:
    """An error in the running task: more of them with a wandering mind, with fatigue, and in hard tasks."""
    if uniform(now.seed, purposes.TASK, p.number, now.tick, 1) < error_chance(p, w):
        row = new_event(sink, p, _ERROR)
        row.item = p.doing_item
        row.level = p.doing_level
        row.amount = 1
        p.errors += 1
        press(p, ERROR_STRESS)


@kernel
def error_chance(p: Person, w: Parameters) -> float:
    """Probability of an error in a minute of the running task."""
    rate = w.errors * (1.0 + w.error_wandering * p.wandering) * (1.0 + w.error_fatigue * p.fatigue)
    return rate * (0.4 + p.doing_level)


@compiled
def act_all(
    state: Rows, residents: NDArray[np.int64], tables: tuple[Rows, Rows], now: Moment, common: Common, sink: ListSink
) -> None:
    """`act` for the people at `residents` (int64 indices into `state`); `tables` are (cognition, world) parameters."""
    k, w = tables[0][0], tables[1][0]
    for place in residents:
        act(state[place], k, w, now, common, sink)
