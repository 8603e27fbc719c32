"""A snapshot is there whole, or not at all."""

from pathlib import Path

import pytest

from infra.bus.snapshots import Snapshot, SnapshotStore
from infra.bus.ticks import TickGate
from infra.contracts.errors import EnvironmentFailed
from tests.unit.infra.bus.logs import TOPIC

SNAPSHOT = Snapshot(namespace="ns", gate=TickGate([(TOPIC, 0)]).state(), state=b"\x00state\nwith a line\xff")


def test_what_was_saved_last_is_loaded(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "new")
    store.save("lane", Snapshot(namespace="ns", gate=SNAPSHOT.gate, state=b"old"))
    store.save("lane", SNAPSHOT)
    assert store.load("lane", "ns") == SNAPSHOT
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["lane.snapshot"]


def test_where_there_is_none_nothing_is_loaded(tmp_path: Path) -> None:
    assert SnapshotStore(tmp_path).load("lane", "ns") is None


def test_a_crash_while_writing_leaves_the_last_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SnapshotStore(tmp_path)
    store.save("lane", SNAPSHOT)

    def crash(_descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", crash)
    with pytest.raises(EnvironmentFailed, match="no space left"):
        store.save("lane", Snapshot(namespace="ns", gate=SNAPSHOT.gate, state=b"new"))
    assert store.load("lane", "ns") == SNAPSHOT


@pytest.mark.parametrize("damage", [b"", b"not json\nstate", b"{}\nstate"])
def test_a_damaged_snapshot_is_refused_with_advice(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "lane.snapshot").write_bytes(damage)
    with pytest.raises(EnvironmentFailed, match=r"lane\.snapshot is damaged.*remove the file"):
        SnapshotStore(tmp_path).load("lane", "ns")


def test_a_snapshot_whose_state_was_cut_short_is_refused(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.save("lane", SNAPSHOT)
    path = tmp_path / "lane.snapshot"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EnvironmentFailed, match="damaged"):
        store.load("lane", "ns")


def test_a_snapshot_of_another_namespace_is_refused(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    store.save("lane", SNAPSHOT)
    with pytest.raises(EnvironmentFailed, match="is of namespace 'ns', not 'other'"):
        store.load("lane", "other")
