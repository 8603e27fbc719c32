"""Fatigue, focus and mind-wandering, one minute at a time."""

import math

from simulation.cognition.parameters import Parameters
from simulation.cognition.practice import practising
from simulation.cognition.rhythm import alertness, clamp, logistic
from simulation.core import purposes
from simulation.core.compiled import kernel
from simulation.core.draws import spread, uniform
from simulation.core.moment import Moment
from simulation.core.person import Person

PLEASANT, NEUTRAL, UNPLEASANT = 0, 1, 2
TYPICAL_FATIGUE, TYPICAL_FOCUS = 0.32, 0.5
"""About the means over session minutes: where the log-odds of this file have their base values."""


@kernel
def tire(p: Person, k: Parameters, local: int, sleeping: bool, minutes: int) -> None:
    """Some minutes: pressure and effort rise or fall exponentially; fatigue is their mean less the circadian part."""
    if sleeping:
        p.pressure -= p.pressure * minutes / k.pressure_fall
        p.effort -= p.effort * minutes / k.effort_sleep
    else:
        p.pressure += (1.0 - p.pressure) * minutes / k.pressure_rise
        if p.world > 0 and not practising(p, k):
            p.effort += (1.0 - p.effort) * minutes / k.effort_rise
        else:
            p.effort -= p.effort * minutes / k.effort_rest
    fatigue = 0.5 * (p.pressure + p.effort) - k.circadian * alertness(p, k, local)
    p.debt += (p.pressure - p.debt) * minutes / k.debt_memory
    p.fatigue = clamp(fatigue + k.fatigue_debt * max(0.0, p.debt - k.debt_rested), 0.0, 1.0)


@kernel
def concentrate(p: Person, k: Parameters, now: Moment) -> None:
    """Focus moves towards its target: control, less fatigue, time on task and arousal off its best level."""
    noise = k.focus_noise * spread(uniform(now.seed, purposes.FOCUS_NOISE, p.number, now.tick, 0))
    target = focus_target(p, k, now.tick - p.stay_since)
    p.focus = clamp(p.focus + (target - p.focus) / k.focus_return + noise, 0.02, 0.98)


@kernel
def focus_target(p: Person, k: Parameters, on_task: int) -> float:
    """Where focus goes after `on_task` minutes in one place."""
    vigilance = 1.0 - k.vigilance_loss * (1.0 - math.exp(-on_task / k.vigilance_time))
    off_best = p.stress - k.arousal_best
    arousal = 1.0 - k.arousal_curve * off_best * off_best
    able = p.control + k.skill_focus * p.skill
    return able * (1.0 - k.focus_fatigue * p.fatigue) * vigilance * arousal + p.drive - p.broken


@kernel
def pull(p: Person, k: Parameters) -> float:
    """What draws the mind away: fatigue and stress, less focus and awareness; 0 for a typical moment."""
    away = k.wander_fatigue * (p.fatigue - TYPICAL_FATIGUE) + k.wander_stress * (p.stress - 0.3)
    return away - k.wander_focus * (p.focus - TYPICAL_FOCUS) - p.awareness - k.skill_aware * p.skill


@kernel
def onset_rate(p: Person, k: Parameters) -> float:
    """Probability a minute that an episode begins."""
    return clamp(k.wander_onset * p.restless * math.exp(pull(p, k)), 0.001, 0.5)


@kernel
def end_rate(p: Person, k: Parameters) -> float:
    """Probability a minute that a running episode ends."""
    return clamp(k.wander_end * math.exp(-0.5 * pull(p, k)), 0.01, 0.5)


@kernel
def wander(p: Person, k: Parameters, now: Moment) -> None:
    """Begin or end an episode of mind-wandering; minds wander in a practice as elsewhere."""
    u = uniform(now.seed, purposes.WANDER, p.number, now.tick, 0)
    if p.wandering == 1:
        if u < end_rate(p, k):
            p.wandering = 0
    elif u < onset_rate(p, k):
        begin_episode(p, k, now)


@kernel
def begin_episode(p: Person, k: Parameters, now: Moment) -> None:
    """The mind wanders off, to a pleasant, neutral or unpleasant topic."""
    u = uniform(now.seed, purposes.TOPIC, p.number, now.tick, 0)
    p.wandering = 1
    p.wander_since = now.tick
    p.topic = PLEASANT if u < k.topic_pleasant else (NEUTRAL if u < k.topic_pleasant + k.topic_neutral else UNPLEASANT)


@kernel
def arrive(p: Person, k: Parameters, now: Moment) -> None:
    """State of mind at the start of a session: wandering with the share that the two rates balance at."""
    onset, end = onset_rate(p, k), end_rate(p, k)
    p.wandering = 0
    if uniform(now.seed, purposes.WANDER, p.number, now.tick, 1) < onset / (onset + end):
        begin_episode(p, k, now)


@kernel
def lapse_probability(p: Person, k: Parameters, tick: int) -> float:
    """Probability of failing an attention check now: deeper into an episode, tired and unfocused people fail more."""
    logit = k.check_base + k.check_fatigue * (p.fatigue - TYPICAL_FATIGUE) - k.check_focus * (p.focus - TYPICAL_FOCUS)
    if p.wandering == 1:
        depth = 1.0 - math.exp(-(tick - p.wander_since + 1) / k.check_depth)
        logit += k.check_wandering * depth
    return clamp(logistic(logit), 0.005, 0.98)
