"""Sending dead letters again to where they stood, each once.

Before anything is sent, a mark in the dead letter topic says of each letter from which offset of its partition on it
will be found; what is sent carries the letter's id in the header `ce_replayof`; then a second mark says that it is
there. A replay that was cut off in between leaves first marks only: the next one looks behind those offsets for the
header, and sends what is not there. So a letter is sent once, whenever a replay is cut off, as long as only one runs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from infra.bus.consumer import end_offsets
from infra.bus.deadletters import Mark
from infra.bus.messages import Raw, TopicPartition
from infra.bus.producer import FrameProducer
from infra.contracts.topics import STREAMS, Topics
from infra.deadletters.cases import Case
from infra.tail import Target

REPLAY_OF: Final = "ce_replayof"
"""Header of a record that was sent again: the id of its letter (a CloudEvents extension attribute)."""

_CLIENT: Final = "calmverse-deadletters"


@dataclass
class Replay:
    """What is sent again, and what is not: ids by the reason why."""

    sent: list[Case] = field(default_factory=list)
    kept: dict[str, list[str]] = field(default_factory=dict)


def plan(target: Target, cases: Iterable[Case], *, unreadable_too: bool = False) -> Replay:
    """Which cases would be sent. Those that this version cannot read only with `unreadable_too`: they would be back."""
    topics = {Topics(target.namespace).of(stream) for stream in STREAMS}
    planned = Replay()
    for case in cases:
        reason = _why_not(case, topics, unreadable_too=unreadable_too)
        if reason is None:
            planned.sent.append(case)
        else:
            planned.kept.setdefault(reason, []).append(case.name)
    return planned


def replay(target: Target, planned: Replay) -> Replay:
    """Send what is planned to its topic and partition, in order, each once; returns what was sent.

    Raises EnvironmentFailed; the same again then sends the rest.
    """
    with FrameProducer(target.bootstrap, namespace=target.namespace, client_id=_CLIENT) as producer:
        there = _already_there(target, planned.sent)
        before = [case for case in planned.sent if case.name in there]
        fresh = [case for case in planned.sent if case.name not in there]
        ends = {topic: end_offsets(target.bootstrap, topic) for topic in {case.letter.topic for case in fresh}}
        marks = [_mark(case, ends[case.letter.topic][case.letter.partition]) for case in fresh]
        _write_marks(producer, target, marks)
        for case in fresh:
            producer.send_raw(*case.letter.where, _again(case))
        producer.flush()
        done = [replace(mark, done=True) for mark in (*marks, *(case.mark for case in before if case.mark))]
        _write_marks(producer, target, done)
    kept = dict(planned.kept)
    if before:
        kept["sent by a replay that was cut off"] = [case.name for case in before]
    return Replay(sent=fresh, kept=kept)


def _why_not(case: Case, topics: set[str], *, unreadable_too: bool) -> str | None:
    if case.state == "replayed":
        return "replayed before"
    if case.letter.offset < 0:
        return "never was a record"
    if case.letter.topic not in topics:
        return "not of this namespace"
    if not unreadable_too and isinstance(case.read(), str):
        return "still unreadable"
    return None


def _already_there(target: Target, cases: Sequence[Case]) -> set[str]:
    """Ids of those whose replay was cut off after they had been sent."""
    starts: dict[TopicPartition, int] = {}
    for case in cases:
        if case.mark is not None:
            where = case.letter.where
            starts[where] = min(case.mark.replay_from, starts.get(where, case.mark.replay_from))
    if not starts:
        return set()
    ends = {where: end_offsets(target.bootstrap, where[0])[where[1]] for where in starts}
    with target.reader(_CLIENT) as consumer:
        consumer.assign(starts)
        headers = [header for each in consumer.read_to(ends) if each.raw for header in each.raw.headers]
    return {value.decode(errors="replace") for name, value in headers if name == REPLAY_OF}


def _mark(case: Case, end: int) -> Mark:
    return Mark(letter_id=case.name, partition=case.letter.own[1], replay_from=end, done=False)


def _write_marks(producer: FrameProducer, target: Target, marks: Iterable[Mark]) -> None:
    for mark in marks:
        topic = f"calm.{target.namespace}.deadletter.{mark.letter_id.partition('/')[0]}"
        producer.send_raw(topic, mark.partition, mark.raw())
    producer.flush()


def _again(case: Case) -> Raw:
    raw = case.letter.raw
    headers = [(name, value) for name, value in raw.headers if name != REPLAY_OF]
    return Raw(raw.key, raw.value, [*headers, (REPLAY_OF, case.name.encode())])
