"""The Parquet lake: every frame of a stream, exactly once, in files named by the offsets they cover.

A file holds the record's columns (with `world` and `kind` as words), then `tick`, `source`, `partition` and `offset`,
then one column for each frame attribute such as `model_version`. Rows are sorted by (tick, person, seq). The fields of
payload structs are nullable here, because they are null where their struct is. The ids of the frames in a file stand in
its footer, so that a writer that starts again still recognises a frame that was sent twice.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.contracts.frames import Frame
from infra.storage.codes import CODE_TYPES, WORD_TYPE, to_codes, to_words
from infra.storage.layout import (
    TEMPORARY,
    LakeFile,
    file_name,
    partition_directory,
    partition_files,
    stream_files,
)

FRAMES_KEY: Final = b"calm.frames"  # footer metadata: JSON list of [source, tick, frame id]
COMPRESSION: Final = "zstd"
_SORT_ORDER: Final = ("tick", "person", "seq")
_READ_ORDER: Final = ("person", "seq", "tick")


@dataclass(slots=True)
class _Pending:
    """What was appended and is not on disk yet."""

    first: int
    frames: list[Frame] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    rows: int = 0


class LakeWriter:
    """Appends the frames of one stream's partition to the lake. One writer a partition; not for two threads.

    Raises BadInput for a lake it cannot read, EnvironmentFailed when the disk refuses.
    """

    def __init__(self, root: Path, stream: str, partition: int) -> None:
        self.stream, self.partition = stream, partition
        self._directory = partition_directory(root, stream, partition)
        self._prepare()
        files = partition_files(root, stream, partition)
        self._seen = {frame for file in files for frame in _frames_of(file)}
        self._next = files[-1].last + 1 if files else 0
        self._pending = _Pending(self._next)
        self.rows_on_disk = sum(_footer(file).num_rows for file in files)
        self.files_on_disk = len(files)
        self.repeats = 0

    @property
    def pending_rows(self) -> int:
        """Rows appended and not yet on disk."""
        return self._pending.rows

    def next_offset(self) -> int:
        """Return the offset to read next: one past everything appended or covered so far."""
        return self._next

    def durable_offset(self) -> int:
        """Return the offset up to which (exclusive) every row is on disk."""
        return self._pending.offsets[0] if self._pending.frames else self._next

    def append(self, frame: Frame, offset: int) -> bool:
        """Take one frame read at `offset`; False when it was there before: by offset, or by source, tick and id."""
        identity = (frame.source, frame.tick, frame.frame_id)
        if offset < self._next or identity in self._seen:
            self.repeats += 1
            self.cover(offset)
            return False
        self._seen.add(identity)
        self._pending.frames.append(frame)
        self._pending.offsets.append(offset)
        self._pending.rows += frame.batch.num_rows
        self.cover(offset)
        return True

    def cover(self, offset: int) -> None:
        """Note that the record at `offset` is dealt with: a tick-end, a repeat, a dead letter."""
        self._next = max(self._next, offset + 1)

    def flush(self) -> Path | None:
        """Write what is pending as one file and return its path; None when there are no rows to write."""
        pending = self._pending
        if not pending.frames:
            return None
        table = _table(pending, self.partition)
        path = self._directory / file_name(pending.first, self._next - 1)
        try:
            _write_durably(table, path)
        except OSError as error:
            raise EnvironmentFailed(
                f"cannot write {path}: {error.strerror or error}; free space or choose another run directory"
            ) from error
        self.rows_on_disk += table.num_rows
        self.files_on_disk += 1
        self._pending = _Pending(self._next)
        return path

    def _prepare(self) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for leftover in self._directory.glob(f"*{TEMPORARY}"):
                leftover.unlink()
        except OSError as error:
            raise EnvironmentFailed(
                f"cannot use {self._directory}: {error.strerror}; choose a run directory that can be written"
            ) from error


def read(
    root: Path,
    stream: str,
    columns: Sequence[str] | None = None,
    ticks: range | None = None,
    *,
    codes: bool = False,
) -> pa.Table:
    """Return rows of a stream, sorted by (person, seq), or (person, tick) where the record has no seq.

    `columns` limits what is returned, `ticks` (step 1) the rows; with `codes`, world and kind come as the wire's
    integers. Raises BadInput for a stream without files and for a file that cannot be read, naming it.
    """
    files = stream_files(root, stream)
    if not files:
        raise BadInput(f"the lake {root} has no {stream}: name a run that has finished its warm-up")
    parts = [_read_file(file.path, columns, ticks) for file in files]
    table = pa.concat_tables(parts, promote_options="default").unify_dictionaries()
    table = _sorted(table, _READ_ORDER)
    if columns is not None:
        table = _selected(table, columns, f"the {stream} in {root}")
    return _with_codes(table) if codes else table


def read_files(root: Path, stream: str, *, codes: bool = False) -> Iterator[pa.Table]:
    """Yield a stream file by file, in no promised order: for sums over a whole stream; raises as `read`."""
    for file in stream_files(root, stream):
        table = _read_file(file.path, None, None)
        yield _with_codes(table) if codes else table


def count(root: Path, stream: str) -> int:
    """Return the number of rows of a stream from the files' footers; 0 when there are no files."""
    return sum(_footer(file).num_rows for file in stream_files(root, stream))


