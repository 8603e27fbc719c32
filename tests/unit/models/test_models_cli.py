"""Rules of `calmverse train` as a command, without Ray."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.contracts.errors import BadInput
from models.cli import BENCHES, COMMANDS
from tests.support.hidden_state import HiddenStatePopulation
from tests.support.model_commands import app

QUICK = ["--workers", "0", "--set", "epochs=1", "--set", "horizon_min=5", "--set", "d_model=8", "--set", "layers=1"]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a run leaves it: lake/ and truth/."""
    root = tmp_path_factory.mktemp("runs") / "made-up"
    HiddenStatePopulation.simulate(people=120, minutes=60, seed=2).write(root)
    return root


@pytest.fixture(autouse=True)
def own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry is made where the command is run."""
    monkeypatch.chdir(tmp_path)


def call(*words: str) -> dict[str, object]:
    result = CliRunner().invoke(app(), ["train", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    document: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return document


def test_it_trains_on_a_run_and_prints_one_json_object(run_folder: Path) -> None:
    document = call("--run", str(run_folder), *QUICK, "--json")
    heads = document["heads"]
    assert isinstance(heads, dict)
    assert set(heads) == {"interaction", "lapse"}
    assert heads["lapse"]["latent_oracle_log_loss"] > 0
    assert Path(str(document["checkpoint"])) == run_folder / "model"
    assert (run_folder / "model" / "weights.npz").exists()


def test_heads_of_several_classes_are_shown_beside_the_others(run_folder: Path, tmp_path: Path) -> None:
    words = ["--out", str(tmp_path / "model"), *QUICK, "--set", "outputs=lapse,next_kind", "--json"]
    result = CliRunner().invoke(app(), ["train", "--run", str(run_folder), *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert list(json.loads(result.stdout.splitlines()[-1])["heads"]) == ["lapse", "next_kind"]
    assert "lapse: " in result.stderr
    assert "below the logistic regression, 95% interval" in result.stderr
    assert "below the frequencies of the classes, 95% interval" in result.stderr


def test_a_lake_and_a_place_for_the_checkpoint_can_be_named(run_folder: Path, tmp_path: Path) -> None:
    document = call("--lake", str(run_folder / "lake"), "--out", str(tmp_path / "here"), *QUICK, "--json")
    assert document["checkpoint"] == str(tmp_path / "here")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name the data"),
        (["--run", "x", "--lake", "y"], "name the data"),
        (["--run", "no-such-run"], "no lake at no-such-run"),
        (["--lake", ".", "--set", "epochs"], "give KEY=VALUE"),
        (["--lake", ".", "--set", "epoch=3"], "did you mean epochs"),
    ],
)
def test_wrong_words_are_bad_input(words: list[str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        CliRunner().invoke(app(), ["train", *words], catch_exceptions=False)


def test_the_commands_are_frozen() -> None:
    assert list(COMMANDS) == [
        *("train", "ablate", "compress", "evaluate", "explain", "finetune", "models", "sentiment", "tune"),
    ]
    assert list(BENCHES) == ["train"]
