"""The forward pass on a real Ray Serve."""

import contextlib
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest
import torch

from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.hosting.ray_session import ray_session
from infra.telemetry import names
from infra.telemetry.setup import Telemetry
from infra.telemetry.spans import read_spans
from models.attention.checkpoint import save
from models.attention.model import AttentionConfig, AttentionModel
from models.serving.local import load
from models.serving.scorer import Scorer
from models.serving.shapes import Forward, PaddedBatch
from tests.support.activity import Crowd
from tests.support.hosted import eventually

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Ray Serve uses what pydantic has deprecated
    import ray

    from models.serving import app

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

PATIENCE = app.Patience(call_s=120.0, total_s=300.0)

OTHER_PROCESS = """
import sys
from models.serving.app import connect
from tests.integration.serving.test_serve import lapses
print(lapses(connect(sys.argv[1])).hex(), "torch" in sys.modules)
"""


def lapses(forward: Forward) -> bytes:
    crowd, scorer = Crowd(150, seed=5), Scorer(forward)
    scores = [scorer.step(crowd.tick(tick)) for tick in range(4)]
    return bytes(pa.Table.from_batches(scores).column("lapse").to_numpy().tobytes())


def replicas() -> list[psutil.Process]:
    """The replicas below this process; Ray's idle workers may end while one looks."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "ServeReplica" in " ".join(process.cmdline()):
                found.append(process)
    return found


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(4)
    directory = tmp_path_factory.mktemp("checkpoint")
    save(directory, AttentionModel(AttentionConfig()), {})
    return directory


@pytest.fixture(scope="module")
def spans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spans")


@pytest.fixture(scope="module")
def served(checkpoint: Path, spans: Path) -> Iterator[app.ServeForward]:
    with ray_session(4):
        yield app.deploy(checkpoint, app.Deployment(spans_dir=spans), PATIENCE)


def test_serve_and_local_answer_the_same_bits(served: app.ServeForward, checkpoint: Path) -> None:
    local = load(checkpoint)
    assert served.card == local.card
    assert lapses(served) == lapses(local) == lapses(load(checkpoint, threads=3))


def test_another_process_connects_by_address(served: app.ServeForward) -> None:
    address = ray.get_runtime_context().gcs_address
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-c", OTHER_PROCESS, address]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == lapses(served).hex()


def test_a_replica_writes_its_span_into_the_callers_trace(
    served: app.ServeForward, spans: Path, tmp_path: Path
) -> None:
    with Telemetry("caller", tmp_path) as telemetry, telemetry.tracer.start_as_current_span("call") as span:
        traceparent = f"00-{span.get_span_context().trace_id:032x}-{span.get_span_context().span_id:016x}-01"
        Scorer(served).step(Crowd(20).tick(0), traceparent)

    def parents() -> list[str]:
        found = read_spans(spans)
        return [str(row["parent_id"]) for row in found.iter_rows(named=True) if row["name"] == names.FORWARD]

    eventually(lambda: traceparent.split("-")[2] in parents(), "the replica's span")


def test_a_killed_replica_is_waited_for(served: app.ServeForward) -> None:
    before = lapses(served)
    (replica,) = replicas()
    replica.kill()
    assert lapses(served) == before


def test_a_forward_pass_that_fails_says_so_at_once(served: app.ServeForward) -> None:
    batch = PaddedBatch(2, 1, *(np.zeros((1, 1), dtype=np.float32) for _ in range(5)))  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(EnvironmentFailed, match="failed in its replica"):
        served([batch])


@pytest.mark.usefixtures("served")
def test_an_unknown_application_says_what_is_missing() -> None:
    with pytest.raises(EnvironmentFailed, match="'nothing'"):
        app.connect(ray.get_runtime_context().gcs_address, "nothing")


@pytest.mark.usefixtures("served")
def test_a_directory_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not a checkpoint"):
        app.deploy(tmp_path, app.Deployment(app="other"))
