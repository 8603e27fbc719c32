"""Rules of `calmverse evaluate` as a command: what it prints and leaves behind, and what it refuses."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from infra.contracts.errors import BadInput
from models.attention.model import AttentionConfig
from models.cli import COMMANDS
from models.training.settings import TrainingConfig, TrainingRequest
from models.training.train import train
from tests.support.hidden_state import HiddenStatePopulation
from tests.support.oracle import write_oracle

MODEL = AttentionConfig(d_model=8, heads=2, layers=1, window=8, hidden=16)
TRAINING = TrainingConfig(seed=3, epochs=1, horizon_min=5, time_share=0.9, batch_tokens=1_024)


def trained(root: Path, seed: int) -> Path:
    """A folder as a run leaves it, with its model, and the oracle's results for every third event: the truth itself."""
    lake, truth = HiddenStatePopulation.simulate(people=100, minutes=60, seed=seed).write(root)
    train(TrainingRequest(lake=lake, out_dir=root / "model", truth=truth, model=MODEL, training=TRAINING, workers=0))
    files = sorted((truth / "truth").rglob("*.parquet"))
    table = [pq.read_table(file, columns=["ref", "person", "probability"], partitioning=None) for file in files]
    columns = {name: np.concatenate([each[name].to_numpy() for each in table])[::3] for name in table[0].column_names}
    heads = ["interaction"] * len(columns["ref"])  # checks are no events: they join nothing
    write_oracle(
        root,
        {
            "event_id": columns["ref"],
            "person": columns["person"],
            "head": heads,
            "probability": columns["probability"],
        },
        horizon_min=5,
    )
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("runs") / "first", seed=2)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of other people."""
    return trained(tmp_path_factory.mktemp("runs") / "other", seed=9)


def call(*words: object) -> dict[str, Any]:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command("evaluate")(COMMANDS["evaluate"])
    app.command("other")(lambda: None)
    result = CliRunner().invoke(app, ["evaluate", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return document


def test_it_prints_every_figure_with_its_interval_and_writes_it_beside_the_run(run: Path) -> None:
    document = call("--run", run, "--baselines", "base_rate,logistic", "--json")
    head = document["heads"]["interaction"]
    assert set(head["baselines"]) == {"base_rate", "logistic"}
    singles = [head[name] for name in ("auc", "log_loss", "ece", "oracle_fraction", "latent_fraction")]
    paired = [one[name] for one in head["baselines"].values() for name in ("log_loss", "auc", "difference")]
    for figure in (*singles, *paired):
        assert figure["ci_low"] <= figure["ci_high"]
    assert head["oracle"]["rows"] < head["rows"]
    assert head["oracle"]["log_loss"]["value"] < head["oracle"]["model_log_loss"]["value"]
    assert document["model"]["trained_on_this_lake"]
    assert json.loads((run / "evaluation" / "evaluation.json").read_text())["heads"] == document["heads"]
    page = (run / "evaluation" / "evaluation.html").read_text()
    assert "logistic regression" in page
    assert "calmverse evaluate" in page
    assert page.index("of the way from the base rate") < page.index("<table")


def test_people_that_the_model_has_not_seen_are_those_of_its_training(run: Path) -> None:
    document = call("--run", run, "--baselines", "none", "--json")
    stored = json.loads((run / "model" / "checkpoint.json").read_text())["metrics"]
    for name, head in document["heads"].items():
        assert head["rows"] == stored[name]["rows"]
        assert head["log_loss"]["value"] == pytest.approx(stored[name]["log_loss"], rel=1e-6)
        assert head["auc"]["value"] == pytest.approx(stored[name]["auc"], rel=1e-6)


def test_what_is_missing_is_null_and_said_with_the_command_that_makes_it(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "lake", tmp_path / "lake")
    document = call("--run", tmp_path, "--model", run / "model", "--baselines", "none", "--json")
    assert document["heads"]["lapse"]["oracle_fraction"] is None
    assert document["heads"]["lapse"]["latent_fraction"] is None
    assert any("calmverse oracle --run" in note for note in document["notes"])
    assert any("no true probabilities" in note for note in document["notes"])


def test_all_people_of_another_population_are_looked_at_but_baselines_on_unseen_ones(run: Path, other: Path) -> None:
    words = ["--run", other, "--model", run / "model", "--baselines", "base_rate", "--json"]
    everybody, unseen = call(*words, "--people", "all"), call(*words)
    assert everybody["heads"]["lapse"]["people"] > 3 * unseen["heads"]["lapse"]["people"]
    alike = [each["heads"]["lapse"]["baselines"]["base_rate"]["log_loss"] for each in (everybody, unseen)]
    assert alike[0] == alike[1]
    assert not everybody["model"]["trained_on_this_lake"]


def test_the_heads_that_a_lake_has_labels_of_are_evaluated(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "lake" / "events", tmp_path / "one" / "lake" / "events")
    document = call("--run", tmp_path / "one", "--model", run / "model", "--baselines", "none", "--json")
    whole = call("--run", run, "--baselines", "none", "--json")
    assert list(document["heads"]) == ["interaction"]
    assert document["heads"]["interaction"]["auc"] == whole["heads"]["interaction"]["auc"]


def test_the_seed_moves_intervals_and_nothing_else(run: Path) -> None:
    first, second = (call("--run", run, "--baselines", "none", "--seed", seed, "--json") for seed in (1, 2))
    one, two = (each["heads"]["lapse"]["auc"] for each in (first, second))
    assert one["value"] == two["value"]
    assert one["ci_low"] != two["ci_low"]


def test_bad_input_says_what_to_do(run: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(run / "model", old)
    info = json.loads((old / "checkpoint.json").read_text())
    (old / "checkpoint.json").write_text(json.dumps(info | {"features_version": "0"}))
    silent = tmp_path / "silent"
    shutil.copytree(run / "model", silent)
    (silent / "checkpoint.json").write_text(json.dumps({key: info[key] for key in info if key != "training"}))
    cases: tuple[tuple[list[object], str], ...] = (
        ([], "name the data: --run RUN"),
        (["--run", "no-such-run"], "there is no lake at no-such-run"),
        (["--run", run, "--model", tmp_path / "none"], "is not a checkpoint"),
        (["--run", run, "--model", old], "trained on features 0"),
        (["--run", run, "--model", silent], "does not say how it was trained"),
        (["--run", run, "--people", "some"], "unseen, or all"),
        (["--run", run, "--people", "all"], "was trained on people of"),
        (["--run", run, "--baselines", "lightgmb"], "there are: base_rate, gru"),
    )
    for words, message in cases:
        with pytest.raises(BadInput, match=re.escape(message)) as refused:
            call(*words)
        assert refused.value.exit_code == 2