def _table(pending: _Pending, partition: int) -> pa.Table:
    """Return the pending rows as a lake table, sorted, with the frame ids in its metadata."""
    frames = pending.frames
    table = _nullable_children(pa.Table.from_batches([frame.batch for frame in frames]))
    for name in CODE_TYPES:
        if name in table.column_names:
            position = table.column_names.index(name)
            table = table.set_column(position, name, to_words(name, table[name]))
    for name, column in _added_columns(pending, partition).items():
        if name not in table.column_names:  # truth and decisions carry their tick, decisions their model
            table = table.append_column(name, column)
    ids = [[frame.source, frame.tick, frame.frame_id] for frame in frames]
    return _sorted(table, _SORT_ORDER).replace_schema_metadata({FRAMES_KEY: orjson.dumps(ids)})


def _nullable_children(table: pa.Table) -> pa.Table:
    """Declare the fields of payload structs nullable, which costs nothing.

    On the wire they are not, but Arrow's own `take` puts nulls below a null struct, and the Parquet writer then
    refuses the column.
    """
    fields = [
        field.with_type(pa.struct([child.with_nullable(True) for child in field.type]))
        if pa.types.is_struct(field.type)
        else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))


def _added_columns(pending: _Pending, partition: int) -> dict[str, pa.Array]:
    frames = pending.frames
    lengths = np.array([frame.batch.num_rows for frame in frames])
    columns = {
        "tick": pa.array(np.repeat([frame.tick for frame in frames], lengths), pa.int64()),
        "source": _repeated([frame.source for frame in frames], lengths),
        "partition": pa.array(np.full(lengths.sum(), partition), pa.int32()),
        "offset": pa.array(np.repeat(pending.offsets, lengths), pa.int64()),
    }
    for name in sorted({name for frame in frames for name in frame.attributes}):
        columns[name] = _repeated([frame.attributes.get(name) for frame in frames], lengths)
    return columns


def _repeated(words: Sequence[str | None], lengths: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> pa.Array:
    """Return word i `lengths[i]` times, dictionary-encoded."""
    encoded = pa.array(words, pa.string()).dictionary_encode()
    return encoded.take(pa.array(np.repeat(np.arange(len(words)), lengths))).cast(WORD_TYPE)


def _sorted(table: pa.Table, order: Iterable[str]) -> pa.Table:
    keys = [(name, "ascending") for name in order if name in table.column_names]
    return table.take(pc.sort_indices(table, sort_keys=keys)) if keys else table


def _write_durably(table: pa.Table, path: Path) -> None:
    """Write, fsync, rename, fsync the directory: after this returns, a power cut does not lose the file."""
    temporary = path.with_suffix(path.suffix + TEMPORARY)
    with temporary.open("wb") as stream:
        pq.write_table(table, stream, compression=COMPRESSION)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _footer(file: LakeFile) -> pq.FileMetaData:
    try:
        return pq.read_metadata(file.path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(file.path, error) from error


def _frames_of(file: LakeFile) -> list[tuple[str, int, str]]:
    metadata = _footer(file).metadata or {}
    return [(source, tick, name) for source, tick, name in orjson.loads(metadata.get(FRAMES_KEY, b"[]"))]


def _read_file(path: Path, columns: Sequence[str] | None, ticks: range | None) -> pa.Table:
    try:
        names = pq.read_schema(path).names
        wanted = None if columns is None else [name for name in names if name in columns or name in _READ_ORDER]
        bounds = None if ticks is None else [("tick", ">=", ticks.start), ("tick", "<", ticks.stop)]
        table = pq.read_table(path, columns=wanted, filters=bounds, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error
    return table.replace_schema_metadata(None)


def _selected(table: pa.Table, columns: Sequence[str], where: str) -> pa.Table:
    """Return `columns` of a table in which a column may be missing from some files (null there), not from all."""
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        raise BadInput(f"{where} have no column {missing[0]!r}: see the record's contract, or read all columns")
    return table.select(list(columns))


def _with_codes(table: pa.Table) -> pa.Table:
    for name in CODE_TYPES:
        if name in table.column_names:
            position = table.column_names.index(name)
            table = table.set_column(position, name, to_codes(name, table[name]))
    return table


def _unreadable(path: Path, error: Exception) -> BadInput:
    return BadInput(f"{path} is not a readable Parquet file ({error}): remove it and archive again")
