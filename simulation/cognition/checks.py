"""Reaction times and memory spans, as the checks measure them."""

import math

from simulation.cognition.parameters import Parameters
from simulation.cognition.rhythm import clamp
from simulation.core.compiled import kernel
from simulation.core.draws import spread
from simulation.core.person import Person

SPAN_NOISE = 1.1
"""Standard deviation of a memory span between trials, digits. Chosen."""


@kernel
def reaction_ms(p: Person, k: Parameters, body: float, tail: float) -> float:
    """Reaction time, ms: ex-Gaussian, slower and longer-tailed when tired or wandering; `body`, `tail` uniform."""
    centre = reaction_centre(p, k) + k.reaction_sigma * spread(body)
    return centre - reaction_stretch(p, k) * math.log(1.0 - tail)


@kernel
def reaction_centre(p: Person, k: Parameters) -> float:
    """Mean of the normal part of the reaction time, ms."""
    slow = 1.0 + 0.25 * p.fatigue + 0.15 * p.wandering
    return k.reaction_mu * p.tempo * slow


@kernel
def reaction_stretch(p: Person, k: Parameters) -> float:
    """Mean of the exponential part of the reaction time, ms."""
    return k.reaction_tau * (1.0 + 1.2 * p.fatigue + 1.5 * p.wandering)


@kernel
def memory_span(p: Person, u: float) -> int:
    """Digits held in mind, 2 to 12: about seven (Miller 1956), fewer when tired or wandering."""
    return int(clamp(span_mean(p) + SPAN_NOISE * spread(u), 2.0, 12.0))


@kernel
def span_mean(p: Person) -> float:
    """Mean of the memory span before it is cut to whole digits."""
    return 5.5 + 2.0 * p.control + 1.0 * p.focus - 1.5 * p.fatigue - 1.0 * p.wandering
