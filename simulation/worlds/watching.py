"""What the worlds' `watch` modules share: weighing what was seen of a person, and what it does to them.

Beside `acting`, as `core.witness` is beside `core.sensing`: the same kernels for probabilities and consequences.
"""

from infra.contracts.kinds import EventKind
from simulation.cognition.answering import answer_probability, delay_mean, notice
from simulation.cognition.parameters import Parameters
from simulation.core.compiled import kernel
from simulation.core.moment import Moment
from simulation.core.person import Person
from simulation.core.witness import IMPOSSIBLE, Hidden, Seen, log_of
from simulation.worlds.acting import LOOK_RANGE, LOOK_SECONDS, click_chance, linger, meet, turn_to

MINUTE_BEGINS, MINUTE_ENDS = -1, -2
"""Kinds of what `watch` is called with besides events: before and after the events of a minute in the world.
At its end, `amount` is the number of errors made in it."""
TOLERANCE = 0.02
"""Standard deviation with which scores are taken that the simulation reports without noise."""
_CLICKED = int(EventKind.ITEM_CLICKED)
_BROWSED = int(EventKind.PAGE_BROWSED)


@kernel
def is_look(e: Seen) -> bool:
    """Whether a page was browsed or an item clicked."""
    return bool(e.kind in (_CLICKED, _BROWSED))


@kernel
def see_look(p: Person, e: Seen, share_clicks: float) -> float:
    """Log-likelihood of a look around: of the click, or of none, and of the time on the page."""
    clicks = click_chance(p, share_clicks)
    factor = linger(p)
    seconds = e.duration / factor
    # Payloads are float32: the ends of the range are met within its precision.
    if seconds < LOOK_SECONDS - 1e-4 or seconds > LOOK_SECONDS + LOOK_RANGE + 1e-4:
        return IMPOSSIBLE
    return log_of((clicks if e.kind == _CLICKED else 1.0 - clicks) / factor)


@kernel
def see_exposure(p: Person, h: Hidden, k: Parameters, what: tuple[float, float], logit: float) -> float:
    """An exposure of (tone, importance) that is answered with these log-odds once noticed: it is open from now on."""
    tone, weight = what
    h.noticed = notice(p, k, tone, weight)
    h.logit = logit
    h.chance = answer_probability(p, k, tone, weight, logit)
    h.delay = delay_mean(p, k)
    meet(p)
    return 0.0


@kernel
def see_answer(p: Person, h: Hidden, k: Parameters, now: Moment) -> float:
    """The answer to the open exposure (when it came is weighed before)."""
    h.chance = 0.0
    turn_to(p, k, now)
    return 0.0


@kernel
def see_begin(p: Person, now: Moment, e: Seen, minutes: int) -> float:
    """Something begins that takes so many minutes."""
    p.doing = e.kind
    p.doing_item = e.item
    p.doing_since = now.tick
    p.doing_until = now.tick + minutes
    return 0.0


@kernel
def see_words(p: Person, tone: float, width: float) -> float:
    """Log-likelihood of the tone of one's own words: level within `width` around mood, and cut at -1 and 1."""
    off = abs(tone - p.mood)
    if tone <= -1.0 or tone >= 1.0:
        return log_of(max(0.0, 0.5 * width - (1.0 - abs(p.mood))) / width)
    return log_of(1.0 / width) if off <= 0.5 * width + 1e-6 else IMPOSSIBLE
