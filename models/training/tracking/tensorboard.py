"""TensorBoard's event file: the only place that knows its format, through tensorboardX.

Records are appended to one file without a thread or a buffer, so that whoever dies leaves whole records, the last
perhaps cut off, and whoever goes on finds what is there.
"""

import math
import struct
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from google.protobuf.message import DecodeError
from tensorboardX import summary
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import masked_crc32c

from infra.contracts.errors import EnvironmentFailed

_NAME: Final = "events.out.tfevents"
_HEADER: Final = 12
_FOOTER: Final = 4
"""Bytes around a record: its length and the checksum of that, and the checksum of the record (TFRecord)."""


def begin(folder: Path) -> None:
    """Remove the event files of an earlier training."""
    for path in folder.glob(f"{_NAME}.*"):
        path.unlink()


class TensorBoard:
    """The event file in `folder`, made if there is none. Raises EnvironmentFailed where it cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._last: dict[str, int] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            found = max(folder.glob(f"{_NAME}.*"), default=None)
            self._path = found or folder / f"{_NAME}.{time.time_ns() // 1_000}.calmverse"
            whole = self._read() if found else 0
            self._file = self._path.open("ab", buffering=0)
            self._file.truncate(whole)
        except OSError as problem:
            raise _unwritable(folder, problem) from problem
        if not whole:
            self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def record(self, step: int, values: Mapping[str, float]) -> None:
        """As `Tracker` says."""
        new = {name: value for name, value in values.items() if self._last.get(name, -1) < step}
        if not new:
            return
        self._last |= dict.fromkeys(new, step)
        told = [Summary.Value(tag=name, simple_value=value) for name, value in new.items()]
        self._write(Event(wall_time=time.time(), step=step, summary=Summary(value=told)))

    def conclude(self, settings: Mapping[str, Any], metrics: Mapping[str, float]) -> tuple[str, ...]:
        """As `Tracker` says: settings as a text and as hyperparameters, metrics as numbers after the last step."""
        step = max(self._last.values(), default=0)
        self.record(step, metrics)
        plain = {name: _plain(value) for name, value in settings.items()}
        rows = [f"| {name} | {value} |" for name, value in plain.items()]
        parts = [summary.text("settings", "\n".join(["| setting | value |", "|---|---|", *rows]))]
        for each in (*parts, *summary.hparams(plain, dict(metrics))):
            self._write(Event(wall_time=time.time(), step=step, summary=each))
        return ()

    def stopped(self) -> None:
        """As `Tracker` says: the file says nothing of it."""

    def close(self) -> None:
        """As `Tracker` says."""
        self._file.close()

    def _read(self) -> int:
        """Take up the last step of each name; returns the bytes of whole records."""
        whole = 0
        for end, event in read_events(self._path):
            whole = end
            self._last |= {value.tag: event.step for value in event.summary.value if value.HasField("simple_value")}
        return whole

    def _write(self, event: Any) -> None:  # noqa: ANN401  protobuf makes its classes when it runs
        data = event.SerializeToString()
        length = struct.pack("<Q", len(data))
        checked = struct.pack("<I", masked_crc32c(length)), data, struct.pack("<I", masked_crc32c(data))
        try:
            self._file.write(b"".join((length, *checked)))
        except OSError as problem:
            raise _unwritable(self._path, problem) from problem


def read_events(path: Path) -> Iterator[tuple[int, Any]]:
    """Where each whole record of an event file ends, in bytes, and its event; what is cut off or damaged ends it."""
    content = path.read_bytes()
    begin_at = 0
    while len(content) - begin_at >= _HEADER + _FOOTER:
        (length,) = struct.unpack_from("<Q", content, begin_at)
        end = begin_at + _HEADER + length + _FOOTER
        data = content[begin_at + _HEADER : end - _FOOTER]
        if end > len(content) or struct.unpack_from("<I", content, end - _FOOTER)[0] != masked_crc32c(data):
            return
        try:
            event = Event.FromString(data)
        except DecodeError:
            return
        yield end, event
        begin_at = end


def _plain(value: Any) -> str | bool | float:  # noqa: ANN401  a setting of any type
    """What TensorBoard can show: numbers that are finite, and texts."""
    if isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _unwritable(where: Path, problem: OSError) -> EnvironmentFailed:
    return EnvironmentFailed(
        f"cannot write the training's log {where}: {problem.strerror}; free space, then go on with --resume"
    )
