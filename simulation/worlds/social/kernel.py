"""What a person in the social world does in a minute: sees comments and answers some, posts, joins video calls."""

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.cognition.answering import answer_logit, answer_probability, interest
from simulation.cognition.parameters import Parameters as Cognition
from simulation.cognition.practice import practising
from simulation.cognition.rhythm import body_minute, clamp
from simulation.core.compiled import compiled, kernel
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
from simulation.worlds.social.spec import Parameters

_POST = int(EventKind.POST_PUBLISHED)
_SEEN = int(EventKind.COMMENT_SEEN)
_COMMENT = int(EventKind.COMMENT_POSTED)
_CALL = int(EventKind.VIDEO_CALL_JOINED)
_CALL_END = int(EventKind.VIDEO_CALL_ENDED)
COMMENT_RANGE, POST_RANGE = 0.6, 0.8
"""Width of the tone of one's own words around one's mood. Chosen."""


@kernel
def act(p: Person, k: Cognition, w: Parameters, now: Moment, common: Common, sink: ListSink) -> None:
    """One minute in the social world."""
    settle(p, k)
    if is_over(p, now, _CALL):
        finish(p, now, sink, _CALL_END)
    elif p.doing == 0 and not practising(p, k):
        u = content(p, now, 0)
        comments = w.comments * (1.0 + w.group_swing * group_heat(p, now, w.group_circles))
        if u < comments:
            if p.due_at < 0:
                see_comment(p, k, w, now, common, sink)
        elif u < comments + w.looks:
            look_around(p, now, sink, w.clicks)
        elif u < comments + w.looks + w.posts:
            publish(p, w, now, sink)
        elif u < comments + w.looks + w.posts + w.calls and p.due_at < 0:
            join_call(p, w, now, common, sink)
    if is_due(p, now):
        comment(p, k, now, sink)


@kernel
def see_comment(p: Person, k: Cognition, w: Parameters, now: Moment, common: Common, sink: ListSink) -> None:
    """A friend's comment appears; its tone rubs off a little on whoever notices it."""
    tone = 2.0 * content(p, now, 1) - 1.0
    weight = content(p, now, 2)
    row = new_event(sink, p, _SEEN)
    row.item = int(content(p, now, 3) * ITEMS)
    row.peer = some_friend(p, common, content(p, now, 4))
    row.tone, row.weight = tone, weight
    row.text = pick_phrase(p, now, tone, 0)
    liked = interest(p, now, row.item)
    logit = comment_logit(p, k, w, body_minute(p, k, now), (tone, weight, liked))
    decide(p, k, now, sink, row, answer_probability(p, k, tone, weight, logit))
    rub_off(p, w, tone)


@kernel
def comment_logit(p: Person, k: Cognition, w: Parameters, local: int, what: tuple[float, float, float]) -> float:
    """Log-odds of answering a comment that is noticed; `what` is (tone, importance, interest in its topic)."""
    tone, weight, liked = what
    logit = w.answer + answer_logit(p, k, local, tone, weight)
    return logit + k.answer_interest * liked


@kernel
def rub_off(p: Person, w: Parameters, tone: float) -> None:
    """The tone of a comment moves the mood of whoever is there to read it."""
    if p.wandering == 0:
        p.mood = clamp(p.mood + w.rub_off * tone, -1.0, 1.0)


@kernel
def comment(p: Person, k: Cognition, now: Moment, sink: ListSink) -> None:
    """The answer to a comment, coloured by the person's mood."""
    row = respond(p, k, now, sink, _COMMENT)
    tone = clamp(p.mood + COMMENT_RANGE * (content(p, now, 10) - 0.5), -1.0, 1.0)
    row.tone = tone
    row.weight = 0.2 + 0.6 * content(p, now, 11)
    row.duration = 5.0 + 60.0 * content(p, now, 12)
    row.text = pick_phrase(p, now, tone, 1)


@kernel
def publish(p: Person, w: Parameters, now: Moment, sink: ListSink) -> None:
    """A post of one's own."""
    row = new_event(sink, p, _POST)
    tone = clamp(p.mood + POST_RANGE * (content(p, now, 1) - 0.5), -1.0, 1.0)
    row.item = int(content(p, now, 3) * ITEMS)
    row.tone = tone
    row.weight = content(p, now, 2)
    row.duration = w.post_seconds * content(p, now, 4)
    row.text = pick_phrase(p, now, tone, 2)


@kernel
def join_call(p: Person, w: Parameters, now: Moment, common: Common, sink: ListSink) -> None:
    """A video call with a friend."""
    row = new_event(sink, p, _CALL)
    row.peer = some_friend(p, common, content(p, now, 4))
    row.item = int(content(p, now, 3) * ITEMS)
    begin(p, now, row, 3 + int(w.call_minutes * content(p, now, 5)))


@compiled
def act_all(
    state: Rows, residents: NDArray[np.int64], tables: tuple[Rows, Rows], now: Moment, common: Common, sink: ListSink
) -> None:
    """`act` for the people at `residents` (int64 indices into `state`); `tables` are (cognition, world) parameters."""
    k, w = tables[0][0], tables[1][0]
    for place in residents:
        act(state[place], k, w, now, common, sink)
