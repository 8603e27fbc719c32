"""A small SQLite store: one file, write-ahead log, numbered migrations, safe to use from several threads."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from infra.contracts.errors import BadInput, EnvironmentFailed

BUSY_SECONDS: Final = 5.0  # how long a statement waits for another process's lock
Row = tuple[Any, ...]


class Store:
    """An open SQLite file. One connection behind one lock: calls from several threads take turns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """Everything inside happens, or nothing does; holds the store until it ends."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk has SQLite roll back by itself, or fail to commit
                    self._connection.execute("ROLLBACK")
                raise

    def execute(self, statement: str, values: Sequence[object] = ()) -> None:
        """Run one statement."""
        with self._lock:
            self._connection.execute(statement, values)

    def execute_many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one statement for each row; call it inside `transaction`, or each row is a transaction."""
        with self._lock:
            self._connection.executemany(statement, rows)

    def query(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """Return all rows of a SELECT."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(path: Path, migrations: Sequence[str] = ()) -> Store:
    """Open (or create) the store at `path` and bring it up to date.

    `migrations[i]` is a script that takes the store from version i to i + 1; entries are never changed, only
    appended. The version is SQLite's `user_version`. Raises BadInput for a file that is no store or is newer than
    `migrations`, EnvironmentFailed when it cannot be opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.OperationalError) as error:
        raise EnvironmentFailed(f"cannot open the store {path}: {error}; choose a writable directory") from error
    try:
        # NORMAL keeps every committed transaction through a kill of the process, which is what we promise.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        _migrate(connection, path, migrations)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise BadInput(f"{path} is not a usable store ({error}): move it away, and a new one is made") from error
    except BaseException:
        connection.close()
        raise
    return Store(connection)


def signed(value: int) -> int:
    """Return an unsigned 64-bit number as the signed one with the same bits: SQLite has no unsigned integers."""
    return value - (1 << 64) if value >= 1 << 63 else value


def _migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(migrations):
        raise BadInput(f"the store {path} is of version {version}, this program knows {len(migrations)}: update it")
    for number, script in enumerate(migrations[version:], start=version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")
