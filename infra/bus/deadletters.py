"""Records that cannot be handled: kept as they were, with where they stood and what was wrong."""

from dataclasses import dataclass

from infra.bus.consumer import FrameConsumer, end_offsets
from infra.bus.messages import Raw, Received
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


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A record that was put aside: where it stood, the record itself, the error, and which reader found it.

    `offset` is -1 for what never was a record (a broken line of a file); `partition` is then where its letter goes.
    """

    topic: str
    partition: int
    offset: int
    error: str
    raw: Raw
    reader: str = ""


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


def read_letters(bootstrap: str, topic: str) -> list[DeadLetter]:
    """Every dead letter in a dead letter topic, each record once, sorted by where it stood; raises EnvironmentFailed.

    Several readers of a topic each put the same bad record aside, and a restarted one does so again: letters about the
    same topic, partition and offset are one. Letters without an offset are all kept.
    """
    ends = {(topic, number): end for number, end in end_offsets(bootstrap, topic).items() if end > 0}
    letters: dict[tuple[str, int, int, int], DeadLetter] = {}
    with FrameConsumer(bootstrap, client_id="calmverse-deadletters") as consumer:
        consumer.assign(dict.fromkeys(ends, 0))
        for received in consumer.read_to(ends):
            letter = _letter_of(received)
            own = received.offset if letter.offset < 0 else -1
            letters.setdefault((letter.topic, letter.partition, letter.offset, own), letter)
    return [letters[place] for place in sorted(letters)]


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
    )
