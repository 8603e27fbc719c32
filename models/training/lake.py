"""Reading the lake for training: with Ray Data where Ray runs, directly where it does not. The same rows either way."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from infra.contracts.errors import BadInput, CalmverseError
from infra.contracts.events import EVENT
from infra.storage.layout import stream_files

_NOT_READ = {"sensitive", "intended_at"}
EVENT_COLUMNS = tuple(field.name for field in EVENT.arrow if field.name not in _NOT_READ)
"""What training reads of an event: texts and symptoms stay where they are."""
OUTCOME_COLUMNS = ("event_id", "person", "seq", "kind", "occurred_at", "passed")
TRUTH_COLUMNS = ("person", "kind", "ref", "probability")

_BLOCK_BYTES = 32 << 20
"""Parquet bytes a task reads: each task may cost the start of a process, more than reading a small lake."""

ReadFiles = Callable[[list[str], list[str]], list[pa.Table]]
"""(paths, columns) -> tables; the columns include `tick`."""


def read_stream(
    root: Path, stream: str, columns: tuple[str, ...], ticks: range | None, read: ReadFiles
) -> pa.Table | None:
    """Rows of a stream sorted by (person, seq), words as dictionaries; None where the stream has no files or rows.

    Raises BadInput for a file that is not readable Parquet or lacks a column, naming it.
    """
    files = [str(file.path) for file in stream_files(root, stream)]
    if not files:
        return None
    wanted = [*columns, "tick"]
    for path in files:
        _check(path, wanted)
    try:
        tables = [table.select(wanted) for table in read(files, wanted) if table.num_rows]
    except CalmverseError:
        raise
    except Exception as error:  # Ray wraps what Arrow raised in types of its own
        raise BadInput(f"the lake {root} cannot be read ({_first_line(error)}): archive the run again") from error
    if not tables:
        return None
    table = _whole(tables, ticks)
    return table if table.num_rows else None


def read_directly(paths: list[str], columns: list[str]) -> list[pa.Table]:
    """The files, one after another, in this process."""
    return [pq.read_table(path, columns=columns, partitioning=None) for path in paths]


def read_with_ray(paths: list[str], columns: list[str]) -> list[pa.Table]:
    """The files through Ray Data, which reads them in parallel wherever the cluster has room."""
    import ray  # noqa: PLC0415  heavy: only where Ray is used
    import ray.data  # noqa: PLC0415

    with _sober_ray_data(ray.data.DataContext.get_current()):
        blocks = max(1, sum(Path(path).stat().st_size for path in paths) // _BLOCK_BYTES)
        dataset = ray.data.read_parquet(paths, columns=columns, partitioning=None, override_num_blocks=blocks)
        tables: list[pa.Table] = ray.get(dataset.to_arrow_refs())
    return tables


@contextlib.contextmanager
def _sober_ray_data(context: Any) -> Iterator[None]:  # noqa: ANN401  Ray publishes no types
    """Ray Data without its bars and its life story, and with its first reader.

    The second one (use_datasource_v2) started ten worker processes on two cores for a lake of 24 small files, and took
    minutes where this one takes seconds.
    """
    logger = logging.getLogger("ray.data")
    before = logger.level, context.enable_progress_bars, context.use_datasource_v2
    logger.setLevel(logging.ERROR)
    context.enable_progress_bars, context.use_datasource_v2 = False, False
    try:
        yield
    finally:
        logger.setLevel(before[0])
        context.enable_progress_bars, context.use_datasource_v2 = before[1:]


def _check(path: str, columns: list[str]) -> None:
    try:
        names = pq.read_schema(path).names
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{path} is not a readable Parquet file ({_first_line(error)}): remove it") from error
    missing = [name for name in columns if name not in names]
    if missing:
        raise BadInput(f"{path} has no column '{missing[0]}'; it has {', '.join(names)}")


def _whole(tables: list[pa.Table], ticks: range | None) -> pa.Table:
    plain = [table.replace_schema_metadata(None) for table in tables]
    table = pa.concat_tables(plain, promote_options="permissive").unify_dictionaries()
    if ticks is not None:
        tick = table["tick"]
        table = table.filter(pc.and_(pc.greater_equal(tick, ticks.start), pc.less(tick, ticks.stop)))
    keys = [(name, "ascending") for name in ("person", "seq") if name in table.column_names]
    return table.take(pc.sort_indices(table, sort_keys=keys)).combine_chunks()


def _first_line(error: BaseException) -> str:
    cause = error.__cause__ or error
    return (str(cause) or type(cause).__name__).strip().splitlines()[-1][:300]
