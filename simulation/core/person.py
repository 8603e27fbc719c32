"""A person: who they are (traits), how they are (hidden state), what they are doing, and what is counted of them.

One definition serves both forms: the reference keeps these as ordinary attributes, the array model as one record a
person (a tick touches most of a person's values, so they sit side by side in memory).
"""

from dataclasses import dataclass

import numpy as np

from simulation.core.tables import Count, Short, Tiny, dtype_of


@dataclass(slots=True)
class Person:
    """One person. Minutes are ticks; states lie in [0, 1] (mood in [-1, 1]) unless a line says otherwise."""

    # What is looked at every minute of everybody comes first, side by side.
    number: Count = 0  # internal number; its pseudonym is what leaves the simulation
    world: Tiny = 0  # 0 is outside: asleep or offline
    next_session: Count = 0  # tick of the next session, once this one is over
    offset: Short = 0  # local time less UTC, minutes
    circle: Count = 0  # the circle of friends that the person belongs to
    archetype: Tiny = 0  # what kind of person, `core.population.ARCHETYPES`
    bed: Short = 0  # local minute of the day at which the person goes to sleep
    wake: Short = 0  # local minute of the day at which the person wakes

    control: float = 0.0  # attentional control
    restless: float = 0.0  # factor on how often the mind wanders off, around 1
    reactive: float = 0.0  # factor on what strain does to stress, around 1
    cheer: float = 0.0  # mood that the person returns to
    eager: float = 0.0  # log-odds of answering, against the average person
    taste: float = 0.0  # drawn to pleasant (+) or unpleasant (-) tones, -1 to 1
    receptive: float = 0.0  # log-odds of accepting an offer, against the average person
    gain: float = 0.0  # factor on what a practice does, around 1
    chronotype: float = 0.0  # hours by which the person's day runs late
    gaze_bias: float = 0.0  # what an eye tracker adds to this person's share on task
    tempo: float = 0.0  # factor on reaction times, around 1
    ability: float = 0.0  # skill at lessons, tasks and games

    focus: float = 0.5
    fatigue: float = 0.3
    pressure: float = 0.3  # sleep pressure, the homeostatic process
    effort: float = 0.1  # tiredness from mental work
    stress: float = 0.3
    mood: float = 0.0
    strain: float = 0.0  # what a running stressful episode adds
    wandering: Tiny = 0  # 1 while the mind is elsewhere
    topic: Tiny = 0  # of the wandering: 0 pleasant, 1 neutral, 2 unpleasant
    wander_since: Count = 0
    strain_until: Count = 0
    debt: float = 0.0  # sleep pressure averaged over the last week
    gloom: float = 0.0  # feeling averaged over the last two weeks, sign turned: what a depression scale asks about
    worry: float = 0.0  # stress averaged over the last two weeks: what an anxiety scale asks about

    ease: float = 0.0  # what practices left behind that acts on stress
    awareness: float = 0.0  # the same, on wandering
    drive: float = 0.0  # the same, on focus
    broken: float = 0.0  # what an interruption left behind; acts on focus
    habit: float = 0.0  # practices grown used to, a fading count
    prompted: float = 0.0  # offers grown used to, a count that fades over weeks
    skill: float = 0.0  # what weeks of practice have built up
    trust: float = 0.0  # in what is offered; low trust leaves
    burden: float = 0.0  # how much the offers weigh on the person

    session_since: Count = 0
    session_until: Count = 0
    stay_since: Count = 0
    stay_until: Count = 0
    doing: Short = 0  # 0 nothing, else the kind of event that began it
    doing_item: Short = 0
    doing_since: Count = 0
    doing_until: Count = 0
    doing_level: float = 0.0  # its difficulty or challenge
    gaze_lost_until: Count = 0

    memory: float = 0.0  # days after which a tenth of what lessons taught is forgotten; 0 before the first lesson
    studied_at: Count = 0  # when the last lesson ended; earlier where little of it was attended to
    attended: Tiny = 0  # minutes of the running lesson in which the mind was on it

    due_at: Count = -1  # tick of the pending answer; -1 for none
    due_kind: Short = 0
    due_seq: Count = 0
    due_item: Short = 0
    due_peer: Count = -1
    due_weight: float = 0.0
    momentum: float = 0.0  # recent answers, fading
    load: float = 0.0  # recent exposures, fading

    offer: Tiny = 0  # practice offered at the next tick
    practice: Tiny = 0  # practice being done
    practice_since: Count = 0  # when the running practice began, or the last one ended
    practice_length: Tiny = 0  # minutes after which it will stop: fewer than `offer_minutes` where it is abandoned
    joined: Count = 0  # tick from which on the person could practise
    left: Tiny = 0  # 1 once the person has given up practising by themselves
    open: Tiny = 0  # 1 while the person is at a natural break, open to something else
    open_until: Count = 0  # when that changes
    offer_minutes: Tiny = 0
    command: int = 0  # command behind the offer or practice, its 64 bits as a signed number

    clock: Count = 0  # microseconds into the tick of the last event
    seq: Count = 0  # events so far
    check_seq: Count = 0  # checks so far

    sessions: Short = 0
    minutes: Count = 0
    focus_minutes: Count = 0
    checks: Short = 0
    lapses: Short = 0
    errors: Short = 0
    quizzes: Short = 0
    reactions: Short = 0
    exposures: Count = 0
    answers: Short = 0
    offers: Short = 0
    practice_minutes: Short = 0
    mood_sum: float = 0.0
    stress_sum: float = 0.0
    burden_sum: float = 0.0
    quiz_sum: float = 0.0
    reaction_sum: float = 0.0


TALLIES = (
    "sessions",
    "minutes",
    "focus_minutes",
    "checks",
    "lapses",
    "errors",
    "quizzes",
    "reactions",
    "exposures",
    "answers",
    "offers",
    "practice_minutes",
    "mood_sum",
    "stress_sum",
    "burden_sum",
    "quiz_sum",
    "reaction_sum",
)
"""What is counted, and set to zero when measuring starts afresh."""

PERSON: np.dtype[np.void] = dtype_of(Person)
