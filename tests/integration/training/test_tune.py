"""Rules of `calmverse tune` on Ray: who falls behind is stopped, and the best on validation is what is kept."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from models.attention import checkpoint
from models.cli import COMMANDS
from models.training.registry import Registry
from models.training.settings import TrainingRequest, parse
from models.training.tracking.tensorboard import read_events
from models.training.train import train
from tests.support.hidden_state import HiddenStatePopulation

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    # Ray leaves sockets and files to the garbage collector, and warns of its own plans.
    pytest.mark.filterwarnings("ignore"),
]

COMMON = {"d_model": "16", "heads": "2", "layers": "1", "hidden": "16", "window": "8", "horizon_min": "5"}
COMMON |= {"epochs": "3", "patience": "3", "batch_tokens": "512", "time_share": "0.9"}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    population = HiddenStatePopulation.simulate(people=300, minutes=120, seed=2)
    return population.write(tmp_path_factory.mktemp("runs") / "first")[0]


@pytest.fixture(scope="module")
def done(lake: Path) -> dict[str, Any]:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command("tune")(COMMANDS["tune"])
    app.command("other")(lambda: None)
    words = ["tune", "--lake", lake, "--vary", "learning_rate=0.02,0.003,0.000001,0.0000001", "--trials", 4]
    words += [word for key, value in COMMON.items() for word in ("--set", f"{key}={value}")]
    words += ["--registry", lake.parent / "registry", "--json"]
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    assert f"best on validation: trial {document['best']['trial']}" in " ".join(result.stderr.split())
    return document


def test_who_falls_behind_is_stopped_and_the_best_is_not(done: dict[str, Any]) -> None:
    trials = done["trials"]
    assert [each["settings"]["learning_rate"] for each in trials] == ["0.02", "0.003", "0.000001", "0.0000001"]
    stopped = [each for each in trials if each["ended"] == "stopped early"]
    assert stopped
    assert all(1 <= each["epochs"] < 3 for each in stopped)
    assert all(each["epochs"] == len(each["history"]) for each in trials)
    best = min(trials, key=lambda each: each["validation_loss"])
    assert done["best"]["trial"] == best["trial"]
    assert best["trial"] < 2, "rates of a millionth and less teach nothing"
    assert (best["ended"], best["epochs"]) == ("all epochs", 3)


def test_what_is_kept_is_what_the_best_settings_train(lake: Path, tmp_path: Path, done: dict[str, Any]) -> None:
    rate = done["trials"][done["best"]["trial"]]["settings"]["learning_rate"]
    assert done["best"]["set"].endswith(f"--set learning_rate={rate}")
    model, training = parse({**COMMON, "learning_rate": rate, "seed": 1})
    plain = train(TrainingRequest(lake=lake, out_dir=tmp_path, model=model, training=training, workers=0))
    assert done["version"] == plain.version
    assert done["heads"]["lapse"]["log_loss"] == plain.heads["lapse"]["log_loss"]
    assert checkpoint.load(Path(done["checkpoint"])).info["training"]["learning_rate"] == float(rate)
    assert [each.version for each in Registry(lake.parent / "registry").entries()] == [done["version"]]
    assert not list((lake.parent / "tuning" / "trials").glob("*/weights.npz"))


def test_each_trial_has_a_log(lake: Path, done: dict[str, Any]) -> None:
    for each in done["trials"]:
        (path,) = (lake.parent / "tuning" / "trials" / f"{each['trial']:03}" / "tensorboard").iterdir()
        values = [value for _, event in read_events(path) for value in event.summary.value]
        told = [value.simple_value for value in values if value.tag == "training/validation_loss"]
        assert told == pytest.approx(each["history"])
