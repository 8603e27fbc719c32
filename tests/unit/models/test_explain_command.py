"""Rules of `calmverse explain` as a command: what it prints and leaves behind, and what it refuses."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from infra.contracts.errors import BadInput
from models.attention.model import AttentionConfig
from models.cli import COMMANDS
from models.training.settings import TrainingConfig, TrainingRequest
from models.training.train import train
from tests.support.hidden_state import HiddenStatePopulation

MODEL = AttentionConfig(d_model=8, heads=2, layers=1, window=12, hidden=16)
TRAINING = TrainingConfig(seed=3, epochs=2, horizon_min=5, time_share=0.9, batch_tokens=1_024)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a run leaves it, with its model."""
    root = tmp_path_factory.mktemp("runs") / "first"
    lake, truth = HiddenStatePopulation.simulate(people=140, minutes=50, seed=2).write(root)
    train(TrainingRequest(lake=lake, out_dir=root / "model", truth=truth, model=MODEL, training=TRAINING, workers=0))
    return root


@pytest.fixture(scope="module")
def document(run: Path) -> dict[str, Any]:
    return call("--run", run, "--scores", 25, "--json")


def call(*words: object) -> dict[str, Any]:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command("explain")(COMMANDS["explain"])
    app.command("other")(lambda: None)
    result = CliRunner().invoke(app, ["explain", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def test_methods_on_a_trained_model_beat_random_orders(document: dict[str, Any]) -> None:
    assert set(document["methods"]) == {"gradients", "lime", "rollout", "shapley"}
    assert set(document["controls"]) == {"random", "recency"}
    for name in ("shapley", "lime"):
        one = document["methods"][name]
        assert one["p"] <= one["p_adjusted"] < 0.01
        assert one["faithful"]
        assert one["deletion_difference"]["ci_low"] > 0
    assert document["methods"]["shapley"]["largest_gap"] < 1e-4
    assert document["scores"] == 25
    assert document["people"] == 25
    assert document["past_tokens"] == {"least": 11, "most": 11}


def test_it_says_what_the_model_is_and_how_it_does_in_each_world(run: Path, document: dict[str, Any]) -> None:
    stored = json.loads((run / "model" / "checkpoint.json").read_text())
    assert document["model"]["version"] == stored["version"]
    assert document["model"]["data"]["digest"] == stored["data"]["digest"]
    for head, worlds in document["worlds"].items():
        assert list(worlds) == ["work"]
        assert worlds["work"]["rows"] == stored["metrics"][head]["rows"]
        assert worlds["work"]["log_loss"]["value"] == pytest.approx(stored["metrics"][head]["log_loss"], rel=1e-6)
        assert worlds["work"]["ece"]["value"] == pytest.approx(stored["metrics"][head]["ece"], rel=1e-4)


def test_the_card_begins_with_the_verdict(run: Path, document: dict[str, Any]) -> None:
    assert json.loads((run / "explanation" / "explanation.json").read_text())["methods"] == document["methods"]
    page = (run / "explanation" / "explanation.html").read_text()
    assert page.index("Faithful to") < page.index("<table")
    for words in (document["model"]["version"], "integrated gradients", "calmverse explain", "One score, explained"):
        assert words in page
    for token in document["example"]["tokens"]:
        assert token["kind"].replace("_", " ") in page


def test_equal_seeds_give_equal_explanations_and_others_explain_other_scores(run: Path) -> None:
    words = ("--run", run, "--head", "interaction", "--scores", 3, "--json")
    first, again, other = (call(*words, "--seed", seed) for seed in (4, 4, 5))
    for name, one in first["methods"].items():
        assert one["deletion"] == again["methods"][name]["deletion"], name
    assert first["example"] == again["example"]
    assert first["methods"]["shapley"]["deletion"] != other["methods"]["shapley"]["deletion"]


def test_bad_input_says_what_to_do(run: Path, tmp_path: Path) -> None:
    silent, short, unlabelled = tmp_path / "silent", tmp_path / "short", tmp_path / "unlabelled"
    shutil.copytree(run / "model", silent)
    info = json.loads((silent / "checkpoint.json").read_text())
    (silent / "checkpoint.json").write_text(json.dumps({key: info[key] for key in info if key != "training"}))
    HiddenStatePopulation.simulate(people=150, minutes=12, seed=2).write(short)
    shutil.copytree(run / "lake" / "events", unlabelled / "lake" / "events")
    cases: tuple[tuple[list[object], str], ...] = (
        (["--run", "no-such-run"], "there is no lake at no-such-run"),
        (["--run", run, "--model", tmp_path / "none"], "is not a checkpoint"),
        (["--run", run, "--model", silent], "does not say how it was trained"),
        (["--run", run, "--head", "next_kind"], "it has interaction, lapse"),
        (["--run", unlabelled, "--model", run / "model"], "has no labels of 'lapse'"),
        (["--run", short, "--model", run / "model", "--head", "interaction"], "has 11 events before it"),
    )
    for words, message in cases:
        with pytest.raises(BadInput, match=re.escape(message)) as refused:
            call(*words)
        assert refused.value.exit_code == 2
