"""A lane in a process of its own, to be killed: `python numbering_lane.py BOOTSTRAP NAMESPACE SNAPSHOTS`."""

import sys
import threading
from pathlib import Path

from infra.bus.lanes import Lane
from infra.bus.snapshots import SnapshotStore
from infra.contracts.topics import Topics
from tests.support.buses import Numbering, numbering_config


def main(bootstrap: str, namespace: str, snapshots: str) -> None:
    topics = Topics(namespace)
    with Lane(numbering_config(topics, bootstrap), Numbering(topics), SnapshotStore(Path(snapshots))) as lane:
        lane.run(threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
