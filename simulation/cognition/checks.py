"""Reaction times and memory spans, as the checks measure them."""

import math

from simulation.cognition.parameters import Parameters
from simulation.cognition.rhythm import clamp
from simulation.core.compiled import kernel
from simulation.core.draws import spread
from simulation.core.person import Person


@kernel
def reaction_ms(p: Person, k: Parameters, body: float, tail: float) -> float:
    """Reaction time, ms: ex-Gaussian, slower and longer-tailed when tired or wandering; `body`, `tail` uniform."""
    slow = 1.0 + 0.25 * p.fatigue + 0.15 * p.wandering
    centre = k.reaction_mu * p.tempo * slow + k.reaction_sigma * spread(body)
    stretch = k.reaction_tau * (1.0 + 1.2 * p.fatigue + 1.5 * p.wandering)
    return centre - stretch * math.log(1.0 - tail)


@kernel
def memory_span(p: Person, u: float) -> int:
    """Digits held in mind, 2 to 12: about seven (Miller 1956), fewer when tired or wandering."""
    span = 5.5 + 2.0 * p.control + 1.0 * p.focus - 1.5 * p.fatigue - 1.0 * p.wandering + 1.1 * spread(u)
    return int(clamp(span, 2.0, 12.0))
