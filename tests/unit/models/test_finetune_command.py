"""Rules of `calmverse finetune` as a command: what it prints and leaves behind, and what it refuses."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from infra.contracts.errors import BadInput
from models.attention import checkpoint
from models.attention.model import AttentionConfig
from models.cli import COMMANDS
from models.training.registry import Registry
from models.training.settings import TrainingConfig, TrainingRequest
from models.training.train import train
from tests.support.hidden_state import HiddenStatePopulation

MODEL = AttentionConfig(d_model=16, heads=2, layers=1, window=8, hidden=16)
TRAINING = TrainingConfig(seed=3, epochs=4, horizon_min=5, time_share=0.9, batch_tokens=512, worlds=("work",))
QUICK = ("--set", "epochs=3", "--set", "learning_rate=0.01", "--set", "batch_tokens=512")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a run leaves it, with a model that was trained on the labels of work alone."""
    root = tmp_path_factory.mktemp("runs") / "first"
    lake, truth = HiddenStatePopulation.simulate(people=250, minutes=60, seed=2, game_every=15).write(root)
    train(TrainingRequest(lake=lake, out_dir=root / "model", truth=truth, model=MODEL, training=TRAINING, workers=0))
    return root


@pytest.fixture(scope="module")
def document(run: Path) -> dict[str, Any]:
    words = ["--run", run, "--world", "gaming", "--seeds", 2, *QUICK, "--keep", "lora", "--registry", run / "registry"]
    return call(*words)


def call(*words: object, codes: tuple[int, ...] = (0, 1)) -> dict[str, Any]:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command("finetune")(COMMANDS["finetune"])
    app.command("other")(lambda: None)
    result = CliRunner().invoke(app, ["finetune", *map(str, words), "--json"], catch_exceptions=False)
    assert result.exit_code in codes, result.output
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found | {"exit_code": result.exit_code, "said": result.stderr}


def test_every_way_gains_in_the_world_and_has_its_share_of_the_gain_with_an_interval(document: dict[str, Any]) -> None:
    assert list(document["ways"]) == ["full", "adapter", "attention", "lora"]
    for name, one in document["ways"].items():
        for figure in (one["gain"]["all"], one["share_of_gain"], one["forgotten"]["all"], one["auc"]["lapse"]):
            assert figure["ci_low"] <= figure["value"] <= figure["ci_high"], name
        assert one["gain"]["all"]["ci_low"] > 0
        base, after = (each["log_loss"]["inside"] for each in (document["base"], one))
        for head in ("interaction", "lapse", "all"):
            difference = base[head]["value"] - after[head]["value"]
            assert one["gain"][head]["value"] == pytest.approx(difference, abs=1e-12)
        assert one["gain"]["all"]["value"] == pytest.approx(np.mean([fit["gain"] for fit in one["fits"]]))
    full, lora = document["ways"]["full"], document["ways"]["lora"]
    assert full["share_of_gain"] == {"value": 1.0, "ci_low": 1.0, "ci_high": 1.0}
    ratio = lora["gain"]["all"]["value"] / full["gain"]["all"]["value"]
    assert lora["share_of_gain"]["value"] == pytest.approx(ratio)


def test_parameters_are_those_that_train(run: Path, document: dict[str, Any]) -> None:
    model = checkpoint.load(run / "model").model
    every = sum(each.numel() for each in model.parameters())
    of_attention = sum(each.numel() for name, each in model.named_parameters() if ".attention." in name)
    ways = document["ways"]
    assert document["model"]["parameters"] == ways["full"]["trainable"] == every
    assert ways["attention"]["trainable"] == of_attention
    assert ways["lora"]["trainable"] == 6 * 2 * 16 + 2 * 17  # six square maps of rank 1, and two heads
    assert ways["lora"]["share_of_parameters"] == ways["lora"]["trainable"] / every


def test_the_figures_are_of_the_checkpoints_that_are_left(run: Path, document: dict[str, Any]) -> None:
    for fit in (one["fits"][0] for one in document["ways"].values()):
        stored = checkpoint.load(Path(fit["checkpoint"]))
        assert stored.version == fit["version"]
        assert stored.info["parent"] == document["model"]["version"]
        assert checkpoint.version_of(checkpoint.weights_of(stored.model), stored.model.config) == stored.version
        assert stored.info["training"]["seed"] == 3, "it tells whom the base has not seen"
        assert not (Path(fit["checkpoint"]) / "training").exists()
    assert len({fit["version"] for one in document["ways"].values() for fit in one["fits"]}) == 8
    inside, outside = (document["rows"][part]["lapse"]["rows"] for part in ("inside", "outside"))
    of_base = checkpoint.load(run / "model").info["metrics"]["lapse"]
    assert inside + outside == of_base["rows"]
    losses = [document["base"]["log_loss"][part]["lapse"]["value"] for part in ("inside", "outside")]
    mean = np.average(losses, weights=[inside, outside])
    assert mean == pytest.approx(of_base["log_loss"], rel=1e-6), "the test is of all worlds, whatever carried loss"


