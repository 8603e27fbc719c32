"""State of a lane on disk, together with the offsets it belongs to."""

import json
import os
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from infra.bus.ticks import GateState
from infra.contracts.errors import EnvironmentFailed

_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What a lane needs to go on: where its inputs stand and the bytes of its handler's state."""

    namespace: str
    gate: GateState
    state: bytes


class SnapshotStore:
    """One file a lane in `directory`, replaced as a whole: a crash leaves the old one or the new one, never a mix."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def save(self, lane: str, snapshot: Snapshot) -> None:
        """Write and sync the snapshot, then put it in place of the last one; raises EnvironmentFailed."""
        header = {
            "format": _FORMAT,
            "namespace": snapshot.namespace,
            "gate": snapshot.gate,
            "digest": blake2b(snapshot.state).hexdigest(),
        }
        target = self._path(lane)
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            _replace(target, json.dumps(header).encode() + b"\n" + snapshot.state)
        except OSError as problem:
            raise EnvironmentFailed(
                f"cannot write the snapshot {target}: {problem}. Free disk space or choose another run directory"
            ) from problem

    def load(self, lane: str, namespace: str) -> Snapshot | None:
        """The last snapshot of a lane, None where there is none; raises EnvironmentFailed when it cannot be used."""
        path = self._path(lane)
        try:
            header_line, _, state = path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise EnvironmentFailed(f"cannot read the snapshot {path}: {problem}") from problem
        return _checked(path, header_line, state, namespace)

    def _path(self, lane: str) -> Path:
        return self._directory / f"{lane}.snapshot"


def _replace(target: Path, content: bytes) -> None:
    draft = target.with_suffix(f".{os.getpid()}.tmp")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)
    directory = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # the new name, too, must survive a crash
    finally:
        os.close(directory)


def _checked(path: Path, header_line: bytes, state: bytes, namespace: str) -> Snapshot:
    advice = "remove the file to start the lane from the beginning of its inputs"
    try:
        header = json.loads(header_line)
        known = header["format"] == _FORMAT and header["digest"] == blake2b(state).hexdigest()
        gate, found = header["gate"], header["namespace"]
    except (ValueError, KeyError, TypeError) as problem:
        raise EnvironmentFailed(f"the snapshot {path} is damaged: {advice}") from problem
    if not known:
        raise EnvironmentFailed(f"the snapshot {path} is damaged or of another version: {advice}")
    if found != namespace:
        raise EnvironmentFailed(f"the snapshot {path} is of namespace {found!r}, not {namespace!r}: {advice}")
    return Snapshot(namespace=namespace, gate=gate, state=state)
