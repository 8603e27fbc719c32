"""Records that cannot be handled: kept as they were, with where they stood and what was wrong.

A dead letter topic holds letters and marks. A mark says of one letter that it was sent again, or is about to be (see
`infra.deadletters.replay`).
"""

from dataclasses import dataclass, field
from typing import Self

from infra.bus.consumer import FrameConsumer, end_offsets
from infra.bus.messages import Raw, Received, TopicPartition
from infra.bus.producer import FrameProducer
from infra.contracts.topics import Topics

_TOPIC, _PARTITION, _OFFSET, _ERROR, _READER = (
    "calm_dead_topic",
    "calm_dead_partition",
    "calm_dead_offset",
    "calm_dead_error",
    "calm_dead_reader",
)
_ADDED = (_TOPIC, _PARTITION, _OFFSET, _ERROR, _READER)
_MARKED, _FROM, _DONE = "calm_dead_marked", "calm_dead_replay_from", "calm_dead_replay_done"


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A record that was put aside: where it stood, the record itself, the error, and which reader found it.

    `offset` is -1 for what never was a record (a broken line of a file); `partition` is then where its letter goes.
    `own` is where the letter itself stands, once it was read.
    """

    topic: str
    partition: int
    offset: int
    error: str
    raw: Raw
    reader: str = ""
    own: tuple[str, int, int] = ("", 0, -1)

    @property
    def where(self) -> TopicPartition:
        """Topic and partition that the record was read from."""
        return self.topic, self.partition

    @property
    def letter_id(self) -> str:
        """Name of the letter: stream, partition and offset in its dead letter topic, such as `events/2/17`."""
        topic, partition, offset = self.own
        return f"{topic.rsplit('.', 1)[-1]}/{partition}/{offset}"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Says of the letter with this id that it is sent again at `replay_from` or later; `done` once it was."""

    letter_id: str
    partition: int  # of the letter
    replay_from: int  # end of the target partition when the replay began
    done: bool

    def raw(self) -> Raw:
        """As a record."""
        told = {_MARKED: self.letter_id, _FROM: str(self.replay_from), _DONE: str(int(self.done))}
        return Raw(None, b"", [(name, text.encode()) for name, text in told.items()])

    @classmethod
    def of(cls, received: Received) -> Self | None:
        """The mark in a record; None for a letter."""
        told = dict(received.raw.headers) if received.raw else {}
        if _MARKED not in told:
            return None
        return cls(
            letter_id=told[_MARKED].decode(),
            partition=received.partition,
            replay_from=int(told[_FROM]),
            done=told[_DONE] == b"1",
        )


@dataclass
class DeadLetterLog:
    """What a dead letter topic holds: every letter, in order of partition and offset, and the last mark of each."""

    letters: list[DeadLetter] = field(default_factory=list)
    marks: dict[str, Mark] = field(default_factory=dict)

    def distinct(self) -> list[list[DeadLetter]]:
        """The letters by what they are about, sorted by where that stood.

        Several readers of a topic each put the same bad record aside, and a restarted one does so again: letters about
        the same topic, partition and offset are one. Letters without an offset are all kept.
        """
        about: dict[tuple[str, int, int, int], list[DeadLetter]] = {}
        for letter in self.letters:
            own = letter.own[2] if letter.offset < 0 else -1
            about.setdefault((letter.topic, letter.partition, letter.offset, own), []).append(letter)
        return [about[place] for place in sorted(about)]


class DeadLetters:
    """Writes dead letters of one reader to the dead letter topics of a namespace."""

    def __init__(self, producer: FrameProducer) -> None:
        self._producer = producer
        self._topics = Topics(producer.namespace)
        self.written = 0

    def bury(self, received: Received, error: str) -> None:
        """Put a record aside that was read; raises EnvironmentFailed."""
        raw = received.raw or Raw(None, b"")
        topic, partition = received.where
        self.write(DeadLetter(topic=topic, partition=partition, offset=received.offset, error=error, raw=raw))

    def write(self, letter: DeadLetter) -> None:
        """Put something aside with key, value and headers as they are; raises EnvironmentFailed."""
        told = (letter.topic, letter.partition, letter.offset, letter.error, self._producer.client_id)
        headers = [*letter.raw.headers, *((name, str(text).encode()) for name, text in zip(_ADDED, told, strict=True))]
        topic = self._topics.deadletter(letter.topic)
        self._producer.send_raw(topic, letter.partition, Raw(letter.raw.key, letter.raw.value, headers))
        self.written += 1


def read_letters(bootstrap: str, topic: str, *, committed_only: bool = False) -> list[DeadLetter]:
    """Every dead letter in a topic of them, each record once, sorted by where it stood; raises EnvironmentFailed."""
    return [copies[0] for copies in read_log(bootstrap, topic, committed_only=committed_only).distinct()]


def read_log(bootstrap: str, topic: str, *, committed_only: bool = False) -> DeadLetterLog:
    """Everything in a dead letter topic, or what of it is committed; raises EnvironmentFailed."""
    log = DeadLetterLog()
    ends = {(topic, number): end for number, end in end_offsets(bootstrap, topic).items() if end > 0}
    with FrameConsumer(bootstrap, client_id="calmverse-deadletters", committed_only=committed_only) as consumer:
        consumer.assign(dict.fromkeys(ends, 0))
        for received in consumer.read_to(ends):
            mark = Mark.of(received)
            if mark is None:
                log.letters.append(_letter_of(received))
            else:
                log.marks[mark.letter_id] = mark
    log.letters.sort(key=lambda letter: letter.own)
    return log


def _letter_of(received: Received) -> DeadLetter:
    raw = received.raw or Raw(None, b"")
    added = {name: value.decode(errors="replace") for name, value in raw.headers if name in _ADDED}
    return DeadLetter(
        topic=added.get(_TOPIC, received.topic),
        partition=int(added.get(_PARTITION, received.partition)),
        offset=int(added.get(_OFFSET, -1)),
        error=added.get(_ERROR, "not a dead letter of ours"),
        raw=Raw(raw.key, raw.value, [(name, value) for name, value in raw.headers if name not in _ADDED]),
        reader=added.get(_READER, ""),
        own=(received.topic, received.partition, received.offset),
    )
