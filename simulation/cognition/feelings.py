"""Stress and mood: each returns to rest, is pushed by episodes and by the circle, and carries inertia."""

from simulation.cognition.mind import NEUTRAL, PLEASANT
from simulation.cognition.parameters import Parameters
from simulation.cognition.rhythm import clamp, mood_of_day
from simulation.core import purposes
from simulation.core.compiled import kernel
from simulation.core.draws import spread, uniform
from simulation.core.moment import Moment
from simulation.core.person import Person


@kernel
def strain(p: Person, k: Parameters, now: Moment) -> None:
    """Begin or end a stressful episode."""
    if now.tick >= p.strain_until:
        p.strain = 0.0
        if uniform(now.seed, purposes.STRAIN, p.number, now.tick, 0) < k.strain_onset * p.reactive:
            length = uniform(now.seed, purposes.STRAIN, p.number, now.tick, 1)
            size = uniform(now.seed, purposes.STRAIN, p.number, now.tick, 2)
            p.strain_until = now.tick + int(k.strain_shortest + k.strain_range * length)
            p.strain = p.reactive * (k.strain_level + k.strain_spread * size)


@kernel
def feel(p: Person, k: Parameters, now: Moment, local: int, around: tuple[float, float]) -> None:
    """Stress and mood of a person in a session; `around` is (mood, stress) of the circle, less one's own."""
    strain(p, k, now)
    mood_around, stress_around = around
    target = k.stress_rest + p.strain - p.ease + k.contagion * stress_around
    p.stress = clamp(p.stress + (target - p.stress) / k.stress_return, 0.0, 1.0)
    drift(p, k, local, k.contagion * mood_around + thought_mood(p, k), 1)
    noise = spread(uniform(now.seed, purposes.MOOD_NOISE, p.number, now.tick, 0))
    p.mood = clamp(p.mood + k.mood_noise * noise, -1.0, 1.0)


@kernel
def thought_mood(p: Person, k: Parameters) -> float:
    """What the topic of a wandering mind does to mood (Killingsworth & Gilbert 2010)."""
    if p.wandering == 0:
        return 0.0
    if p.topic == PLEASANT:
        return k.pleasant_mood
    return k.neutral_mood if p.topic == NEUTRAL else k.unpleasant_mood


@kernel
def drift(p: Person, k: Parameters, local: int, push: float, minutes: int) -> None:
    """Some minutes of affect inertia: mood moves to where the day, stress and `push` put it."""
    target = p.cheer + k.mood_day * mood_of_day(p, local) - k.mood_stress * (p.stress - k.stress_rest) + push
    p.mood = clamp(p.mood + (target - p.mood) * minutes / k.mood_return, -1.0, 1.0)


@kernel
def unwind(p: Person, k: Parameters, local: int, minutes: int) -> None:
    """Stress and mood outside every world: back to rest, without noise."""
    p.strain = 0.0
    p.stress += (k.stress_rest - p.ease - p.stress) * minutes / k.stress_return
    p.stress = clamp(p.stress, 0.0, 1.0)
    drift(p, k, local, 0.0, minutes)
