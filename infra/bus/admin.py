"""Creating and deleting topics."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from infra.bus import liveness
from infra.bus.clients import REQUEST_TIMEOUT_MS, broker_errors, broker_failed, common_settings
from infra.bus.kafka_library import KafkaAdminClient
from infra.contracts.topics import PARTITIONS


def create_topics(bootstrap: str, topics: Iterable[str], partitions: int = PARTITIONS) -> None:
    """Create the topics that do not exist yet and wait until they can be used; raises EnvironmentFailed."""
    with _admin(bootstrap, "creating topics") as admin:
        missing = sorted(set(topics) - set(admin.list_topics()))
        if missing:
            admin.create_topics(
                {topic: {"num_partitions": partitions, "replication_factor": -1} for topic in missing},
                timeout_ms=REQUEST_TIMEOUT_MS,
                wait_for_metadata=True,
            )


def delete_topics(bootstrap: str, topics: Iterable[str]) -> None:
    """Delete the topics that exist, and free what they hold; raises EnvironmentFailed."""
    with _admin(bootstrap, "deleting topics") as admin:
        present = sorted(set(topics) & set(admin.list_topics()))
        if present:
            admin.delete_topics(present, timeout_ms=REQUEST_TIMEOUT_MS)


def list_topics(bootstrap: str) -> list[str]:
    """Names of all topics, sorted; raises EnvironmentFailed."""
    with _admin(bootstrap, "listing topics") as admin:
        return sorted(admin.list_topics())


@contextmanager
def _admin(bootstrap: str, doing: str) -> Iterator[Any]:
    settings = common_settings(bootstrap, "calmverse-admin")
    if not liveness.answers(bootstrap):  # the client would retry for half a minute
        raise broker_failed(bootstrap, doing, "it does not answer")
    with broker_errors(bootstrap, doing):
        admin = KafkaAdminClient(bootstrap_timeout_ms=REQUEST_TIMEOUT_MS, **settings)
        try:
            yield admin
        finally:
            admin.close()
