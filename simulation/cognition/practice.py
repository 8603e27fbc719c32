"""What an offer costs, who takes it up, and what a practice leaves behind."""

from simulation.cognition.parameters import Parameters
from simulation.cognition.rhythm import clamp, logistic
from simulation.core.compiled import kernel
from simulation.core.person import Person

RELAX, MINDFULNESS, FOCUS = 1, 2, 3
"""Codes of `infra.contracts.commands.Practice`."""
FULL_DOSE = 10.0
"""Minutes of practice that have the full effect; longer ones have up to half as much again."""


@kernel
def practising(p: Person, k: Parameters) -> bool:
    """Whether a practice keeps the person from everything else."""
    return bool(p.practice > 0 and k.displaces > 0.0)


@kernel
def fade(p: Person, k: Parameters, minutes: int) -> None:
    """Some minutes of forgetting: what practices, interruptions and offers left behind decays exponentially."""
    if p.habit > 0.0:
        kept = 1.0 - minutes / k.practice_fade
        p.ease *= kept
        p.awareness *= kept
        p.drive *= kept
        p.broken *= max(0.0, 1.0 - minutes / k.broken_fade)
        p.habit *= 1.0 - minutes / k.habit_fade
        p.burden *= 1.0 - minutes / k.burden_fade


@kernel
def interrupt(p: Person, k: Parameters) -> None:
    """An offer appears: an attentive person loses the thread, and offers weigh a little more from now on."""
    if p.wandering == 0:
        p.broken += k.interruption * k.broken_step
    p.stress = clamp(p.stress + k.interruption * k.broken_stress, 0.0, 1.0)
    p.burden = clamp(p.burden + k.burden_step * (1.0 - p.burden), 0.0, 1.0)


@kernel
def acceptance(p: Person, k: Parameters) -> float:
    """Probability that the person takes up an offer now (receptivity)."""
    logit = k.accept_base + p.receptive + k.accept_stress * (p.stress - 0.3)
    logit += k.accept_burden * p.burden + k.accept_habit * p.habit
    logit += k.accept_wandering * p.wandering
    if p.doing > 0:
        logit += k.accept_busy
    return clamp(logistic(logit), 0.01, 0.95)


@kernel
def benefit(p: Person, k: Parameters, practice: int, minutes: float) -> None:
    """What a practice leaves behind: its own kind mostly, the others a little; less each time it is repeated."""
    dose = clamp(minutes / FULL_DOSE, 0.0, 1.5) * k.practice * p.gain / (1.0 + p.habit)
    p.ease += dose * k.relax_ease * (1.0 if practice == RELAX else k.practice_cross)
    p.awareness += dose * k.mindful_awareness * (1.0 if practice == MINDFULNESS else k.practice_cross)
    p.drive += dose * k.focus_drive * (1.0 if practice == FOCUS else k.practice_cross)
