"""Rules of the summary, the exit code and the command's options."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from infra.contracts.errors import BadInput, EnvironmentFailed
from load_tests import command, slo
from load_tests.cli import BENCHES, COMMANDS, exit_code
from load_tests.executions.logs import ArrivedLog, SentLog, save
from load_tests.report import build_loadtest_page
from load_tests.runner import Execution, Progress
from load_tests.scenarios.scenario import make
from load_tests.summary import summarise
from load_tests.system import Live, SystemOptions

START = 1_800_000_000_000_000


def execution(folder: Path) -> Execution:
    scenario = make("pipeline", {"rate": 100, "seconds": 6, "warmup": 1, "slice_ms": 100})
    where = Execution(scenario=scenario, system=SystemOptions(run_dir=folder, namespace="ns"), drain=5)
    where.folder.mkdir()
    return where


def sent_on_time() -> SentLog:
    due = START + 100_000 * np.arange(1, 71, dtype=np.int64)
    rows = np.full(70, 10, dtype=np.int64)
    return SentLog(due_us=due, begun_us=due, handed_us=due, rows=rows, event_id=np.arange(1, 701, dtype=np.uint64))


def answered(sent: SentLog, after_us: int, kept: slice = slice(None)) -> ArrivedLog:
    due = sent.per_event(sent.due_us)[kept]
    return ArrivedLog(row_id=sent.event_id[kept], intended_us=due, arrived_us=due + after_us)


def write(where: Execution, sent: SentLog, scores: ArrivedLog) -> None:
    save(where.sent_file, {"sent": sent})
    save(where.arrived_file, {"scores": scores, "decisions": scores})


def result(where: Execution, *limits: str, progress: Progress | None = None) -> dict[str, Any]:
    return summarise(where, progress or Progress(start_us=START), slo.parse_all(limits))


def test_warm_up_counts_for_losses_but_not_for_latency(tmp_path: Path) -> None:
    where, sent = execution(tmp_path), sent_on_time()
    scores = answered(sent, 40_000)
    scores.arrived_us[:100] += 3_000_000
    write(where, sent, scores)
    found = result(where, "max=40ms")
    assert (found["events_sent"], found["events_scored"], found["events_lost"]) == (700, 700, 0)
    assert found["latency_ms"]["count"] == 600
    assert found["latency_ms"]["max"] == 40.0
    assert found["achieved_rate"] == 100.0
    assert (found["passed"], exit_code(found)) == (True, 0)
    assert found["verdict"] == "All 3 objectives were met."
    assert [entry["second"] for entry in found["series"]] == list(range(6))


def test_every_missed_limit_is_in_the_verdict_with_its_value(tmp_path: Path) -> None:
    where, sent = execution(tmp_path), sent_on_time()
    write(where, sent, answered(sent, 40_000, slice(0, 690)))
    found = result(where, "p99=10ms", "p50=1s")
    assert exit_code(found) == 1
    assert found["verdict"] == "2 of 4 objectives missed: p99 40 ms, limit 10 ms; lost 10 events, limit 0 events."


def test_a_limit_without_any_measurement_is_missed(tmp_path: Path) -> None:
    where, sent = execution(tmp_path), sent_on_time()
    write(where, sent, ArrivedLog.empty())
    found = result(where, "p99=10ms", "lost=1000")
    assert found["slo"][0]["ok"] is None
    assert exit_code(found) == 1


def test_a_sender_that_was_late_is_named_and_the_rate_is_what_it_reached(tmp_path: Path) -> None:
    where, on_time = execution(tmp_path), sent_on_time()
    late = on_time.due_us + 20_000 + np.linspace(0, 6_000_000, 70).astype(np.int64)
    sent = SentLog(**(vars(on_time) | {"begun_us": late, "handed_us": late}))
    write(where, sent, answered(sent, 8_000_000))
    found = result(where)
    assert found["sender"]["kept_up"] is False
    assert (found["sender"]["slices"], found["sender"]["late_slices"]) == (70, 70)
    assert found["sender"]["worst_late_ms"] == pytest.approx(6_020)
    assert found["achieved_rate"] == pytest.approx(50, rel=0.01)


@pytest.mark.parametrize("failure", [None, EnvironmentFailed("the broker died")])
def test_a_load_that_never_began_has_a_valid_partial_summary_and_page(
    tmp_path: Path, failure: EnvironmentFailed | None
) -> None:
    found = result(execution(tmp_path), progress=Progress(partial=True, failure=failure))
    assert (found["events_sent"], found["achieved_rate"], found["latency_ms"]["p99"]) == (0, None, None)
    assert (found["partial"], found["passed"], found["series"]) == (True, False, [])
    assert exit_code(found) == 130
    assert ("the broker died" in found["verdict"]) == (failure is not None)
    environment = {"versions": {}, "python": "3.11", "cpu": "one"}
    page = command.page_input(found | {"command": "calmverse loadtest", "environment": environment})
    assert build_loadtest_page(page, tmp_path / "report.html").is_file()


def test_a_load_that_was_stopped_is_measured_as_far_as_it_came(tmp_path: Path) -> None:
    where, whole = execution(tmp_path), sent_on_time()
    cut = {name: values[:30] for name, values in vars(whole).items() if name != "event_id"}
    sent = SentLog(**cut, event_id=whole.event_id[:300])
    write(where, sent, answered(sent, 5_000))
    found = result(where, progress=Progress(start_us=START, partial=True))
    assert found["achieved_rate"] == pytest.approx(100)
    assert len(found["series"]) == 2
    assert found["verdict"] == "The load test was stopped early: there is no verdict."


def test_a_system_is_live_only_when_its_file_says_everything(tmp_path: Path) -> None:
    path = tmp_path / "live.json"
    assert Live.read(path) is None
    path.write_text('{"bootstrap": "127.0.0.1:1"')
    assert Live.read(path) is None
    path.write_text('{"bootstrap": "127.0.0.1:1", "namespace": "n", "pid": 1, "pids": {}, "services": {}}')
    assert Live.read(path) is None
    path.write_text(
        '{"bootstrap": "127.0.0.1:1", "namespace": "n", "pid": 1, "pids": {}, "services": {}, "fetch_wait_ms": 5,'
        ' "model_version": "m", "policy": "never", "more": 1}'
    )
    live = Live.read(path)
    assert live is not None
    assert (live.fetch_wait_ms, live.policy) == (5, "never")


def test_the_system_is_started_by_its_command_with_the_run_folder_of_the_load_test(tmp_path: Path) -> None:
    options = SystemOptions(run_dir=tmp_path, namespace="ns", policy="never", model=tmp_path / "model")
    assert options.command()[-9:] == [
        *("up", "--run-dir", str(tmp_path), "--namespace", "ns"),
        *("--model", str(tmp_path / "model"), "--policy", "never"),
    ]


def invoke(*arguments: str) -> BaseException | None:
    app = COMMANDS["loadtest"]
    assert isinstance(app, typer.Typer)
    return CliRunner().invoke(app, ["pipeline", *arguments]).exception


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rate", "100", "--slo", "p99=fast"), "--slo 'p99=fast' is not METRIC=LIMIT"),
        (("--rate", "0"), "--rate is 0"),
        (("--rate", "100", "--drain", "-1"), "--drain is -1"),
        (("--rate", "100", "--model", "no/such/model"), "--model no/such/model: there is nothing there"),
    ],
)
def test_bad_input_is_found_before_anything_is_started(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    problem = invoke(*arguments, "--runs", str(tmp_path / "runs"))
    assert isinstance(problem, BadInput)
    assert message in str(problem)
    assert not (tmp_path / "runs").exists()


def test_the_part_mounts_two_commands_and_no_benchmark() -> None:
    assert set(COMMANDS) == {"loadtest", "audit"}
    assert BENCHES == {}
