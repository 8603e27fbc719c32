"""Rules of a training on Ray, pretraining included: the same weights as in one process, workers share gradients."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.hosting.ray_session import ray_session
from models.attention.model import AttentionConfig
from models.training.settings import Progress, TrainingConfig, TrainingRequest
from models.training.tracking.tensorboard import read_events
from models.training.train import train
from tests.support.hidden_state import HiddenStatePopulation

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(600),
    # Ray leaves sockets and files to the garbage collector, and warns of its own plans.
    pytest.mark.filterwarnings("ignore"),
]

MODEL = AttentionConfig(d_model=16, heads=2, layers=1, window=8, hidden=16)
TRAINING = TrainingConfig(
    seed=3, epochs=2, horizon_min=5, time_share=0.9, batch_tokens=1_024, pretrain="masked", pretrain_epochs=1
)


@pytest.fixture(scope="module", autouse=True)
def ray() -> Iterator[None]:
    with ray_session(cpus=6):
        yield


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    population = HiddenStatePopulation.simulate(people=200, minutes=60, seed=1)
    return population.write(tmp_path_factory.mktemp("hidden-state"))[0]


def request(lake: Path, out: Path, workers: int, reports: list[Progress]) -> TrainingRequest:
    return TrainingRequest(
        lake=lake, out_dir=out, model=MODEL, training=TRAINING, workers=workers, progress=reports.append
    )


def logged(out: Path) -> list[tuple[int, str, float]]:
    """Step, name and value of each loss in the event file."""
    (path,) = (out / "tensorboard").iterdir()
    values = [(event.step, value) for _, event in read_events(path) for value in event.summary.value]
    return [(step, value.tag, value.simple_value) for step, value in values if value.tag.endswith("loss")]


def test_one_worker_gives_the_weights_of_a_plain_process(lake: Path, tmp_path: Path) -> None:
    reports: list[Progress] = []
    on_ray = train(request(lake, tmp_path / "ray", 1, reports))
    plain = train(request(lake, tmp_path / "plain", 0, []))
    assert on_ray.version == plain.version
    assert (tmp_path / "ray" / "weights.npz").read_bytes() == (tmp_path / "plain" / "weights.npz").read_bytes()
    assert [(each.phase, each.epoch) for each in reports] == [("pretraining", 1), ("training", 1), ("training", 2)]
    assert on_ray.heads == plain.heads
    assert logged(tmp_path / "ray") == logged(tmp_path / "plain")
    assert {"pretraining/loss", "training/loss", "training/validation_loss"} <= {
        name for _, name, _ in logged(tmp_path / "ray")
    }


def test_two_workers_learn_about_as_well_as_one(lake: Path, tmp_path: Path) -> None:
    two = train(request(lake, tmp_path / "two", 2, []))
    one = train(request(lake, tmp_path / "one", 0, []))
    losses = [value for _, name, value in logged(tmp_path / "two") if name == "training/validation_loss"]
    assert losses == pytest.approx([each.validation_loss for each in two.history])
    for name, head in two.heads.items():
        assert abs(head["log_loss"] - one.heads[name]["log_loss"]) < 0.05
    assert two.version != one.version
