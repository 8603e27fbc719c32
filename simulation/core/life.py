"""One minute of a person's life outside of what their world has them do."""

from simulation.cognition.feelings import feel, feeling, unwind
from simulation.cognition.mind import concentrate, tire, wander
from simulation.cognition.parameters import Parameters
from simulation.cognition.practice import fade, practising, turn
from simulation.cognition.rhythm import asleep, body_minute
from simulation.core import purposes
from simulation.core.compiled import kernel
from simulation.core.draws import uniform
from simulation.core.moment import FIXED_POINT, Common, Moment
from simulation.core.offers import practise
from simulation.core.person import Person
from simulation.core.rows import ListSink
from simulation.core.sensing import check, read_emotion, sample_gaze, tell_truth
from simulation.core.sessions import move_on, open_session

_START_US = 12_000_000.0
REST = 8
"""Outside, where nothing happens to them, people are brought up to date every so many minutes only."""
NEVER = 2**31 - 1
"""A tick that does not come."""


@kernel
def live(p: Person, k: Parameters, now: Moment, common: Common, sink: ListSink) -> None:
    """One minute: tire, feel, wander, answer offers, be observed, come and go. Outside a session most of it rests."""
    if p.world == 0:
        stay_out(p, k, now, common, sink)
        return
    p.clock = int(_START_US * uniform(now.seed, purposes.CLOCK, p.number, now.tick, 0))
    change(p, k, now, circle_mood(p, common))
    practise(p, k, now, sink)
    tell_truth(p, now, sink)
    count(p, k)
    if not practising(p, k):
        sample_gaze(p, k, now, sink)
        read_emotion(p, k, now, sink)
        check(p, k, now, sink)
    move_on(p, k, now, common, sink)


@kernel
def change(p: Person, k: Parameters, now: Moment, around: tuple[float, float]) -> None:
    """One minute of a session in the hidden state; `around` is (mood, stress) of the circle, less one's own."""
    local = body_minute(p, k, now)
    fade(p, k, 1)
    turn(p, k, now)
    tire(p, k, local, asleep(p, k, local), 1)
    feel(p, k, now, local, around)
    wander(p, k, now)
    concentrate(p, k, now)


@kernel
def rest(p: Person, k: Parameters, now: Moment) -> None:
    """The hidden state outside every world, brought up to date every `REST` minutes."""
    if (now.tick + p.number) % REST == 0:
        local = body_minute(p, k, now)
        fade(p, k, REST)
        tire(p, k, local, asleep(p, k, local), REST)
        unwind(p, k, now, local, REST)


@kernel
def stay_out(p: Person, k: Parameters, now: Moment, common: Common, sink: ListSink) -> None:
    """One minute outside every world: rest, and come when it is time and one is awake."""
    rest(p, k, now)
    if now.tick >= p.next_session and not asleep(p, k, body_minute(p, k, now)):
        p.clock = int(_START_US * uniform(now.seed, purposes.CLOCK, p.number, now.tick, 0))
        open_session(p, k, now, common, sink)


@kernel
def next_visit(p: Person, tick: int) -> int:
    """First tick after `tick` at which `live` has something to do for the person; NEVER while in a session.

    What `stay_out` looks at must be looked at here: the array model skips people until then. Whoever sleeps past the
    time of the next session is not skipped, so that a changed bedtime cannot be missed.
    """
    if p.world != 0:
        return NEVER
    rest = tick + REST - (tick + p.number) % REST
    return min(rest, max(tick + 1, p.next_session))


@kernel
def circle_mood(p: Person, common: Common) -> tuple[float, float]:
    """Mean mood and stress (above rest at 0.3) of the others of the circle who were in a session; zeros if none."""
    others = common.circles[p.circle, 0] - 1
    if others <= 0:
        return 0.0, 0.0
    mood = (common.circles[p.circle, 1] - int(p.mood * FIXED_POINT)) / (FIXED_POINT * others)
    stress = (common.circles[p.circle, 2] - int(p.stress * FIXED_POINT)) / (FIXED_POINT * others)
    return mood, stress - 0.3


@kernel
def count(p: Person, k: Parameters) -> None:
    """Tallies of a session minute."""
    p.minutes += 1
    if p.wandering == 0 and not practising(p, k):
        p.focus_minutes += 1
    p.mood_sum += feeling(p, k)
    p.stress_sum += p.stress
    p.burden_sum += p.burden
