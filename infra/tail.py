"""Following a live run: records of one stream, as they pass, one JSON object a line."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from infra.bus.consumer import FrameConsumer, end_offsets
from infra.bus.messages import Received
from infra.bus.options import use_security
from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.contracts.frames import Frame
from infra.contracts.kinds import KINDS, EventKind
from infra.contracts.time import isoformat
from infra.contracts.topics import Topics
from infra.contracts.worlds import World
from infra.runs import find

Rows = Iterator[dict[str, Any]]

_TIMES = ("occurred_at", "issued_at", "expires_at")
_WITHHELD = "sensitive"
"""Free text and symptoms are not shown: whoever may read them opens the lake."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where to listen: a broker and a namespace; `live_file` is there as long as the run is.

    `committed_only`: only what is committed is handed out. `security_file`: see `reach`.
    """

    bootstrap: str
    namespace: str
    fetch_wait_ms: int = 5
    committed_only: bool = False
    security_file: str | None = None
    live_file: Path | None = None

    def reach(self) -> Self:
        """Say, once for this process, how to get in there; raises BadInput."""
        use_security(self.bootstrap, self.security_file)
        return self

    def reader(self, client_id: str) -> FrameConsumer:
        """A reader of that broker; raises EnvironmentFailed."""
        return FrameConsumer(
            self.bootstrap,
            client_id=client_id,
            fetch_max_wait_ms=self.fetch_wait_ms,
            committed_only=self.committed_only,
        )

    def is_over(self) -> bool:
        """Whether the run has said that it ended."""
        return self.live_file is not None and not self.live_file.exists()


def target_of_broker(bootstrap: str | None, namespace: str | None, security_file: Path | None) -> Target | None:
    """What `--bootstrap`, `--namespace` and `--security` name; None where they do not, and a run is meant.

    Of a broker that somebody else runs only what is committed is read: where nothing is ever aborted, that is all.
    Raises BadInput.
    """
    if (bootstrap is None) != (namespace is None):
        raise BadInput("--bootstrap and --namespace belong together: give both, or name a run with --run")
    if bootstrap is None or namespace is None:
        if security_file is not None:
            raise BadInput("--security is for --bootstrap; a run says itself how its broker is reached: leave it out")
        return None
    own = str(security_file.resolve()) if security_file else None
    return Target(bootstrap=bootstrap, namespace=namespace, committed_only=True, security_file=own).reach()


def target_of_run(root: Path, run: str) -> Target:
    """Where a run (an id, a path, or `latest`) can be listened to; BadInput, EnvironmentFailed when it is not live.

    From then on this process knows how to get in there.
    """
    folder = find(root, run)
    live = folder.path / "live.json"
    try:
        document = json.loads(live.read_text())
        return Target(
            bootstrap=document["bootstrap"],
            namespace=document["namespace"],
            fetch_wait_ms=int(document.get("fetch_wait_ms", 5)),
            committed_only=bool(document.get("transactions", False)),
            security_file=document.get("kafka_security"),
            live_file=live,
        ).reach()
    except FileNotFoundError:
        raise EnvironmentFailed(
            f"run {folder.run_id} is not live: what it wrote is in {folder.lake}; start one with `calmverse run`"
        ) from None
    except (ValueError, KeyError) as problem:
        raise BadInput(f"{live} cannot be read ({problem}): is it the file of a run?") from problem


def follow(target: Target, stream: str, *, from_start: bool = False) -> Rows:
    """Records of a stream as they come, from now on or from the start; ends with the last that the run has left.

    Raises BadInput for an unknown stream, EnvironmentFailed when the broker is gone or has no such namespace.
    """
    topic = Topics(target.namespace).of(stream)
    ends = end_offsets(target.bootstrap, topic, client_id="calmverse-tail")
    with target.reader("calmverse-tail") as consumer:
        consumer.assign({(topic, partition): 0 if from_start else end for partition, end in ends.items()})
        try:
            while not target.is_over():
                for each in consumer.poll(0.5):
                    yield from rows_of(each)
            last = {(topic, partition): end for partition, end in consumer.end_offsets(topic).items()}
            for each in consumer.read_to(last):
                yield from rows_of(each)
        except EnvironmentFailed:  # with the run its broker goes, too
            if not target.is_over():
                raise


def rows_of(received: Received) -> Rows:
    """The rows of a frame as dictionaries with readable names; nothing for other records."""
    frame = received.item
    if not isinstance(frame, Frame):
        return
    place = {"topic": received.topic, "partition": received.partition, "offset": received.offset}
    common = {"stream": frame.stream, "tick": frame.tick, "source": frame.source, **place, **frame.attributes}
    for row in pa.Table.from_batches([frame.batch]).to_pylist():
        yield common | _readable(row)


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    shown = {name: _shown(name, value) for name, value in row.items() if value is not None}
    if _WITHHELD in shown:
        shown[_WITHHELD] = "withheld"
    return shown


def _shown(name: str, value: Any) -> Any:  # noqa: ANN401 - any value of a record
    readers: dict[str, Callable[[Any], Any]] = {
        "world": lambda code: World(code).label,
        "kind": lambda code: KINDS[EventKind(code)].name if code else "state",
        **dict.fromkeys(_TIMES, isoformat),
    }
    try:
        return readers[name](value) if name in readers else value
    except ValueError:
        return value  # a code of a later version
