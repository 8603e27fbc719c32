"""Rules of the log at an MLflow server, held against a server that takes only what MLflow's REST API allows."""

import json
import math
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from infra.contracts.errors import BadInput, EnvironmentFailed
from models.training.tracking import mlflow
from models.training.tracking.mlflow import MLflow
from models.training.tracking.tracker import Tracking, begun, opened


class Server(ThreadingHTTPServer):
    """What MLflow would keep: experiments, runs, metrics in the order in which they came, parameters."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.experiments: dict[str, str] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.down = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """Answers as the REST API is described; what does not fit is refused with 400."""

    server: Server
    FIELDS: ClassVar[dict[str, dict[str, type]]] = {
        "experiments/create": {"name": str},
        "runs/create": {"experiment_id": str, "run_name": str, "start_time": int},
        "runs/update": {"run_id": str, "status": str, "end_time": int},
        "runs/log-batch": {"run_id": str, "metrics": list, "params": list},
    }

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        assert path == "/api/2.0/mlflow/experiments/get-by-name"
        found = self.server.experiments.get(query.partition("=")[2])
        self.answer(200, {"experiment": {"experiment_id": found}}) if found else self.answer(404, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = self.path.removeprefix("/api/2.0/mlflow/")
        fields = self.FIELDS.get(name, {})
        right = all(isinstance(value, fields.get(key, ())) for key, value in body.items())
        if self.server.down:
            self.answer(503, {})
        elif not right or self.headers["content-type"] != "application/json":
            self.answer(400, {"error_code": "INVALID_PARAMETER_VALUE"})
        else:
            self.answer(*self.taken(name, body))

    def taken(self, name: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        server = self.server
        if name == "experiments/create":
            server.experiments[body["name"]] = "7"
            return 200, {"experiment_id": "7"}
        if name == "runs/create":
            run = f"run-{len(server.runs)}"
            server.runs[run] = {"metrics": [], "params": {}, "status": "RUNNING"}
            return (200, {"run": {"info": {"run_id": run}}}) if body["experiment_id"] == "7" else (404, {})
        kept = server.runs[body["run_id"]]
        if name == "runs/update":
            kept["status"] = body["status"]
            return 200, {}
        metrics, params = body.get("metrics", []), body.get("params", [])
        good = len(metrics) <= 1_000 and len(params) <= 100 and all(len(each["value"]) <= 250 for each in params)
        good &= all(each.keys() == {"key", "value", "timestamp", "step"} for each in metrics)
        good &= all(math.isfinite(each["value"]) and each["timestamp"] > 1e12 for each in metrics)
        if not good:
            return 400, {}
        kept["metrics"] += [(each["step"], each["key"], each["value"]) for each in metrics]
        kept["params"] |= {each["key"]: each["value"] for each in params}
        return 200, {}

    def answer(self, status: int, document: dict[str, Any]) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_training_is_a_run_with_its_steps_settings_and_metrics(server: Server, tmp_path: Path) -> None:
    tracking = Tracking(out_dir=tmp_path / "model", mlflow=server.address)
    with begun(tracking, resume=False):
        with opened(tracking) as log:
            log.record(10, {"training/loss": 0.7, "training/learning_rate": math.nan})
            log.record(12, {"training/validation_loss": 0.6})
        with opened(tracking) as log:
            assert log.conclude({"epochs": 2, "outputs": ("lapse",)}, {"test/lapse/auc": 0.8}) == ()
    (run,) = server.runs.values()
    assert run["metrics"] == [
        (10, "training/loss", 0.7),
        (12, "training/validation_loss", 0.6),
        (12, "test/lapse/auc", 0.8),
    ]
    assert run["params"] == {"epochs": "2", "outputs": "lapse"}
    assert run["status"] == "FINISHED"


def test_a_training_that_goes_on_is_the_same_run_and_tells_no_step_twice(server: Server, tmp_path: Path) -> None:
    tracking = Tracking(out_dir=tmp_path, mlflow=server.address)

    def cut_off() -> None:
        with begun(tracking, resume=False), opened(tracking) as log:
            log.record(10, {"loss": 0.7})
            log.record(20, {"loss": 0.6})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_off()
    assert server.runs["run-0"]["status"] == "KILLED"
    with begun(tracking, resume=True), opened(tracking) as log:
        log.record(20, {"loss": 0.6})
        log.record(30, {"loss": 0.5})
    assert list(server.runs) == ["run-0"]
    assert server.runs["run-0"]["metrics"] == [(10, "loss", 0.7), (20, "loss", 0.6), (30, "loss", 0.5)]


def test_what_a_server_does_not_take_is_sent_later(server: Server, tmp_path: Path) -> None:
    mlflow.begin(tmp_path, server.address)
    server.down = True
    log = MLflow(tmp_path, server.address)
    for step in range(1, 1_203):
        log.record(step, {"loss": 1 / step})
    log.close()
    assert server.runs["run-0"]["metrics"] == []
    again = MLflow(tmp_path, server.address)
    (note,) = again.conclude({}, {})
    assert "did not take all" in note
    server.down = False
    again.close()
    assert [step for step, _, _ in server.runs["run-0"]["metrics"]] == list(range(1, 1_203))


def test_an_address_that_is_none_and_a_server_that_is_away_are_told(server: Server, tmp_path: Path) -> None:
    for address in ("file:/tmp/runs", "127.0.0.1:5000", "http://"):
        with pytest.raises(BadInput, match="give the address of an MLflow server"):
            mlflow.begin(tmp_path, address)
    server.down = True
    with pytest.raises(EnvironmentFailed, match="no MLflow server answers at http://127"):
        mlflow.begin(tmp_path, server.address.replace("//", "//user:secret@"))
