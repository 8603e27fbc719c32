"""What an offer costs, who takes it up, who practises unasked, and what a practice leaves behind."""

import math

from simulation.cognition.kinds import KINDS
from simulation.cognition.parameters import Parameters
from simulation.cognition.rhythm import clamp, logistic
from simulation.core import purposes
from simulation.core.compiled import kernel
from simulation.core.draws import uniform
from simulation.core.moment import Moment
from simulation.core.person import Person

SETTLING, CORE, CLOSING = 0, 1, 2
"""Phases of a practice."""
MINUTES_A_DAY = 1440.0


@kernel
def practising(p: Person, k: Parameters) -> bool:
    """Whether a practice keeps the person from everything else."""
    return bool(p.practice > 0 and k.displaces > 0.0)


@kernel
def fade(p: Person, k: Parameters, minutes: int) -> None:
    """Some minutes of forgetting: what practices, interruptions and offers left behind decays exponentially."""
    if p.habit > 0.0 or p.prompted > 0.0:
        kept = 1.0 - minutes / k.practice_fade
        p.ease *= kept
        p.awareness *= kept
        p.drive *= kept
        p.broken *= max(0.0, 1.0 - minutes / k.broken_fade)
        p.habit *= 1.0 - minutes / k.habit_fade
        p.prompted *= 1.0 - minutes / k.prompted_fade
        p.burden *= 1.0 - minutes / k.burden_fade
        p.skill *= 1.0 - minutes / k.skill_fade


@kernel
def turn(p: Person, k: Parameters, now: Moment) -> None:
    """Natural breaks come and go in episodes: a new one begins, or ends, when the last stretch is over."""
    if now.tick < p.open_until:
        return
    p.open = 1 - p.open
    mean = k.open_minutes if p.open == 1 else k.closed_minutes
    u = uniform(now.seed, purposes.OPEN, p.number, now.tick, 0)
    p.open_until = now.tick + 1 + int(-mean * math.log(1.0 - u))


@kernel
def lose_thread(p: Person, k: Parameters) -> None:
    """What it costs to be torn from something: an attentive person's focus, and a little stress."""
    if p.wandering == 0:
        p.broken += k.interruption * k.broken_step
    p.stress = clamp(p.stress + k.interruption * k.broken_stress, 0.0, 1.0)


@kernel
def interrupt(p: Person, k: Parameters) -> None:
    """An offer appears: an attentive person loses the thread, and offers weigh more and mean less from now on."""
    lose_thread(p, k)
    p.trust = clamp(p.trust - k.interruption * k.trust_loss * p.burden, 0.0, 1.0)
    p.burden = clamp(p.burden + k.burden_step * (1.0 - p.burden), 0.0, 1.0)
    p.prompted += 1.0


@kernel
def acceptance(p: Person, k: Parameters) -> float:
    """Probability that the person takes up an offer now (receptivity)."""
    logit = k.accept_base + p.receptive + k.accept_stress * (p.stress - 0.3)
    logit += k.accept_burden * p.burden + k.accept_habit * p.habit + k.accept_prompted * p.prompted
    logit += k.accept_wandering * p.wandering + k.accept_trust * (p.trust - 0.5)
    logit += k.accept_open * p.open - k.accept_left * p.left
    if p.doing > 0:
        logit += k.accept_busy
    return clamp(logistic(logit), 0.005, 0.95)


@kernel
def own_rate(p: Person, k: Parameters, tick: int) -> float:
    """Probability a minute of beginning a practice unasked: keen and trusting people do, less soon after the last."""
    if p.left == 1 or p.practice > 0 or p.doing > 0 or p.due_at >= 0:
        return 0.0
    keen = math.exp(k.own_keen * p.receptive + k.own_trust * (p.trust - 0.5))
    wish = 1.0 - math.exp(-(tick - p.practice_since) / k.own_again)
    return k.own_rate * keen * wish * (1.0 + k.own_open * p.open)


@kernel
def leave_rate(p: Person, k: Parameters, tick: int) -> float:
    """Rate a day of giving up practising: high while it is new (row 15), low for the enrolled (row 17)."""
    age = (tick - p.joined) / MINUTES_A_DAY
    new = k.leave_new * math.exp(-age / k.leave_new_days) * (1.0 - k.enrolled * k.enrolled_new)
    later = k.leave_later * (1.0 - k.enrolled * k.enrolled_later)
    return (new + later) * math.exp(-k.leave_trust * (p.trust - 0.5))


@kernel
def benefit(p: Person, k: Parameters, practice: int, planned: float, minutes: float) -> None:
    """What so many minutes of a practice planned for `planned` leave behind, by its kind; less each time it is
    repeated."""
    kind = KINDS[practice]
    full = k.practice * p.gain * dose(practice, planned) * accrued(k, practice, minutes / planned)
    now_left = full / (1.0 + p.habit)
    p.ease += now_left * k.practice_ease * kind.ease
    p.awareness += now_left * k.practice_awareness * kind.awareness
    p.drive += now_left * k.practice_drive * kind.drive
    p.mood = clamp(p.mood + now_left * k.practice_lift * kind.lift, -1.0, 1.0)
    p.skill = clamp(p.skill + full * k.skill_step * (1.0 - p.skill), 0.0, 1.0)
    p.trust = clamp(p.trust + full * k.trust_gain * (1.0 - p.trust), 0.0, 1.0)


@kernel
def dose(practice: int, minutes: float) -> float:
    """Effect of so many minutes against ten: nothing while one arrives, then less and less more."""
    kind = KINDS[practice]
    return max(0.0, 1.0 - math.exp(-(minutes - kind.arriving) / kind.saturation)) / (
        1.0 - math.exp(-(10.0 - kind.arriving) / kind.saturation)
    )


@kernel
def breaking_off(k: Parameters, practice: int, minutes: int) -> float:
    """Probability that a practice of so many minutes is broken off: the same a minute for all lengths of a kind."""
    return 1.0 - math.exp(math.log1p(-min(k.abandon, 0.999999)) * KINDS[practice].breaking * minutes / 10.0)


@kernel
def core_of(practice: int) -> tuple[float, float]:
    """Where the core of a practice begins and ends, as shares of its length."""
    kind = KINDS[practice]
    return kind.settling, 1.0 - kind.closing


@kernel
def phase(practice: int, share: float) -> int:
    """The phase a practice is in after this share of its length."""
    begins, ends = core_of(practice)
    if share < begins:
        return SETTLING
    return CORE if share < ends else CLOSING


@kernel
def accrued(k: Parameters, practice: int, share: float) -> float:
    """Share of the whole effect that has accrued after this share of the length: little before the core, most in it.

    Exactly 1 for a practice that is completed, whatever its phases.
    """
    begins, ends = core_of(practice)
    gained = k.settling_weight * min(share, begins) + (min(max(share, begins), ends) - begins)
    gained += k.closing_weight * (min(max(share, ends), 1.0) - ends)
    whole = k.settling_weight * begins + (ends - begins) + k.closing_weight * (1.0 - ends)
    return gained / whole
