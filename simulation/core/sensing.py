"""What is observed of a person in a session: gaze, emotion, and the checks with their true probabilities."""

from infra.contracts.kinds import EventKind
from simulation.cognition.checks import memory_span, reaction_ms
from simulation.cognition.mind import NEUTRAL, PLEASANT, lapse_probability
from simulation.cognition.parameters import Parameters
from simulation.cognition.rhythm import clamp
from simulation.core import purposes
from simulation.core.compiled import kernel
from simulation.core.draws import spread, uniform
from simulation.core.moment import Moment
from simulation.core.person import Person
from simulation.core.rows import ListSink, new_check, new_event, new_truth

_GAZE = int(EventKind.GAZE_SAMPLED)
_EMOTION = int(EventKind.EMOTION_READ)
_ATTENTION = int(EventKind.ATTENTION_CHECKED)
_MEMORY = int(EventKind.MEMORY_CHECKED)
_REACTION = int(EventKind.REACTION_TIMED)
_VIDEO_CALL = int(EventKind.VIDEO_CALL_JOINED)
_MEETING = int(EventKind.MEETING_JOINED)
FACE, VOICE = 1, 2
_UNKNOWN = float("nan")


@kernel
def sample_gaze(p: Person, k: Parameters, now: Moment, sink: ListSink) -> None:
    """Share of the past minute's gaze on the task; trackers lose people for a stretch now and then."""
    if now.tick < p.gaze_lost_until:
        return
    u = uniform(now.seed, purposes.GAZE, p.number, now.tick, 0)
    if u >= k.gaze_rate:
        if u >= 1.0 - k.gaze_loss:
            length = uniform(now.seed, purposes.GAZE, p.number, now.tick, 1)
            p.gaze_lost_until = now.tick + int(k.gaze_loss_shortest + k.gaze_loss_range * length)
        return
    noise = spread(uniform(now.seed, purposes.GAZE, p.number, now.tick, 2))
    row = new_event(sink, p, _GAZE)
    row.score = clamp(gaze_share(p, k, now) + k.gaze_noise * noise, 0.0, 1.0)
    row.amount = 200 + int(1600.0 * uniform(now.seed, purposes.GAZE, p.number, now.tick, 3))


@kernel
def gaze_share(p: Person, k: Parameters, now: Moment) -> float:
    """Expected share of gaze on the task; an episode of wandering keeps to one way, stuck or astray."""
    return gaze_mean(p, k, uniform(now.seed, purposes.GAZE, p.number, p.wander_since, 4) < k.gaze_stare)


@kernel
def gaze_mean(p: Person, k: Parameters, stuck: bool) -> float:
    """Expected share of gaze on the task; `stuck` is how the gaze of the running episode of wandering is."""
    if p.wandering == 0:
        return k.gaze_floor + p.gaze_bias + k.gaze_span * p.focus
    if stuck:
        return k.gaze_stuck
    return k.gaze_astray + p.gaze_bias


@kernel
def topic_face(p: Person, k: Parameters) -> float:
    """What the topic of a wandering mind adds to the valence of the face."""
    if p.wandering == 0 or p.topic == NEUTRAL:
        return 0.0
    return k.emotion_pleasant if p.topic == PLEASANT else k.emotion_unpleasant


@kernel
def face_valence(p: Person, k: Parameters) -> float:
    """Expected valence of a reading: a wandering mind shows less of the mood, and what it thinks of."""
    return (1.0 - 0.4 * p.wandering) * p.mood + topic_face(p, k)


@kernel
def face_arousal(p: Person) -> float:
    """Expected arousal of a reading: stress, less with a wandering mind."""
    return 1.4 * p.stress - 0.3 - 0.3 * p.wandering


@kernel
def emotion_blur(k: Parameters, sure: float) -> float:
    """Standard deviation of a reading's valence and arousal; `sure` in [0, 1) is how clear the reading is."""
    return k.emotion_noise * (1.6 - sure)


@kernel
def read_emotion(p: Person, k: Parameters, now: Moment, sink: ListSink) -> None:
    """Valence and arousal from the face, or from the voice while the person talks to others."""
    if uniform(now.seed, purposes.EMOTION, p.number, now.tick, 0) >= k.emotion_rate:
        return
    pleasant = spread(uniform(now.seed, purposes.EMOTION, p.number, now.tick, 1))
    excited = spread(uniform(now.seed, purposes.EMOTION, p.number, now.tick, 2))
    sure = uniform(now.seed, purposes.EMOTION, p.number, now.tick, 3)
    talking = p.doing in (_VIDEO_CALL, _MEETING)
    row = new_event(sink, p, _EMOTION)
    row.amount = VOICE if talking else FACE
    blur = emotion_blur(k, sure)
    row.tone = clamp(face_valence(p, k) + blur * pleasant, -1.0, 1.0)
    row.level = clamp(face_arousal(p) + blur * excited, -1.0, 1.0)
    row.weight = 0.3 + 0.7 * sure


@kernel
def check_attention(p: Person, k: Parameters, now: Moment, sink: ListSink) -> None:
    """One attention check: failed with the lapse probability, which goes to the truth."""
    probability = lapse_probability(p, k, now.tick)
    new_truth(sink, p, _ATTENTION, p.check_seq, probability)
    row = new_check(sink, p, _ATTENTION)
    failed = uniform(now.seed, purposes.CHECK, p.number, now.tick, 1) < probability
    p.checks += 1
    if failed:
        p.lapses += 1
    else:
        row.passed = 1
        row.reaction = reaction_ms(
            p,
            k,
            uniform(now.seed, purposes.CHECK, p.number, now.tick, 2),
            uniform(now.seed, purposes.CHECK, p.number, now.tick, 3),
        )


@kernel
def time_reaction(p: Person, k: Parameters, now: Moment, sink: ListSink) -> None:
    """One reaction check: passed when faster than the lapse limit."""
    row = new_check(sink, p, _REACTION)
    measured = reaction_ms(
        p,
        k,
        uniform(now.seed, purposes.CHECK, p.number, now.tick, 4),
        uniform(now.seed, purposes.CHECK, p.number, now.tick, 5),
    )
    row.reaction = measured
    row.passed = 1 if measured < k.reaction_lapse else 0
    p.reactions += 1
    p.reaction_sum += measured


@kernel
def check_memory(p: Person, k: Parameters, now: Moment, sink: ListSink) -> None:
    """One memory check: passed with a span of five or more."""
    span = memory_span(p, k, uniform(now.seed, purposes.CHECK, p.number, now.tick, 6))
    row = new_check(sink, p, _MEMORY)
    row.span = span
    row.passed = 1 if span >= 5 else 0


@kernel
def check(p: Person, k: Parameters, now: Moment, sink: ListSink) -> None:
    """At most one check a minute, of a kind drawn by the rates."""
    u = uniform(now.seed, purposes.CHECK, p.number, now.tick, 0)
    if u < k.attention_checks:
        check_attention(p, k, now, sink)
    elif u < k.attention_checks + k.reaction_checks:
        time_reaction(p, k, now, sink)
    elif u < k.attention_checks + k.reaction_checks + k.memory_checks:
        check_memory(p, k, now, sink)


@kernel
def tell_truth(p: Person, now: Moment, sink: ListSink) -> None:
    """A row of hidden state, each `truth_every` minutes of a session, people spread over the interval."""
    if (now.tick + p.number) % now.truth_every == 0:
        new_truth(sink, p, 0, -1, _UNKNOWN)
