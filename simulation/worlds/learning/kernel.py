"""What a person in the learning world does in a minute: takes lessons, and answers some of the quizzes in them."""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.cognition.answering import answer_logit, answer_probability, interest
from simulation.cognition.memory import attend, attention_paid, hardness, learn, retention
from simulation.cognition.parameters import Parameters as Cognition
from simulation.cognition.practice import practising
from simulation.cognition.rhythm import body_minute, clamp
from simulation.core import purposes
from simulation.core.compiled import compiled, kernel
from simulation.core.draws import spread, uniform
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
from simulation.worlds.learning.spec import Parameters

_LESSON = int(EventKind.LESSON_STARTED)
_LESSON_END = int(EventKind.LESSON_COMPLETED)
_SHOWN = int(EventKind.QUIZ_SHOWN)
_ANSWERED = int(EventKind.QUIZ_ANSWERED)
QUIZ_NOISE = 0.15
"""Standard deviation of a quiz score between answers. Chosen."""


@kernel
def act(p: Person, k: Cognition, w: Parameters, now: Moment, common: Common, sink: ListSink) -> None:  # noqa: ARG001  every world has one signature
    """One minute in the learning world."""
    settle(p, k)
    follow(p, k)
    if is_over(p, now, _LESSON) and p.due_at < 0:
        complete_lesson(p, k, now, sink)
    elif not practising(p, k):
        u = content(p, now, 0)
        if p.doing == 0 and u < w.lessons:
            start_lesson(p, w, now, sink)
        elif p.doing == _LESSON and u < w.quizzes:
            if p.due_at < 0:
                show_quiz(p, k, w, now, sink)
        elif u >= 1.0 - w.looks:
            look_around(p, now, sink, w.clicks)
    if is_due(p, now):
        answer_quiz(p, k, now, sink)


@kernel
def follow(p: Person, k: Cognition) -> None:
    """A minute of the running lesson counts where the mind is on it."""
    if p.doing == _LESSON and p.wandering == 0 and not practising(p, k):
        attend(p, 1)


@kernel
def start_lesson(p: Person, w: Parameters, now: Moment, sink: ListSink) -> None:
    """A lesson begins."""
    row = new_event(sink, p, _LESSON)
    row.item = int(content(p, now, 3) * ITEMS)
    harder = w.group_swing * group_heat(p, now, w.group_circles)
    p.doing_level = clamp(content(p, now, 4) + harder, 0.0, 1.0)
    row.level = p.doing_level
    p.attended = 0
    begin(p, now, row, 6 + int(w.lesson_minutes * content(p, now, 5)))


@kernel
def complete_lesson(p: Person, k: Cognition, now: Moment, sink: ListSink) -> None:
    """The lesson ends; its score is what stuck, and how much of it will last is what it adds to memory."""
    level = p.doing_level
    row = finish(p, now, sink, _LESSON_END)
    row.level = level
    row.score = clamp(lesson_score(p, now, level), 0.0, 1.0)
    take_in(p, k, now, level)


@kernel
def lesson_score(p: Person, now: Moment, level: float) -> float:
    """What stuck of a lesson of this difficulty, before it is kept between 0 and 1."""
    return 0.35 + 0.5 * p.ability + 0.4 * attention_paid(p, now.tick) - 0.5 * level


@kernel
def take_in(p: Person, k: Cognition, now: Moment, level: float) -> None:
    """What the lesson that ends now, of this difficulty, does to memory."""
    learn(p, k, now.tick, attention_paid(p, now.tick), hardness(p, level))


@kernel
def known(p: Person, k: Cognition, now: Moment) -> float:
    """What a quiz can draw on, 0 to 1: what is left of earlier lessons, and what was attended to in this one."""
    this = attention_paid(p, now.tick)
    return k.quiz_foundation * retention(p, now.tick) + (1.0 - k.quiz_foundation) * this


@kernel
def quiz_score(p: Person, k: Cognition, now: Moment, level: float) -> float:
    """Expected score of an answer to a quiz of this difficulty, before it is kept between 0 and 1."""
    can = known(p, k, now) * (1.0 - k.quiz_hardness * hardness(p, level))
    return can + k.quiz_focus * (p.focus - 0.4)


@kernel
def show_quiz(p: Person, k: Cognition, w: Parameters, now: Moment, sink: ListSink) -> None:
    """A quiz on the lesson's topic: what is too hard or too easy for this person is skipped more."""
    level = clamp(p.doing_level + 0.5 * (content(p, now, 1) - 0.5), 0.0, 1.0)
    row = new_event(sink, p, _SHOWN)
    row.item = p.doing_item
    row.level = level
    p.due_weight = level
    liked = interest(p, now, row.item)
    logit = quiz_logit(p, k, w, body_minute(p, k, now), (level, liked))
    decide(p, k, now, sink, row, answer_probability(p, k, 0.0, quiz_weight(level), logit))


@kernel
def quiz_weight(level: float) -> float:
    """How much a quiz of this difficulty matters, 0.3 to 0.7."""
    return 0.3 + 0.4 * level


@kernel
def quiz_logit(p: Person, k: Cognition, w: Parameters, local: int, what: tuple[float, float]) -> float:
    """Log-odds of answering a quiz that is noticed; `what` is (difficulty, the person's interest in its topic)."""
    level, liked = what
    off = level - p.ability
    logit = w.answer + answer_logit(p, k, local, 0.0, quiz_weight(level))
    return logit + (k.answer_interest * liked - w.stretch * off * off * (1.0 + 2.0 * p.fatigue))


@kernel
def answer_quiz(p: Person, k: Cognition, now: Moment, sink: ListSink) -> None:
    """The answer to a quiz, and its score."""
    row = respond(p, k, now, sink, _ANSWERED)
    noise = QUIZ_NOISE * spread(uniform(now.seed, purposes.TASK, p.number, now.tick, 0))
    score = clamp(quiz_score(p, k, now, p.due_weight) + noise, 0.0, 1.0)
    attend(p, int(k.quiz_minutes))
    row.level = p.due_weight
    row.score = score
    row.duration = 10.0 + 80.0 * content(p, now, 12) * (0.5 + p.due_weight)
    p.quizzes += 1
    p.quiz_sum += score


@compiled
def act_all(
    state: Rows, residents: NDArray[np.int64], tables: tuple[Rows, Rows], now: Moment, common: Common, sink: ListSink
) -> None:
    """`act` for the people at `residents` (int64 indices into `state`); `tables` are (cognition, world) parameters."""
    k, w = tables[0][0], tables[1][0]
    for place in residents:
        act(state[place], k, w, now, common, sink)
