"""What people say they feel when a prompt asks: six emotions from the feeling of the moment and stress."""

from simulation.cognition.feelings import feeling
from simulation.cognition.parameters import Parameters
from simulation.cognition.rhythm import clamp
from simulation.core.compiled import kernel
from simulation.core.draws import spread
from simulation.core.person import Person

EMOTIONS = ("happy", "excited", "relaxed", "angry", "anxious", "sad")
POSITIVE = 3
"""The first so many are positive."""
HAPPY, EXCITED, RELAXED, ANGRY, ANXIOUS, SAD = range(len(EMOTIONS))
# Valence and arousal of the six as in a circumplex (Russell 1980: directions; sizes and intercepts chosen).
FELT = 0.36
"""Intensity from which on somebody says that the emotion is there. Fitted to row 5."""
REPORT_NOISE = 0.09
"""Standard deviation of an answer around the feeling. Chosen."""


@kernel
def intensity(p: Person, k: Parameters, emotion: int) -> float:
    """Expected intensity of an emotion, about 0 to 1."""
    valence, arousal = feeling(p, k), p.stress - 0.3
    if emotion == HAPPY:
        return 0.33 + 0.80 * valence
    if emotion == EXCITED:
        return 0.20 + 0.65 * valence + 0.30 * arousal
    if emotion == RELAXED:
        return 0.34 + 0.50 * valence - 0.60 * arousal
    if emotion == ANGRY:
        return 0.13 - 0.50 * valence + 0.50 * arousal
    if emotion == ANXIOUS:
        return 0.28 - 0.45 * valence + 0.70 * arousal
    return 0.20 - 0.70 * valence


@kernel
def reported(p: Person, k: Parameters, emotion: int, u: float) -> float:
    """Intensity as reported, 0 to 1; `u` uniform."""
    return clamp(intensity(p, k, emotion) + REPORT_NOISE * spread(u), 0.0, 1.0)
