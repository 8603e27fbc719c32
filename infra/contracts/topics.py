"""Topic names, partition count, and the map back from a topic to its stream."""

import re
from dataclasses import dataclass

from infra.contracts.errors import BadInput

PARTITIONS = 4
"""Partitions of every stream topic. With `identity.partition_of` it fixes where a person's events are."""

STREAMS = ("events", "outcomes", "scores", "decisions", "interventions", "truth")
_NAMESPACE = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")


@dataclass(frozen=True)
class Topics:
    """The topics of one namespace (a run id, or the fixed name of a long-lived deployment)."""

    namespace: str

    def __post_init__(self) -> None:
        if not _NAMESPACE.fullmatch(self.namespace):
            raise BadInput(
                f"namespace {self.namespace!r} is not usable in topic names: "
                "use 1 to 80 lower-case letters, digits, '-' or '_', starting with a letter or digit"
            )

    def of(self, stream: str) -> str:
        """Topic of a stream; raises BadInput for an unknown stream."""
        if stream not in STREAMS:
            raise BadInput(f"unknown stream {stream!r}: choose one of {', '.join(STREAMS)}")
        return f"calm.{self.namespace}.{stream}"

    @property
    def events(self) -> str:
        """All worlds and signals: order per person holds only inside one topic."""
        return self.of("events")

    @property
    def outcomes(self) -> str:
        """Attention, memory and reaction checks."""
        return self.of("outcomes")

    @property
    def scores(self) -> str:
        """One score for every event."""
        return self.of("scores")

    @property
    def decisions(self) -> str:
        """One decision for every eligible point."""
        return self.of("decisions")

    @property
    def interventions(self) -> str:
        """Orders to offer a practice."""
        return self.of("interventions")

    @property
    def truth(self) -> str:
        """True probabilities and latent states; never read by training."""
        return self.of("truth")

    def deadletter(self, topic: str) -> str:
        """Where records of `topic` go that cannot be handled."""
        return f"calm.{self.namespace}.deadletter.{topic.rsplit('.', 1)[-1]}"

    def all(self) -> tuple[str, ...]:
        """Every stream topic and every dead letter topic of the namespace."""
        streams = tuple(self.of(stream) for stream in STREAMS)
        return streams + tuple(self.deadletter(topic) for topic in streams)


def stream_of(topic: str) -> str:
    """Stream of a topic name: `calm.<ns>.scores` → `scores`; `deadletter.<stream>` for a dead letter topic."""
    _, _, rest = topic.split(".", 2)
    return rest
