"""What is known of a cluster between two commands: `cluster.json` in its data folder."""

import base64
import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from infra.bus.apache.node import NodeFacts
from infra.contracts.errors import BadInput, EnvironmentFailed

_FILE = "cluster.json"


def new_cluster_id() -> str:
    """A random UUID as Kafka writes it, in 22 letters of URL-safe base64.

    None begins with a hyphen: Kafka's tools would take it for an option (its own generator leaves those out, too).
    """
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


@dataclass(frozen=True, kw_only=True)
class ClusterState:
    """Identity of a cluster and of its nodes' processes."""

    version: str
    cluster_id: str
    nodes: tuple[NodeFacts, ...]

    @property
    def bootstrap(self) -> str:
        """Addresses for clients."""
        return ",".join(node.address for node in self.nodes)

    @property
    def running(self) -> tuple[NodeFacts, ...]:
        """The nodes whose processes are there."""
        return tuple(node for node in self.nodes if node.process() is not None)

    def node(self, number: int) -> NodeFacts:
        """The node of a number; raises BadInput."""
        for node in self.nodes:
            if node.number == number:
                return node
        raise BadInput(f"there is no node {number}: the nodes are {', '.join(str(n.number) for n in self.nodes)}")

    def save(self, folder: Path) -> None:
        """Write it, whole or not at all; raises EnvironmentFailed."""
        document = {
            "version": self.version,
            "cluster_id": self.cluster_id,
            "nodes": [node.as_document() for node in self.nodes],
        }
        partial = folder / f"{_FILE}.{os.getpid()}"
        try:
            partial.write_text(json.dumps(document, indent=1))
            partial.replace(folder / _FILE)
        except OSError as problem:
            raise EnvironmentFailed(f"cannot write {folder / _FILE}: {problem}") from problem

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Read it; None where the folder holds no cluster, BadInput where the file cannot be read."""
        try:
            document = json.loads((folder / _FILE).read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as problem:
            raise BadInput(f"{folder / _FILE} cannot be read ({problem}): give another --data folder") from problem
        return cls(
            version=document["version"],
            cluster_id=document["cluster_id"],
            nodes=tuple(NodeFacts.of(each) for each in document["nodes"]),
        )

    def with_nodes(self, nodes: Sequence[NodeFacts]) -> "ClusterState":
        """The same cluster, its nodes as given."""
        return ClusterState(version=self.version, cluster_id=self.cluster_id, nodes=tuple(nodes))
