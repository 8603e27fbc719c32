"""Whether an exposure is acted on: it must be noticed, and then be worth an answer to this person now.

The true probability is a product: notice × answer. Noticing turns on the hidden state and on how strongly the
exposure captures; answering on the person's tastes and interests, on what tiredness leaves room for, and on the
last minutes. Neither part is additive in what an observer sees.
"""

import math

from simulation.cognition.parameters import Parameters
from simulation.cognition.rhythm import alertness, clamp, logistic
from simulation.core import purposes
from simulation.core.compiled import kernel
from simulation.core.draws import uniform
from simulation.core.moment import Moment
from simulation.core.person import Person

TOPICS = 8
"""Topics that items have: an item's topic is its number modulo this."""
LONGEST_DELAY = 9
"""Whole minutes that an answer waits at most."""
TIRED = 0.36
"""Fatigue from which on a person saves strength. Chosen."""


@kernel
def notice(p: Person, k: Parameters, tone: float, weight: float) -> float:
    """Probability of noticing something of this tone (-1 to 1) and importance (0 to 1)."""
    strength = max(abs(tone), weight)
    if p.wandering == 1:
        return k.notice_wandering + k.notice_capture * strength * strength * strength
    return clamp(k.notice_base + k.notice_focus * p.focus + 0.2 * strength, 0.0, 0.98)


@kernel
def interest(p: Person, now: Moment, item: int) -> float:
    """The person's lasting interest in the item's topic, -1 to 1: most people have a few topics they care for."""
    return liking(uniform(now.seed, purposes.INTEREST, p.number, 0, item % TOPICS))


@kernel
def liking(u: float) -> float:
    """Interest in a topic from a uniform draw for it: -0.667 to 1.333, above 0 for four topics in ten."""
    return 2.0 * u * u - 0.667


@kernel
def answer_logit(p: Person, k: Parameters, local: int, tone: float, weight: float) -> float:
    """Log-odds of answering what was noticed, but for the world's own part and the interest in the topic."""
    logit = p.eager + k.answer_weight * (weight - 0.5)
    tired = p.fatigue - TIRED
    if tired > 0.0:
        logit += k.answer_fatigue * tired * (weight - 0.5) * 2.0 - k.answer_tired * tired
    logit += k.answer_taste * p.taste * tone + k.answer_mood * p.mood
    logit += k.answer_momentum * p.momentum - k.answer_load * p.load * (1.0 - weight)
    return logit + k.answer_day * alertness(p, k, local)


@kernel
def answer_probability(p: Person, k: Parameters, tone: float, weight: float, logit: float) -> float:
    """True probability that the exposure is acted on within ten minutes, in [0.005, 0.99]."""
    return clamp(notice(p, k, tone, weight) * logistic(logit), 0.005, 0.99)


@kernel
def answer_delay(p: Person, k: Parameters, u: float) -> int:
    """Minutes until the answer, 0 to 9: geometric-like, longer for tired people."""
    minutes = int(-delay_mean(p, k) * math.log(1.0 - u))
    return min(minutes, LONGEST_DELAY)


@kernel
def delay_mean(p: Person, k: Parameters) -> float:
    """Mean of the exponential delay of an answer, minutes, before it is cut to whole minutes."""
    return k.answer_delay * (0.5 + p.fatigue)


@kernel
def answered_within(mean: float, minutes: int) -> float:
    """Probability that an answer with this mean delay has come after so many whole minutes: what `answer_delay` draws.

    0 for -1 minutes, 1 from `LONGEST_DELAY` on.
    """
    return 1.0 if minutes >= LONGEST_DELAY else 1.0 - math.exp(-(minutes + 1) / mean)
