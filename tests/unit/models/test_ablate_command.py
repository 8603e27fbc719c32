"""Rules of `calmverse ablate`: what it works out is what single trainings say, and what is done is not done again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from infra.contracts.errors import BadInput
from models.cli import COMMANDS
from models.evaluation.ablation import compare
from models.evaluation.ablation.judged import Judged
from models.training.fitting import fit as real_fit
from models.training.settings import TrainingRequest, parse
from models.training.train import train
from tests.support.hidden_state import HiddenStatePopulation

COMMON = {"d_model": "8", "heads": "2", "layers": "1", "hidden": "8", "epochs": "1", "horizon_min": "5"}
COMMON |= {"batch_tokens": "1024", "time_share": "0.9", "outputs": "lapse,next_kind"}
SETTINGS = [word for key, value in COMMON.items() for word in ("--set", f"{key}={value}")]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    population = HiddenStatePopulation.simulate(people=120, minutes=40, seed=2)
    return population.write(tmp_path_factory.mktemp("runs") / "first")[0]


def call(*words: object) -> Any:  # noqa: ANN401  a result of click's own type
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command("ablate")(COMMANDS["ablate"])
    app.command("other")(lambda: None)
    return CliRunner().invoke(app, ["ablate", *map(str, words)], catch_exceptions=False)


def words(lake: Path, out: Path) -> list[object]:
    arms = ["--against", "window=8", "--vary", "window=2", "--vary", "window=8 label_share=0.5"]
    return ["--lake", lake, *SETTINGS, *arms, "--seeds", 2, "--seed", 3, "--out", out, "--json"]


@pytest.fixture(scope="module")
def done(lake: Path) -> tuple[Path, dict[str, Any]]:
    """Where results are, and the document."""
    out = lake.parent / "ablation"
    result = call(*words(lake, out))
    assert result.exit_code == 0, result.output
    return out, json.loads(result.stdout.splitlines()[-1])


def test_differences_are_those_of_single_trainings_on_the_same_people(
    lake: Path, done: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    _, document = done
    losses: dict[str, list[dict[str, float]]] = {}
    for arm in ("window=8", "window=2"):
        for start in range(2):
            key, _, value = arm.partition("=")
            model, training = parse({**COMMON, key: value, "seed": 3, "start": start})
            request = TrainingRequest(lake=lake, out_dir=tmp_path / "model", model=model, training=training, workers=0)
            heads = train(request).heads
            losses.setdefault(arm, []).append({head: heads[head]["log_loss"] for head in heads})
    for head in ("lapse", "next_kind"):
        one = document["arms"]["window=2"]["heads"][head]
        differences = [a[head] - b[head] for a, b in zip(losses["window=8"], losses["window=2"], strict=True)]
        assert one["differences"] == pytest.approx(differences, abs=1e-9)
        assert one["difference"]["value"] == pytest.approx(np.mean(differences), abs=1e-9)
        assert one["log_loss"]["value"] == pytest.approx(np.mean([each[head] for each in losses["window=2"]]))
        assert one["difference"]["ci_low"] < one["difference"]["value"] < one["difference"]["ci_high"]
        assert document["arms"]["window=8"]["heads"][head]["difference"]["value"] == 0
    assert len({each["lapse"] for each in losses["window=8"]}) == 2  # starts differ


def test_the_page_says_which_is_better(done: tuple[Path, dict[str, Any]]) -> None:
    out, document = done
    assert json.loads((out / "ablation.json").read_text())["arms"] == document["arms"]
    page = (out / "ablation.html").read_text()
    for said in ("window=2 is", "window=8 label_share=0.5 is", "Every setting learns", "calmverse ablate"):
        assert said in page
    assert page.index("window=2 is") < page.index("<table")


def counted(monkeypatch: pytest.MonkeyPatch, stop_at: int | None = None) -> list[int]:
    """Counts trainings of an ablation from here on; Ctrl-C comes with the one of number `stop_at`."""
    calls: list[int] = []

    def fit(*arguments: Any) -> Any:  # noqa: ANN401  passed on as they are
        calls.append(len(calls) + 1)
        if len(calls) == stop_at:
            raise KeyboardInterrupt
        return real_fit(*arguments)

    monkeypatch.setattr(compare, "fit", fit)
    return calls


def test_what_is_finished_is_kept_and_not_trained_again(
    lake: Path, done: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped_at = counted(monkeypatch, stop_at=5)
    stopped = call(*words(lake, tmp_path))
    assert (stopped.exit_code, len(stopped_at)) == (130, 5)
    assert "4 finished trainings are kept" in " ".join(stopped.stderr.split())
    monkeypatch.undo()
    rest = counted(monkeypatch)
    again = json.loads(call(*words(lake, tmp_path)).stdout.splitlines()[-1])
    assert len(rest) == 2
    for name, arm in again["arms"].items():
        assert arm["heads"] == done[1]["arms"][name]["heads"]
    call(*words(lake, tmp_path))
    assert len(rest) == 2
    more = [*words(lake, tmp_path)[:-7], "--seeds", 3, "--seed", 3, "--out", tmp_path]
    assert call(*more).exit_code == 0
    assert len(rest) == 5


def test_other_code_or_other_data_trains_anew(
    lake: Path, done: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop(Exception):
        """Enough is known."""

    def fit(*_: object) -> None:
        raise Stop

    monkeypatch.setattr(compare, "fit", fit)
    monkeypatch.setattr(compare, "code_version", lambda: "other")
    with pytest.raises(Stop):
        call(*words(lake, done[0]))


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def remove_rows(path: Path) -> None:
    judged = Judged.load(path)
    judged.rows[:] = 1
    judged.save(path)


@pytest.mark.parametrize(("change", "message"), [(damage, "cannot be read"), (remove_rows, "judged on other rows")])
def test_kept_trainings_that_do_not_fit_are_named(
    lake: Path, done: tuple[Path, dict[str, Any]], tmp_path: Path, change: Callable[[Path], None], message: str
) -> None:
    for path in (done[0] / "trainings").glob("*.npz"):
        (tmp_path / "trainings").mkdir(exist_ok=True)
        (tmp_path / "trainings" / path.name).write_bytes(path.read_bytes())
    change(min((tmp_path / "trainings").glob("*.npz")))
    with pytest.raises(BadInput, match=message):
        call(*words(lake, tmp_path))


def test_data_that_is_not_there_is_told(tmp_path: Path) -> None:
    for given, message in (
        (["--vary", "window=8"], "name the data"),
        (["--vary", "window=8", "--lake", tmp_path / "none"], "there is no lake at"),
        (["--vary", "window=8", "--run", "no-such-run"], "no run 'no-such-run'"),
    ):
        with pytest.raises(BadInput, match=message):
            call(*given)
