"""The SQLite store: migrations in order, all or nothing, clear errors."""

import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.storage.sql import open_store, signed

FIRST = "CREATE TABLE person (person INTEGER PRIMARY KEY, seq INTEGER NOT NULL)"
SECOND = "ALTER TABLE person ADD COLUMN name TEXT; INSERT INTO person VALUES (1, 0, 'one')"


def test_a_store_is_brought_up_to_date_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "store.sqlite"
    with open_store(path, [FIRST]) as store:
        store.execute("INSERT INTO person VALUES (2, 5)")
    for _ in range(2):
        with open_store(path, [FIRST, SECOND]) as store:
            assert store.query("SELECT * FROM person ORDER BY person") == [(1, 0, "one"), (2, 5, None)]


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with pytest.raises(BadInput, match="store"):
        open_store(path, [FIRST, "INSERT INTO person VALUES (1, 1); SELECT nonsense FROM nowhere"])
    with open_store(path, [FIRST]) as store:
        assert store.query("SELECT count(*) FROM person") == [(0,)]


def test_a_store_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    open_store(path, [FIRST, SECOND]).close()
    with pytest.raises(BadInput, match="version 2"):
        open_store(path, [FIRST])


def test_a_transaction_happens_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    with open_store(tmp_path / "store.sqlite", [FIRST]) as store:
        with pytest.raises(sqlite3.IntegrityError), store.transaction():
            store.execute_many("INSERT INTO person VALUES (?, ?)", [(1, 0), (2, 0), (1, 0)])
        assert store.query("SELECT * FROM person") == []
        with store.transaction():
            store.execute_many("INSERT INTO person VALUES (?, ?)", [(1, 0), (2, 0)])
        assert len(store.query("SELECT * FROM person")) == 2


@pytest.mark.parametrize(
    "fatal",
    [
        "INSERT INTO child VALUES (7)",  # without its parent: SQLite says so when it commits
        "INSERT OR ROLLBACK INTO parent VALUES (1)",  # SQLite rolls back by itself, as it does on a full disk
    ],
)
def test_after_a_transaction_that_sqlite_ends_itself_the_next_one_works(tmp_path: Path, fatal: str) -> None:
    tables = (
        "CREATE TABLE parent (id INTEGER PRIMARY KEY); INSERT INTO parent VALUES (1);"
        "CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    with open_store(tmp_path / "store.sqlite", [tables]) as store:
        store.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError), store.transaction():
            store.execute(fatal)
        with store.transaction():
            store.execute("INSERT INTO parent VALUES (3)")
        assert store.query("SELECT id FROM parent") == [(1,), (3,)]


def test_threads_take_turns(tmp_path: Path) -> None:
    with open_store(tmp_path / "store.sqlite", [FIRST]) as store:
        store.execute("INSERT INTO person VALUES (1, 0)")

        def count() -> None:
            for _ in range(50):
                with store.transaction():
                    ((seq,),) = store.query("SELECT seq FROM person")
                    store.execute("UPDATE person SET seq = ?", (seq + 1,))

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.query("SELECT seq FROM person") == [(200,)]


def test_a_file_that_is_no_store_and_a_folder_that_cannot_be_made_are_named(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    with pytest.raises(BadInput, match=r"store\.sqlite"):
        open_store(path)
    with pytest.raises(EnvironmentFailed, match="writable"):
        open_store(path / "below")


@given(st.integers(0, 2**64 - 1))
def test_unsigned_numbers_keep_their_bits(value: int) -> None:
    assert -(2**63) <= signed(value) < 2**63
    assert signed(value) % 2**64 == value
