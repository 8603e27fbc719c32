"""A run at an MLflow server, by its REST API (mlflow.org/docs/latest/rest-api.html): no package of MLflow is needed.

A server that does not answer must not end a training: what it did not take is kept in `mlflow.json` beside the
checkpoint, and sent with what comes next, by whoever opens the log next. A metric that the server took is not sent
again, for MLflow would keep it twice.
"""

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from infra.contracts.errors import BadInput, EnvironmentFailed

EXPERIMENT: Final = "calmverse"
_STATE: Final = "mlflow.json"
_API: Final = "/api/2.0/mlflow"
_TIMEOUT_S: Final = 5.0
_MOST_METRICS, _MOST_PARAMS, _LONGEST = 1_000, 100, 250
"""Limits of a log-batch request, and of a parameter's value."""


def begin(folder: Path, address: str) -> None:
    """Begin a new run. Raises BadInput for an address that is none, EnvironmentFailed where nobody answers there."""
    with _client(address) as client:
        try:
            found = client.get("/experiments/get-by-name", params={"experiment_name": EXPERIMENT})
            if found.status_code == httpx.codes.NOT_FOUND:
                experiment = _post(client, "/experiments/create", {"name": EXPERIMENT})["experiment_id"]
            else:
                experiment = found.raise_for_status().json()["experiment"]["experiment_id"]
            name = "/".join(folder.resolve().parts[-2:])
            asked = {"experiment_id": experiment, "run_name": name, "start_time": _now_ms()}
            run = _post(client, "/runs/create", asked)["run"]["info"]["run_id"]
        except (httpx.HTTPError, KeyError, ValueError) as problem:
            raise EnvironmentFailed(
                f"no MLflow server answers at {_shown(client)} ({problem}): start it with `mlflow server`, or leave "
                "out --mlflow"
            ) from problem
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _STATE).write_text(json.dumps({"run": run, "last": {}, "unsent": []}))


def is_begun(folder: Path) -> bool:
    """Whether there is a run to go on with."""
    return (folder / _STATE).exists()


class MLflow:
    """The run of the training in `folder`, as `begin` has left it. Metrics are sent in batches."""

    def __init__(self, folder: Path, address: str) -> None:
        self._path = folder / _STATE
        self._state: dict[str, Any] = json.loads(self._path.read_text())
        self._client = _client(address)

    def record(self, step: int, values: Mapping[str, float]) -> None:
        """As `Tracker` says."""
        last = self._state["last"]
        now = _now_ms()
        for name, value in values.items():
            if last.get(name, -1) < step and math.isfinite(value):
                last[name] = step
                metric = {"key": name, "value": float(value), "timestamp": now, "step": step}
                self._state["unsent"].append(metric)
        if any(name.endswith("validation_loss") for name in values) or len(self._state["unsent"]) >= _MOST_METRICS:
            self._send()

    def conclude(self, settings: Mapping[str, Any], metrics: Mapping[str, float]) -> tuple[str, ...]:
        """As `Tracker` says: settings as parameters, metrics after the last step, and the run is finished."""
        self.record(max(self._state["last"].values(), default=0), metrics)
        texts = {name: ",".join(map(str, each)) if isinstance(each, tuple) else each for name, each in settings.items()}
        params = [{"key": name, "value": str(value)[:_LONGEST]} for name, value in texts.items()]
        batches = [params[begin : begin + _MOST_PARAMS] for begin in range(0, len(params), _MOST_PARAMS)]
        sent = self._send() and all(self._told("/runs/log-batch", {"params": batch}) for batch in batches)
        if sent and self._told("/runs/update", {"status": "FINISHED", "end_time": _now_ms()}):
            return ()
        return (
            f"the MLflow server did not take all of the log: what it lacks is in {self._path.parent / 'tensorboard'}",
        )

    def stopped(self) -> None:
        """As `Tracker` says."""
        self._told("/runs/update", {"status": "KILLED", "end_time": _now_ms()})

    def close(self) -> None:
        """As `Tracker` says."""
        self._send()
        self._client.close()

    def _send(self) -> bool:
        """Send what is not sent, and note down what that leaves; whether it leaves nothing."""
        unsent = self._state["unsent"]
        while unsent and self._told("/runs/log-batch", {"metrics": unsent[:_MOST_METRICS]}):
            del unsent[:_MOST_METRICS]
        scratch = self._path.with_suffix(".tmp")
        scratch.write_text(json.dumps(self._state))
        scratch.replace(self._path)
        return not unsent

    def _told(self, path: str, what: dict[str, Any]) -> bool:
        try:
            _post(self._client, path, {"run_id": self._state["run"], **what})
        except (httpx.HTTPError, ValueError):
            return False
        return True


def _client(address: str) -> httpx.Client:
    try:
        url = httpx.URL(address.rstrip("/"))
    except httpx.InvalidURL as problem:
        raise BadInput(f"--mlflow {address}: {problem}") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise BadInput(
            f"--mlflow {address}: give the address of an MLflow server, such as http://127.0.0.1:5000; for a folder, "
            "start one on it: mlflow server --backend-store-uri FOLDER"
        )
    return httpx.Client(base_url=f"{url}{_API}", timeout=_TIMEOUT_S)


def _shown(client: httpx.Client) -> str:
    """The address without a password."""
    return f"{client.base_url.scheme}://{client.base_url.netloc.decode()}"


def _post(client: httpx.Client, path: str, what: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = client.post(path, json=what).raise_for_status().json()
    return answer


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
