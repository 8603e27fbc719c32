"""tail, doctor and the bench as far as they need no broker."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from infra import cli, doctor
from infra.bus.bench_events import make_events
from infra.bus.messages import Received, Undecodable
from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.contracts.events import EVENT
from infra.contracts.frames import Frame
from infra.contracts.kinds import KIND_BY_NAME
from infra.tail import rows_of, target_of_run


def received(rows: int) -> Received:
    frame = Frame(stream="events", tick=7, source="test", batch=make_events(rows, 1), attributes={"note": "x"})
    return Received("calm.ns.events", 2, 40, frame)


def test_a_tailed_event_has_readable_names_and_says_where_it_stood() -> None:
    rows = list(rows_of(received(50)))
    assert len(rows) == 50
    for row in rows:
        assert row["kind"] in KIND_BY_NAME
        assert row["world"] in {"social", "learning", "work", "gaming", "medical"}
        assert row["occurred_at"].startswith("20")
        assert (row["tick"], row["source"], row["partition"], row["offset"]) == (7, "test", 2, 40)
        assert None not in row.values()
    json.dumps(rows)


def test_sensitive_content_is_not_shown() -> None:
    shown = [row["sensitive"] for row in rows_of(received(500)) if "sensitive" in row]
    assert shown
    assert set(shown) == {"withheld"}


def test_records_that_are_no_frames_are_passed_over() -> None:
    assert list(rows_of(Received("t", 0, 0, Undecodable("torn")))) == []


def test_a_run_that_is_not_live_cannot_be_tailed(tmp_path: Path) -> None:
    (tmp_path / "one" / "lake").mkdir(parents=True)
    with pytest.raises(EnvironmentFailed, match="run one is not live"):
        target_of_run(tmp_path, "one")
    (tmp_path / "one" / "live.json").write_text("{}")
    with pytest.raises(BadInput, match=r"live\.json cannot be read"):
        target_of_run(tmp_path, "one")
    (tmp_path / "one" / "live.json").write_text('{"bootstrap": "a:1", "namespace": "one"}')
    target = target_of_run(tmp_path, "one")
    assert (target.bootstrap, target.namespace, target.is_over()) == ("a:1", "one", False)


def test_made_up_events_are_events_and_the_same_for_a_seed() -> None:
    assert make_events(300, 4).schema == EVENT.arrow
    assert make_events(300, 4) == make_events(300, 4)
    make_events(300, 4).validate(full=True)


def test_a_failing_check_is_a_finding_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> tuple[bool, str]:
        raise EnvironmentFailed("no broker today")

    for name in ("_echo", "_ray"):
        monkeypatch.setattr(doctor, name, fail)
    findings = {check.name: check for check in doctor.examine(tmp_path / "not" / "yet" / "there")}
    assert (findings["broker"].ok, findings["broker"].found) == (False, "no broker today")
    assert findings["Ray"].advice == "run `make setup`"
    assert findings["Python"].ok
    assert findings["packages"].ok, findings["packages"].found
    assert findings["disk"].needed
    assert doctor.as_document(list(findings.values()))["ok"] is False


def app() -> typer.Typer:
    whole = typer.Typer(pretty_exceptions_enable=False)
    for name in ("tail", "doctor"):
        body = cli.COMMANDS[name]
        assert not isinstance(body, typer.Typer)
        whole.command(name)(body)
    return whole


def test_doctor_prints_one_json_object_and_fails_when_something_needed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    check = doctor.Check(name="broker", needed=True, ok=False, found="none", advice="start one")
    monkeypatch.setattr(doctor, "examine", lambda _directory: iter([check]))
    result = CliRunner().invoke(app(), ["doctor", "--json"])
    assert isinstance(result.exception, EnvironmentFailed)
    assert json.loads(result.stdout.splitlines()[-1])["ok"] is False


def test_tail_wants_bootstrap_and_namespace_together() -> None:
    result = CliRunner().invoke(app(), ["tail", "--bootstrap", "a:1"])
    assert isinstance(result.exception, BadInput)


def test_the_commands_of_this_part_are_these() -> None:
    assert (set(cli.COMMANDS), set(cli.BENCHES)) == ({"broker", "tail", "deadletters", "doctor"}, {"bus", "eos"})


def test_payloads_of_other_families_are_null_in_made_up_events() -> None:
    events = pa.Table.from_batches([make_events(500, 2)])
    assert 0 < events["gaze"].null_count < 500
    assert events["medical"].null_count < 500