def test_the_best_fit_of_a_way_is_registered_with_its_parent(run: Path, document: dict[str, Any]) -> None:
    best = min(document["ways"]["lora"]["fits"], key=lambda fit: float(fit["validation_loss"]))
    entry = Registry(run / "registry").show(document["kept"]["version"])
    assert entry.version == best["version"]
    assert entry.parent == document["model"]["version"]
    assert set(entry.metrics) == {"interaction", "lapse"}


def test_the_page_begins_with_the_verdict_and_the_exit_code_says_it_too(run: Path, document: dict[str, Any]) -> None:
    page = (run / "finetuning" / "finetuning.html").read_text()
    assert page.index("Of full fine-tuning&#39;s gain in gaming") < page.index("<table")
    for words in ("LoRA", "adapters", "attention only", "calmverse finetune", "Forgotten elsewhere", "By seed"):
        assert words in page
    assert json.loads((run / "finetuning" / "finetuning.json").read_text())["ways"]["lora"] == document["ways"]["lora"]
    # A model this small has so few parameters that no way trains less than a twentieth of them.
    assert document["ways"]["lora"]["share_of_parameters"] > 0.05
    assert document["exit_code"] == 1
    assert "Of full fine-tuning's gain in gaming: adapters" in document["said"]


def test_resuming_takes_up_what_is_finished_and_gives_the_same_figures(
    run: Path, document: dict[str, Any], tmp_path: Path
) -> None:
    shutil.copytree(run / "finetuning", tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "lora-2")
    words = ["--run", run, "--world", "gaming", "--seeds", 2, "--ways", "full,lora", *QUICK]
    again = call(*words, "--out", tmp_path / "out", "--resume")
    assert "full, seed 1, epoch" not in again["said"]
    assert "lora, seed 2, epoch 1/3" in again["said"]
    for name, one in again["ways"].items():
        assert one["gain"] == document["ways"][name]["gain"]
        assert [fit["version"] for fit in one["fits"]] == [fit["version"] for fit in document["ways"][name]["fits"]]
    with pytest.raises(BadInput, match=r"full-1 is of another model, other data or other settings"):
        call(*words, "--set", "clip=2", "--out", tmp_path / "out", "--resume")


def test_a_world_that_the_model_knew_is_noted_and_a_single_way_is_held_against_nothing(
    run: Path, tmp_path: Path
) -> None:
    words = ["--run", run, "--world", "work", "--ways", "attention", "--seeds", 1, "--set", "epochs=1"]
    document = call(*words, "--out", tmp_path, codes=(0,))
    assert any("--set worlds=social,learning,gaming,medical" in note for note in document["notes"])
    assert document["ways"]["attention"]["share_of_gain"] is None


def test_bad_input_says_what_to_do(run: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    shutil.copytree(run / "model", silent)
    info = json.loads((silent / "checkpoint.json").read_text())
    (silent / "checkpoint.json").write_text(json.dumps({key: info[key] for key in info if key != "training"}))
    here = ["--run", run, "--world", "gaming", "--out", tmp_path / "out", "--seeds", 1]
    cases: tuple[tuple[list[object], str], ...] = (
        (["--world", "gaming"], "name the data: --run RUN"),
        (["--run", "no-such-run", "--world", "gaming"], "there is no lake at no-such-run"),
        (["--run", run, "--world", "games"], "no world is called 'games'; there are: social, learning"),
        (["--run", run, "--world", "medical"], "events of 'medical' have no labels to learn from"),
        ([*here, "--ways", "full,lorra"], "no way to fine-tune is called 'lorra'; there are: full"),
        ([*here, "--model", tmp_path / "none"], "is not a checkpoint"),
        ([*here, "--model", silent], "does not say how it was trained"),
        ([*here, "--set", "rang=2"], "did you mean rank?"),
        ([*here, "--ways", "full", "--set", "rank=2"], "no setting of full fine-tuning is called 'rank'"),
        ([*here, "--set", "rank=many"], "must be of type int"),
        ([*here, "--ways", "lora", "--set", "targets=query"], "there are: q, k, v"),
        ([*here, "--ways", "lora", "--set", "rank=99"], "rank=99 is more than q has"),
        ([*here, "--ways", "full", "--keep", "lora"], "--keep lora: it is none of the ways"),
    )
    for words, message in cases:
        with pytest.raises(BadInput, match=re.escape(message)) as refused:
            call(*words)
        assert refused.value.exit_code == 2
