"""Stress, mood and feeling: each returns to rest, is pushed by episodes and by the circle, and has inertia."""

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
        if uniform(now.seed, purposes.STRAIN, p.number, now.tick, 0) < strain_rate(p, k):
            length = uniform(now.seed, purposes.STRAIN, p.number, now.tick, 1)
            size = uniform(now.seed, purposes.STRAIN, p.number, now.tick, 2)
            p.strain_until = now.tick + int(k.strain_shortest + k.strain_range * length)
            p.strain = p.reactive * (k.strain_level + k.strain_spread * size)


@kernel
def strain_rate(p: Person, k: Parameters) -> float:
    """Probability a minute that a stressful episode begins."""
    return k.strain_onset * p.reactive


@kernel
def feel(p: Person, k: Parameters, now: Moment, local: int, around: tuple[float, float]) -> None:
    """Stress and mood of a person in a session; `around` is (mood, stress) of the circle, less one's own."""
    strain(p, k, now)
    mood_around, stress_around = around
    target = stress_target(p, k) + k.contagion * stress_around
    p.stress = clamp(p.stress + (target - p.stress) / k.stress_return, 0.0, 1.0)
    drift(p, k, local, k.contagion * mood_around, 1)
    noise = spread(uniform(now.seed, purposes.MOOD_NOISE, p.number, now.tick, 0))
    p.mood = clamp(p.mood + k.mood_noise * noise, -1.0, 1.0)
    remember(p, k, 1)


@kernel
def stress_target(p: Person, k: Parameters) -> float:
    """Where stress goes without other people: rest and strain, less what practice eases now and has built up."""
    return k.stress_rest + k.stress_person * (p.reactive - 1.0) + p.strain - p.ease - k.skill_calm * p.skill


@kernel
def thought_mood(p: Person, k: Parameters) -> float:
    """What the topic of a wandering mind adds to the feeling of the moment (Killingsworth & Gilbert 2010)."""
    if p.wandering == 0:
        return 0.0
    if p.topic == PLEASANT:
        return k.pleasant_mood
    return k.neutral_mood if p.topic == NEUTRAL else k.unpleasant_mood


@kernel
def feeling(p: Person, k: Parameters) -> float:
    """Momentary feeling, -1 to 1: the slow mood, and the content of thought while the mind wanders."""
    return clamp(p.mood + thought_mood(p, k), -1.0, 1.0)


@kernel
def drift(p: Person, k: Parameters, local: int, push: float, minutes: int) -> None:
    """Some minutes of affect inertia: mood moves to where the day, stress, practice and `push` put it."""
    target = p.cheer + k.skill_cheer * p.skill + k.mood_day * mood_of_day(p, local)
    target += push - k.mood_stress * (p.stress - k.stress_rest)
    p.mood = clamp(p.mood + (target - p.mood) * minutes / k.mood_return, -1.0, 1.0)


@kernel
def remember(p: Person, k: Parameters, minutes: int) -> None:
    """Some minutes of what symptom scales ask about: feeling and stress averaged over two weeks."""
    share = minutes / k.symptom_memory
    p.gloom += (-feeling(p, k) - p.gloom) * share
    p.worry += (p.stress - p.worry) * share


@kernel
def unwind(p: Person, k: Parameters, now: Moment, local: int, minutes: int) -> None:
    """Stress and mood outside every world: stress back to rest, mood with what life outside does to it."""
    p.strain = 0.0
    p.stress = clamp(p.stress + (stress_target(p, k) - p.stress) * minutes / k.stress_return, 0.0, 1.0)
    drift(p, k, local, 0.0, minutes)
    noise = spread(uniform(now.seed, purposes.MOOD_NOISE, p.number, now.tick, 0))
    p.mood = clamp(p.mood + k.mood_noise_outside * noise, -1.0, 1.0)
    remember(p, k, minutes)
