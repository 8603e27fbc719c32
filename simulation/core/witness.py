"""Likelihoods: how probable is what was observed of a person, given the state one supposes behind it.

The other side of `core.sensing`, `core.offers` and `core.sessions`: those draw, these weigh, from the same kernels for
means, rates and probabilities. Used by the observable oracle (`simulation/oracle`), never by the simulation itself.
Everything returns a natural logarithm. No likelihood is below `IMPOSSIBLE`, so that a supposition can be all but
excluded and a set of them never dies out.
"""

import math
from dataclasses import dataclass

import numpy as np

from simulation.cognition.answering import answered_within
from simulation.cognition.checks import SPAN_NOISE, reaction_centre, reaction_stretch, span_mean
from simulation.cognition.mind import lapse_probability
from simulation.cognition.parameters import Parameters
from simulation.core.compiled import kernel
from simulation.core.person import Person
from simulation.core.sensing import emotion_blur, face_arousal, face_valence, gaze_mean
from simulation.core.tables import Count, dtype_of

IMPOSSIBLE = -14.0
_LEAST = math.exp(IMPOSSIBLE)
_ROOT_2 = math.sqrt(2.0)


@dataclass(slots=True)
class Seen:
    """One event or check as an observer has it, in the words of the events' payloads."""

    tick: Count = 0
    kind: Count = 0
    world: Count = 0
    item: Count = 0
    amount: Count = 0  # errors, won, scale, channel or practice
    passed: Count = 0
    span: Count = 0
    reply: Count = -1  # place of the exposure that it answers; -1 for none
    clock: int = 0  # µs into the tick
    event_id: int = 0  # its 64 bits as a signed number
    tone: float = 0.0
    weight: float = 0.0
    level: float = 0.0
    score: float = 0.0
    duration: float = 0.0
    reaction: float = 0.0  # ms


@dataclass(slots=True)
class Hidden:
    """What a supposed person has besides a `Person`: what the simulation draws afresh instead of keeping."""

    stuck: Count = 0  # whether the gaze of the running episode of wandering is stuck
    willing: float = 0.0  # probability of taking up the offer that was just shown
    chance: float = 0.0  # probability that the open exposure is acted on; 0 when none is open
    noticed: float = 0.0  # probability of noticing the last exposure
    logit: float = 0.0  # log-odds of answering it, once noticed
    delay: float = 1.0  # mean delay of that answer, minutes


SEEN: np.dtype[np.void] = dtype_of(Seen)
HIDDEN: np.dtype[np.void] = dtype_of(Hidden)


@kernel
def log_of(probability: float) -> float:
    """Its logarithm, not below IMPOSSIBLE."""
    return math.log(max(probability, _LEAST))


@kernel
def spread_density(x: float) -> float:
    """Density of `core.draws.spread` at x: of twice the centred sum of three uniforms (Irwin 1927; Hall 1927)."""
    s = abs(0.5 * x)
    if s < 0.5:
        return 0.5 * (0.75 - s * s)
    return 0.25 * (1.5 - s) * (1.5 - s) if s < 1.5 else 0.0


@kernel
def spread_below(x: float) -> float:
    """Probability that `core.draws.spread` is below x."""
    s = abs(0.5 * x)
    left = max(1.5 - s, 0.0)
    upper = 0.5 + 0.75 * s - s * s * s / 3.0 if s < 0.5 else 1.0 - left * left * left / 6.0
    return upper if x >= 0.0 else 1.0 - upper


@kernel
def noisy(value: float, mean: float, noise: float, low: float, high: float) -> float:
    """Log-likelihood of mean + noise · spread, kept between low and high: mass at the ends, density between them."""
    if value <= low:
        return log_of(spread_below((low - mean) / noise))
    if value >= high:
        return log_of(1.0 - spread_below((high - mean) / noise))
    return log_of(spread_density((value - mean) / noise) / noise)


@kernel
def nearly(value: float, mean: float, tolerance: float, low: float, high: float) -> float:
    """Log-likelihood of what the simulation reports without noise, between low and high, with a tolerance.

    Exactly it would be 0 or nothing, which no finite set of suppositions meets: a normal kernel stands in for it.
    """
    off = (min(max(mean, low), high) - value) / tolerance
    return max(-0.5 * off * off, IMPOSSIBLE)


@kernel
def see_gaze(p: Person, h: Hidden, k: Parameters, e: Seen) -> float:
    """Of a share of gaze on the task. That there is a reading, or none, says nothing of the person."""
    return noisy(e.score, gaze_mean(p, k, h.stuck == 1), k.gaze_noise, 0.0, 1.0)


@kernel
def see_emotion(p: Person, k: Parameters, e: Seen) -> float:
    """Of a reading of valence and arousal; its confidence says how blurred it is."""
    blur = emotion_blur(k, (e.weight - 0.3) / 0.7)
    return noisy(e.tone, face_valence(p, k), blur, -1.0, 1.0) + noisy(e.level, face_arousal(p), blur, -1.0, 1.0)


@kernel
def see_reaction(p: Person, k: Parameters, e: Seen) -> float:
    """Of a reaction time: the ex-Gaussian density, its normal part taken for normal (`spread` is nearly)."""
    stretch, sigma = reaction_stretch(p, k), k.reaction_sigma
    late = e.reaction - reaction_centre(p, k)
    tail = 0.5 * math.erfc((sigma * sigma / stretch - late) / (_ROOT_2 * sigma))
    return log_of(
        math.exp(min(0.5 * sigma * sigma / (stretch * stretch) - late / stretch, 30.0)) * tail / stretch * 100.0
    )


@kernel
def see_attention(p: Person, k: Parameters, e: Seen, tick: int) -> float:
    """Of an attention check, passed (after so many ms) or failed."""
    fails = lapse_probability(p, k, tick)
    if e.passed == 0:
        return log_of(fails)
    return log_of(1.0 - fails) + see_reaction(p, k, e)


@kernel
def see_memory(p: Person, k: Parameters, e: Seen) -> float:
    """Of a memory span, 2 to 12 whole digits."""
    mean = span_mean(p, k)
    above = spread_below((e.span - mean) / SPAN_NOISE) if e.span > 2 else 0.0
    below = spread_below((e.span + 1.0 - mean) / SPAN_NOISE) if e.span < 12 else 1.0
    return log_of(below - above)


@kernel
def unanswered(h: Hidden, minutes: int) -> float:
    """Probability that the open exposure has no answer after so many whole minutes."""
    return 1.0 - h.chance * answered_within(h.delay, minutes)


@kernel
def answer_after(h: Hidden, minutes: int) -> float:
    """Log-likelihood that the answer comes in just this minute, given that it has not come before."""
    share = answered_within(h.delay, minutes) - answered_within(h.delay, minutes - 1)
    return log_of(h.chance * share / max(unanswered(h, minutes - 1), _LEAST))


@kernel
def silent_for(h: Hidden, minutes: int) -> float:
    """Log-likelihood that this minute brings no answer, given that it has not come before."""
    return log_of(unanswered(h, minutes) / max(unanswered(h, minutes - 1), _LEAST))


@kernel
def never_answered(h: Hidden, minutes: int) -> float:
    """Log-likelihood that no answer is to come, given that none has come in so many minutes before this one."""
    return log_of((1.0 - h.chance) / max(unanswered(h, minutes - 1), _LEAST))
