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
def slowing(p: Person, k: Parameters) -> float:
    """Factor on reaction times: tiredness of the day, a wandering mind and sleep debt slow, practice quickens."""
    tired = k.reaction_tired * max(0.0, p.fatigue - k.fatigue_rested)
    owed = k.reaction_debt * max(0.0, p.debt - k.debt_rested)
    return 1.0 + tired + owed + k.reaction_wandering * p.wandering - k.skill_quick * p.skill


@kernel
def reaction_ms(p: Person, k: Parameters, body: float, tail: float) -> float:
    """Reaction time, ms: ex-Gaussian, slower and longer-tailed when tired or wandering; `body`, `tail` uniform."""
    centre = reaction_centre(p, k) + k.reaction_sigma * spread(body)
    return centre - reaction_stretch(p, k) * math.log(1.0 - tail)


@kernel
def reaction_centre(p: Person, k: Parameters) -> float:
    """Mean of the normal part of the reaction time, ms."""
    return k.reaction_mu * p.tempo * slowing(p, k)


@kernel
def reaction_stretch(p: Person, k: Parameters) -> float:
    """Mean of the exponential part of the reaction time, ms: slowing stretches the tail most (lapses)."""
    return k.reaction_tau * (1.0 + k.reaction_tail * (slowing(p, k) - 1.0))


@kernel
def span_mean(p: Person, k: Parameters) -> float:
    """Expected digits held in mind: about seven (Miller 1956), fewer when tired or wandering."""
    return 6.0 + 2.0 * p.control + 1.0 * p.focus - 1.5 * p.fatigue - 1.0 * p.wandering + k.skill_span * p.skill


@kernel
def memory_span(p: Person, k: Parameters, u: float) -> int:
    """Digits held in mind, 2 to 12; `u` uniform."""
    return int(clamp(span_mean(p, k) + SPAN_NOISE * spread(u), 2.0, 12.0))
