"""Bad input and a bad environment: one clear error each, the right exit code, and no run folder half made."""

import socket
import sys
from pathlib import Path

import pytest

from calmverse import main
from tests.support.command import calmverse

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nowhere"], "no scenario 'nowhere'"),
        (["run", "tiny", "--set", "people=abc"], "--set people=abc"),
        (["run", "tiny", "--set", "people=1000000000000"], "people"),
        (["run", "tiny", "--set", "peeple=3"], "peeple"),
        (["run", "tiny", "--set", "people"], "--set KEY=VALUE"),
        (["run", "tiny", "--policy", "tresh"], "threshold"),
        (["run", "tiny", "--set", "training.epoks=3"], "epochs"),
        (["run", "tiny", "--broker", "postgres"], "broker"),
        (["replay", "nothing.csv"], "no such file"),
        (["compare", "--policies", "never"], "two different policies"),
        (["compare", "--policies", "never,sometimes"], "sometimes"),
        (["compare", "--policies", "never,random", "--seeds", "0"], "--seeds"),
        (["train", "--run", "nowhere"], "nowhere"),
        (["oracle"], "--scenario"),
        (["oracle", "--run", "nowhere"], "no run 'nowhere'"),
        (["oracle", "--scenario", "nowhere"], "no scenario 'nowhere'"),
        (["oracle", "--run", "nowhere", "--set", "people=3"], "--set and --out"),
        (["deadletters", "list", "--bootstrap", "127.0.0.1:1"], "belong together"),
        (["deadletters", "list", "--run", "nowhere"], "no run 'nowhere'"),
        (["deadletters", "replay"], "--all"),
        (["loadtest", "pipeline", "--rate", "10", "--seconds", "1", "--slo", "p99=fast"], "p99"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["calmverse", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code == 2, err
    [line] = err.strip().splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_scenario_file_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\npeople: 100\nchecks:\n  attention_per_hour: -1\n")
    done = calmverse("run", str(path), cwd=tmp_path)
    assert done.returncode == 2
    assert f"{path}:4: checks.attention_per_hour" in done.stderr


def test_a_port_in_use_is_named_and_exit_code_3(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = calmverse("run", "tiny", "--port", str(port), cwd=tmp_path)
    assert done.returncode == 3
    [error] = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert str(port) in error
