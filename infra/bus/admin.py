"""Creating and deleting topics, and asking who is there."""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from infra.bus import liveness, security
from infra.bus.clients import REQUEST_TIMEOUT_MS, broker_errors, broker_failed, common_settings
from infra.bus.kafka_library import (
    ClusterAuthorizationFailedError,
    KafkaAdminClient,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
)
from infra.contracts.errors import EnvironmentFailed
from infra.contracts.topics import PARTITIONS

_USABLE_WITHIN_S = 15.0
_LOOK_EVERY_S = 0.05
_NO_RIGHT = (TopicAuthorizationFailedError.errno, ClusterAuthorizationFailedError.errno)


def create_topics(bootstrap: str, topics: Iterable[str], partitions: int = PARTITIONS) -> None:
    """Create the topics that do not exist yet and wait until all can be used.

    Raises EnvironmentFailed, also where a right is missing and where a topic is there with other partitions.
    """
    wanted = sorted(set(topics))
    with open_admin(bootstrap, "creating topics") as admin:
        missing = sorted(set(wanted) - set(admin.list_topics()))
        if missing:
            made = admin.create_topics(
                {topic: {"num_partitions": partitions, "replication_factor": -1} for topic in missing},
                timeout_ms=REQUEST_TIMEOUT_MS,
                raise_errors=False,
            )
            for topic in made["topics"]:
                _require_made(bootstrap, topic)
        _await_usable(bootstrap, admin, wanted, partitions)


def cluster_nodes(bootstrap: str) -> list[int]:
    """Ids of the nodes that the cluster has at this moment, sorted; raises EnvironmentFailed."""
    with open_admin(bootstrap, "telling its nodes") as admin:
        return sorted(int(node["broker_id"]) for node in admin.describe_cluster()["brokers"])


def lacking_copies(bootstrap: str) -> int:
    """How many partitions have fewer copies in step than they should; raises EnvironmentFailed."""
    with open_admin(bootstrap, "telling its partitions") as admin:
        partitions = [partition for topic in admin.describe_topics() for partition in topic["partitions"]]
    return sum(len(each["isr_nodes"]) < len(each["replica_nodes"]) for each in partitions)


def group_offsets(bootstrap: str, prefix: str) -> dict[tuple[str, str, int], int]:
    """Group, topic and partition → offset committed as the next to read, of groups whose name begins so.

    Raises EnvironmentFailed.
    """
    with open_admin(bootstrap, "telling committed offsets") as admin:
        groups = sorted({name for each in admin.list_groups() if (name := str(each["group_id"])).startswith(prefix)})
        told = admin.list_group_offsets(groups) if groups else {}
    return {
        (group, where.topic, where.partition): int(committed.offset)
        for group, offsets in told.items()
        for where, committed in offsets.items()
        if committed.offset >= 0
    }


def delete_topics(bootstrap: str, topics: Iterable[str]) -> None:
    """Delete the topics that exist, and free what they hold; raises EnvironmentFailed."""
    with open_admin(bootstrap, "deleting topics") as admin:
        present = sorted(set(topics) & set(admin.list_topics()))
        if present:
            admin.delete_topics(present, timeout_ms=REQUEST_TIMEOUT_MS)


def list_topics(bootstrap: str) -> list[str]:
    """Names of all topics, sorted; raises EnvironmentFailed."""
    with open_admin(bootstrap, "listing topics") as admin:
        return sorted(admin.list_topics())


@contextmanager
def open_admin(bootstrap: str, doing: str) -> Iterator[Any]:
    """The library's admin client, its errors as EnvironmentFailed; `doing` is for their text."""
    settings = common_settings(bootstrap, "calmverse-admin")
    if not liveness.answers(bootstrap):  # the client would retry for half a minute
        raise broker_failed(bootstrap, doing, "it does not answer")
    with broker_errors(bootstrap, doing):
        admin = KafkaAdminClient(bootstrap_timeout_ms=REQUEST_TIMEOUT_MS, **settings)
        try:
            yield admin
        finally:
            admin.close()


def _require_made(bootstrap: str, topic: Mapping[str, Any]) -> None:
    code = topic["error_code"]
    if code in (0, TopicAlreadyExistsError.errno):  # somebody else was quicker, or it may not be listed by us
        return
    if code in _NO_RIGHT:
        raise _no_right(bootstrap, topic["name"], "Create")
    detail = topic.get("error_message") or f"error code {code}"
    raise broker_failed(bootstrap, f"creating topic {topic['name']}", detail)


def _await_usable(bootstrap: str, admin: Any, wanted: list[str], partitions: int) -> None:  # noqa: ANN401
    """Wait until every partition has a leader: being created and being known to all nodes are two things."""
    deadline, pause = time.monotonic() + _USABLE_WITHIN_S, threading.Event()
    while True:
        found = {topic["name"]: topic for topic in admin.describe_topics(wanted)}
        waiting = [topic for topic in wanted if not _usable(bootstrap, found.get(topic), topic, partitions)]
        if not waiting:
            return
        if time.monotonic() > deadline:
            raise broker_failed(bootstrap, "creating topics", f"{', '.join(waiting)} cannot be used")
        pause.wait(_LOOK_EVERY_S)


def _usable(bootstrap: str, found: Mapping[str, Any] | None, topic: str, partitions: int) -> bool:
    if found is None:
        return False
    if found["error_code"] in _NO_RIGHT:
        raise _no_right(bootstrap, topic, "Describe")
    if found["error_code"] or any(each["error_code"] or each["leader_id"] < 0 for each in found["partitions"]):
        return False
    if len(found["partitions"]) != partitions:
        raise EnvironmentFailed(
            f"topic {topic} at {bootstrap} has {len(found['partitions'])} partitions and must have {partitions}: which "
            "person is where hangs on it. Delete it, or choose another namespace"
        )
    return True


def _no_right(bootstrap: str, topic: str, right: str) -> EnvironmentFailed:
    user = security.of(bootstrap).user or "anonymous"
    more = " (on the topic or on the cluster), or have it created for you" if right == "Create" else ""
    return EnvironmentFailed(
        f"user {user} may not {right.lower()} topic {topic} at {bootstrap}: grant the ACL {right} on it{more}"
    )
