"""A worker that is killed in the middle of an epoch changes nothing but the time that a training takes."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from infra.hosting.ray_session import ray_session
from models.attention.model import AttentionConfig
from models.training.settings import TrainingConfig, TrainingRequest
from models.training.train import train
from tests.support.hidden_state import HiddenStatePopulation

pytestmark = [
    pytest.mark.integration,
    # Ray leaves sockets and files to the garbage collector, and warns of its own plans.
    pytest.mark.filterwarnings("ignore"),
]

MODEL = AttentionConfig(d_model=16, heads=2, layers=1, window=8, hidden=16)
TRAINING = TrainingConfig(
    seed=3, epochs=4, patience=4, horizon_min=5, time_share=0.9, batch_tokens=512, savepoint_steps=20
)
WITHIN_S = 120.0
WORKERS = 2


@pytest.fixture(scope="module", autouse=True)
def ray() -> Iterator[None]:
    with ray_session(cpus=6):
        yield


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    population = HiddenStatePopulation.simulate(people=300, minutes=120, seed=1)
    return population.write(tmp_path_factory.mktemp("hidden-state"))[0]


class Killer(threading.Thread):
    """Kills every training worker with SIGKILL once a savepoint in the middle of an epoch is there."""

    def __init__(self, savepoints: Path) -> None:
        super().__init__(name="killer", daemon=True)
        self.savepoints = savepoints
        self.killed: list[int] = []
        self.position: dict[str, int] = {}

    def run(self) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not (self.savepoints / "latest.json").exists() and time.monotonic() < deadline:
            os.sched_yield()
        self.position = json.loads((self.savepoints / "latest.json").read_text())["position"]
        for process in psutil.Process().children(recursive=True):
            if "RayTrainWorker" in " ".join(process.cmdline()):
                os.kill(process.pid, signal.SIGKILL)
                self.killed.append(process.pid)


def test_a_killed_worker_goes_on_from_the_newest_savepoint_and_the_weights_are_the_same(
    lake: Path, tmp_path: Path
) -> None:
    request = TrainingRequest(lake=lake, out_dir=tmp_path / "killed", model=MODEL, training=TRAINING, workers=WORKERS)
    killer = Killer(request.savepoints)
    killer.start()
    killed = train(request)
    killer.join(WITHIN_S)
    assert len(killer.killed) == WORKERS
    assert killer.position["step"] % TRAINING.savepoint_steps == 0
    undisturbed = train(replace(request, out_dir=tmp_path / "undisturbed"))
    for name, head in undisturbed.heads.items():
        assert killed.heads[name]["log_loss"] == pytest.approx(head["log_loss"], abs=1e-6)
    assert killed.version == undisturbed.version
    assert [each.validation_loss for each in killed.history] == [each.validation_loss for each in undisturbed.history]
