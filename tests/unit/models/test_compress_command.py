"""Rules of `calmverse compress` as a command: what it prints and leaves behind, and what it refuses."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
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

MODEL = AttentionConfig(d_model=8, heads=2, layers=1, window=8, hidden=16)
TRAINING = TrainingConfig(seed=3, epochs=2, horizon_min=5, time_share=0.9, batch_tokens=1_024)
QUICK = ("--set", "epochs=1", "--rounds", 2, "--set", "batch_tokens=1024")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a run leaves it, with a model."""
    root = tmp_path_factory.mktemp("runs") / "first"
    lake, truth = HiddenStatePopulation.simulate(people=100, minutes=60, seed=2).write(root)
    train(TrainingRequest(lake=lake, out_dir=root / "model", truth=truth, model=MODEL, training=TRAINING, workers=0))
    return root


@pytest.fixture(scope="module")
def document(run: Path) -> dict[str, Any]:
    return call("--run", run, *QUICK, "--keep", "distilled", "--registry", run / "registry")


def call(*words: object, codes: tuple[int, ...] = (0, 1)) -> dict[str, Any]:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command("compress")(COMMANDS["compress"])
    app.command("other")(lambda: None)
    result = CliRunner().invoke(app, ["compress", *map(str, words), "--json"], catch_exceptions=False)
    assert result.exit_code in codes, result.output
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found | {"exit_code": result.exit_code, "said": result.stderr}


def test_the_bytes_are_those_of_the_files(run: Path, document: dict[str, Any]) -> None:
    assert document["model"]["bytes_on_disk"] == (run / "model" / "weights.npz").stat().st_size
    for name, one in document["ways"].items():
        assert one["folder"] == str(run / "compression" / name)
        assert one["bytes_on_disk"] == (run / "compression" / name / "weights.npz").stat().st_size
    assert document["export"]["bytes_on_disk"] == (run / "compression" / "model.pt2").stat().st_size
    model = checkpoint.load(run / "model").model
    assert document["model"]["bytes_in_memory"] == 4 * sum(each.numel() for each in model.parameters())
    assert document["ways"]["bf16"]["bytes_in_memory"] * 2 == document["model"]["bytes_in_memory"]
    assert document["ways"]["pruned"]["bytes_in_memory"] == document["model"]["bytes_in_memory"], "dense in memory"


def test_every_way_has_speed_and_quality_beside_the_original_with_intervals(
    run: Path, document: dict[str, Any]
) -> None:
    assert list(document["ways"]) == ["bf16", "distilled", "int8", "pruned"]
    of_base = checkpoint.load(run / "model").info["metrics"]
    for head in ("interaction", "lapse"):
        told = document["base"]["log_loss"][head]["value"]
        assert told == pytest.approx(of_base[head]["log_loss"], rel=1e-6), "judged on the people that the base tests on"
    for name, one in document["ways"].items():
        assert one["speed"]["ci_low"] <= one["speed"]["value"] <= one["speed"]["ci_high"], name
        for key in ("log_loss", "auc"):
            for head in ("interaction", "lapse", "all"):
                above, after = one[f"{key}_difference"][head], one[key][head]["value"]
                assert above["ci_low"] <= above["value"] <= above["ci_high"], name
                assert above["value"] == pytest.approx(after - document["base"][key][head]["value"], abs=1e-12)
        assert one["no_worse"] == (one["log_loss_difference"]["all"]["ci_high"] <= 0.001)
    assert abs(document["ways"]["bf16"]["log_loss_difference"]["all"]["value"]) < 0.001


def test_the_exported_program_is_the_model(run: Path, document: dict[str, Any]) -> None:
    assert document["export"]["same"]
    assert document["export"]["greatest_difference"] <= 1e-5
    assert document["export"]["tokens"] > 0
    torch.export.load(run / "compression" / "model.pt2")


def test_what_is_kept_is_registered_with_its_parent(run: Path, document: dict[str, Any]) -> None:
    entry = Registry(run / "registry").show(document["kept"]["version"])
    assert entry.parent == document["model"]["version"]
    assert entry.metrics["lapse"]["log_loss"] == document["ways"]["distilled"]["log_loss"]["lapse"]["value"]
    stored = checkpoint.load(Path(document["kept"]["checkpoint"]))
    assert stored.info["training"]["seed"] == 3, "it tells whom the model has not seen"
    assert sum(each.numel() for each in stored.model.parameters()) == document["ways"]["distilled"]["parameters"]


def test_the_page_begins_with_the_verdict_and_the_exit_code_says_it_too(run: Path, document: dict[str, Any]) -> None:
    page = (run / "compression" / "compression.html").read_text()
    assert page.index("of the bytes and") < page.index("<table")
    for words in ("Quality lost", "Speed beside the original", "calmverse compress", "exported", "By head: lapse"):
        assert words in page
    assert json.loads((run / "compression" / "compression.json").read_text())["ways"] == document["ways"]
    good = any(
        one["no_worse"] and one["bytes_on_disk"] < document["model"]["bytes_on_disk"]
        for one in document["ways"].values()
    )
    assert document["exit_code"] == (0 if good else 1)
    assert "bf16 has" in document["said"].lower()


def test_the_exit_code_is_1_where_no_way_is_smaller_and_no_worse(run: Path, tmp_path: Path) -> None:
    words = ["--run", run, "--ways", "pruned", "--set", "sparsity=0.99", "--set", "recovery=0", "--rounds", 2]
    document = call(*words, "--margin", 0, "--out", tmp_path, codes=(1,))
    assert document["ways"]["pruned"]["no_worse"] is False
    assert document["ways"]["pruned"]["epochs"] == 0


def test_bad_input_says_what_to_do(run: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    shutil.copytree(run / "model", silent)
    info = json.loads((silent / "checkpoint.json").read_text())
    (silent / "checkpoint.json").write_text(json.dumps({key: info[key] for key in info if key != "training"}))
    here = ["--run", run, "--out", tmp_path / "out"]
    cases: tuple[tuple[list[object], str], ...] = (
        ([], "name the data: --run RUN"),
        (["--run", "no-such-run"], "there is no lake at no-such-run"),
        ([*here, "--ways", "int8,int4"], "no way to compress is called 'int4'; there are: bf16, distilled"),
        ([*here, "--model", tmp_path / "none"], "is not a checkpoint"),
        ([*here, "--model", silent], "does not say how it was trained"),
        ([*here, "--set", "sparsty=0.5"], "did you mean sparsity?"),
        ([*here, "--ways", "int8", "--set", "epochs=2"], "no setting of int8 compression is called 'epochs'"),
        ([*here, "--set", "sparsity=half"], "must be of type float"),
        ([*here, "--set", "sparsity=1"], "must be above 0 and below 1"),
        ([*here, "--set", "temperature=0"], "temperature=0.0 must be above 0"),
        ([*here, "--set", "activations=int4"], "there are int8 and float32"),
        ([*here, "--ways", "bf16", "--keep", "pruned"], "--keep pruned: it is none of the ways"),
        ([*here, "--ways", "bf16,int8", "--keep", "int8"], "what can be kept: bf16"),
    )
    for words, message in cases:
        with pytest.raises(BadInput, match=re.escape(message)) as refused:
            call(*words)
        assert refused.value.exit_code == 2
    assert not (tmp_path / "out").exists(), "refused before anything is done"
