"""Run folders: each is new, `latest` points at the newest, and what is looked for is found or named."""

from pathlib import Path

import pytest

from infra import runs
from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.contracts.topics import Topics


def test_latest_points_at_the_newest_run_and_no_two_share_a_folder(tmp_path: Path) -> None:
    first, second = (runs.create(tmp_path, "demo", 7) for _ in range(2))
    assert first.path != second.path
    assert runs.find(tmp_path, "latest").path == second.path
    assert runs.find(tmp_path, first.run_id).path == first.path
    assert runs.find(tmp_path, str(first.path)).path == first.path


@pytest.mark.parametrize("name", ["demo", "Übung 3", "a/b", "---", "x" * 200])
def test_a_run_id_can_be_a_namespace(tmp_path: Path, name: str) -> None:
    assert Topics(runs.create(tmp_path, name, 12).run_id).all()


def test_an_unknown_run_is_refused_with_the_newest_ones(tmp_path: Path) -> None:
    known = runs.create(tmp_path, "demo", 7)
    with pytest.raises(BadInput, match=known.run_id):
        runs.find(tmp_path, "other")


def test_a_folder_that_cannot_be_made_is_an_environment_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailed, match="--runs"):
        runs.create(tmp_path / "file", "demo", 7)


def test_a_document_is_never_seen_half_written(tmp_path: Path) -> None:
    folder = runs.create(tmp_path, "demo", 7)
    folder.write_json("summary.json", {"a": 1})
    folder.write_json("summary.json", {"a": 2})
    assert [path.name for path in folder.path.glob("summary*")] == ["summary.json"]
