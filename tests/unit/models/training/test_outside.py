"""Rules of a training on somebody else's log: columns are mapped, broken rows are told, no simulation has a part."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from infra.contracts.errors import BadInput
from models.attention import checkpoint
from tests.support.model_commands import app

MAP = """
person: learner
time: asked
time_unit: s
kind: ItemShown
item: exercise
outcome: {column: correct, at_least: 1}
training: {item_buckets: 16}
"""
QUICK = [
    "--workers",
    "0",
    "--set",
    "epochs=6",
    "--set",
    "d_model=8",
    "--set",
    "layers=1",
    "--set",
    "batch_tokens=512",
    "--json",
]


@pytest.fixture(autouse=True)
def own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def exercises(people: int = 300, each: int = 30) -> pl.DataFrame:
    """Learners who solve the even exercises mostly, and the odd ones seldom."""
    random = np.random.default_rng(3)
    exercise = random.integers(0, 16, people * each)
    return pl.DataFrame(
        {
            "learner": np.repeat([f"learner {number}" for number in range(people)], each),
            "asked": 1_700_000_000 + np.tile(np.arange(each) * 60, people),
            "exercise": exercise,
            "correct": (random.random(people * each) < np.where(exercise % 2 == 0, 0.8, 0.2)).astype(int),
        }
    )


def train(folder: Path, table: pl.DataFrame, *words: str, schema: str = MAP) -> dict[str, object]:
    table.write_parquet(folder / "log.parquet")
    (folder / "map.yaml").write_text(schema)
    given = ["train", "--events", str(folder / "log.parquet"), "--schema", str(folder / "map.yaml"), *QUICK, *words]
    result = CliRunner().invoke(app(), given, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    document: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return document


def test_what_a_log_shows_is_learned(tmp_path: Path) -> None:
    document = train(tmp_path, exercises())
    head = document["heads"]["interaction"]  # type: ignore[index]  # a document
    best = -(0.8 * np.log(0.8) + 0.2 * np.log(0.2))
    assert head["beats_base"]
    assert best - 0.03 < head["log_loss"] < best + 0.06
    assert document["checkpoint"] == str(tmp_path / "log-model")
    assert checkpoint.load(tmp_path / "log-model").model.config.item_buckets == 16


def test_rows_that_cannot_be_used_are_left_out_and_told(tmp_path: Path) -> None:
    table = exercises().with_columns(
        learner=pl.when(pl.int_range(pl.len()) == 6).then(None).otherwise(pl.col("learner"))
    )
    document = train(tmp_path, table)
    assert any("1 of 9,000 rows cannot be used" in str(note) for note in document["notes"])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (MAP.replace("learner", "pupil"), "no column 'pupil'"),
        (MAP.replace("at_least: 1", "at_least: 2"), "nothing can be learned"),
        ("person: learner\ntime: asked\ntime_unit: s\n", "names no outcome"),
        (MAP.replace("outcome", "outcomes"), "known keys"),
    ],
)
def test_a_map_that_does_not_fit_is_one_clear_error(tmp_path: Path, schema: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        train(tmp_path, exercises(people=40), schema=schema)


def test_a_log_and_a_run_are_not_given_together(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="leave out --run"):
        train(tmp_path, exercises(people=5), "--run", "latest")


def test_a_schema_without_a_log_is_refused() -> None:
    with pytest.raises(BadInput, match="give the log too"):
        CliRunner().invoke(app(), ["train", "--schema", "map.yaml"], catch_exceptions=False)
