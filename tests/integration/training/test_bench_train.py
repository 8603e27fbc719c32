"""Rules of `bench train`: the same batches for everybody, and ratios of what was measured."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from models.attention.model import AttentionConfig
from models.training.bench import TrainBench, made_up, plain_loop, run_bench
from models.training.settings import TrainingConfig

SMALL = AttentionConfig(d_model=8, heads=2, layers=1, window=4, hidden=8)


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore")  # Ray leaves sockets and files to the garbage collector
def test_lanes_are_compared_within_a_round() -> None:
    told: list[str] = []
    found = run_bench(TrainBench(people=60, epochs=2, rounds=1, model=SMALL), told.append)
    (only,) = found["rounds"]
    assert found["ratio"] == pytest.approx(only["ray_1"] / only["plain_1"], abs=0.001)
    assert found["efficiency_2_workers"] == pytest.approx(only["ray_2"] / only["plain_2"], abs=0.001)
    assert 0 < found["input_wait_fraction"] < 1
    assert len(told) == 1


def without_ray(*, cpus: int) -> nullcontext[int]:
    return nullcontext(cpus)


def test_every_round_trains_from_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []

    def remembered(_bench: TrainBench, folder: Path) -> dict[str, float]:
        folders.append(folder)
        return dict.fromkeys(("plain_1", "ray_1", "plain_2", "ray_2", "waited"), 1.0)

    monkeypatch.setattr("models.training.bench._round", remembered)
    monkeypatch.setattr("models.training.bench.ray_session", without_ray)
    run_bench(TrainBench(rounds=3), lambda _: None)
    assert len(set(folders)) == 3  # savepoints of one would be gone on from in the next


def test_a_plain_loop_measures_its_epochs_after_the_first() -> None:
    training = TrainingConfig(epochs=2, batch_tokens=512)
    assert plain_loop(made_up(30, 1), SMALL, training) > 0


def test_the_made_up_data_depend_on_the_seed_alone() -> None:
    assert made_up(40, 1).digest() == made_up(40, 1).digest() != made_up(40, 2).digest()
