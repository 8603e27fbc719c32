"""What a reader of the bus gets: a Kafka record, and what was understood of it."""

from dataclasses import dataclass, field
from typing import Self

from infra.contracts.frames import Frame, Headers, TickEnd

TopicPartition = tuple[str, int]
"""Topic and partition number."""


@dataclass(frozen=True)
class Raw:
    """A Kafka record as it was: key, value and headers."""

    key: bytes | None
    value: bytes
    headers: Headers = field(default_factory=list)


@dataclass(frozen=True)
class Undecodable:
    """A record that cannot be handled, and why.

    Where its headers can be read they say which frame it was meant to be, so that a tick-end that counts it still adds
    up; `tick` is None where they cannot.
    """

    error: str
    source: str = ""
    tick: int | None = None
    frame_id: str = ""
    rows: int = 0

    @classmethod
    def from_headers(cls, error: str, headers: Headers) -> Self:
        """With what the headers say, as far as they make sense."""
        texts = {name: (value or b"").decode(errors="replace") for name, value in headers}
        try:
            tick, rows = int(texts["calm_tick"]), int(texts["calm_rows"])
            return cls(error, texts["ce_source"], tick, texts["ce_id"], rows)
        except (KeyError, ValueError):
            return cls(error)


@dataclass(frozen=True)
class Received:
    """One record read from `topic`, `partition` at `offset`.

    `traceparent` is the W3C trace context of the span that sent it, or None.
    """

    topic: str
    partition: int
    offset: int
    item: Frame | TickEnd | Undecodable
    traceparent: str | None = None
    raw: Raw | None = None

    @property
    def where(self) -> TopicPartition:
        """Where it was read."""
        return self.topic, self.partition
