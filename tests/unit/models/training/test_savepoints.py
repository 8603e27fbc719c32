"""Rules of savepoints: a training that was cut off ends as one that was not."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from infra.contracts.errors import BadInput, EnvironmentFailed
from models.attention.model import AttentionConfig
from models.training.savepoints import Position, Savepoints, State
from models.training.settings import TrainingConfig, TrainingRequest, TrainingResult
from models.training.train import train
from tests.support.hidden_state import HiddenStatePopulation
from tests.support.model_commands import app

MODEL = AttentionConfig(d_model=16, heads=2, layers=1, window=8, hidden=16, dropout=0.2)
TRAINING = TrainingConfig(
    seed=3, epochs=2, horizon_min=5, time_share=0.9, batch_tokens=1_024, savepoint_steps=2, threads=1
)


class CutOff(Savepoints):
    """Savepoints of a training that is interrupted when it has saved `saves` times."""

    saves = 0

    def save(self, position: Position, shared: object, own: State) -> None:
        super().save(position, shared, own)  # type: ignore[arg-type]  # passed on as it is
        type(self).saves -= 1
        if type(self).saves == 0:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    population = HiddenStatePopulation.simulate(people=150, minutes=60, seed=1)
    return population.write(tmp_path_factory.mktemp("hidden-state"))[0]


@pytest.fixture(scope="module")
def undisturbed(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return train(request(lake, tmp_path_factory.mktemp("undisturbed")))


def request(lake: Path, out: Path, *, resume: bool = False, training: TrainingConfig = TRAINING) -> TrainingRequest:
    return TrainingRequest(lake=lake, out_dir=out, model=MODEL, training=training, workers=0, resume=resume)


def cut_off(lake: Path, out: Path, saves: int) -> None:
    CutOff.saves = saves
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.training.train.Savepoints", CutOff)
        with pytest.raises(KeyboardInterrupt):
            train(request(lake, out))


@pytest.mark.parametrize("saves", [1, 2, 5])
def test_a_training_that_was_cut_off_ends_with_the_weights_of_one_that_was_not(
    lake: Path, tmp_path: Path, undisturbed: TrainingResult, saves: int
) -> None:
    cut_off(lake, tmp_path, saves)
    resumed = train(request(lake, tmp_path, resume=True))
    assert resumed.version == undisturbed.version
    assert resumed.heads == undisturbed.heads
    losses = [(each.train_loss, each.validation_loss) for each in resumed.history]
    assert losses == [(each.train_loss, each.validation_loss) for each in undisturbed.history]
    assert not (tmp_path / "training").exists()


def test_ctrl_c_says_how_to_go_on_and_the_command_does(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["train", "--lake", str(lake), "--out", str(tmp_path / "out"), "--workers", "0"]
    for setting in ("epochs=1", "horizon_min=5", "d_model=8", "layers=1", "batch_tokens=1024", "savepoint_steps=2"):
        words += ["--set", setting]
    CutOff.saves = 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.training.train.Savepoints", CutOff)
        stopped = CliRunner().invoke(app(), words)
    assert stopped.exit_code == 130
    assert "saved in epoch 1 after 2 steps: go on with --resume" in " ".join(stopped.stderr.split())
    assert CliRunner().invoke(app(), [*words, "--resume"]).exit_code == 0
    assert (tmp_path / "out" / "weights.npz").exists()


def test_without_resume_it_begins_anew(lake: Path, tmp_path: Path, undisturbed: TrainingResult) -> None:
    cut_off(lake, tmp_path, 3)
    assert train(request(lake, tmp_path)).version == undisturbed.version


def test_nothing_to_resume_is_told(lake: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing to resume"):
        train(request(lake, tmp_path, resume=True))


def test_a_training_with_other_settings_is_not_continued(lake: Path, tmp_path: Path) -> None:
    cut_off(lake, tmp_path, 1)
    other = TrainingConfig(seed=4, epochs=2, horizon_min=5, time_share=0.9, batch_tokens=1_024, savepoint_steps=3)
    with pytest.raises(BadInput, match="other data or other settings"):
        train(request(lake, tmp_path, resume=True, training=other))


def test_a_damaged_savepoint_is_named(lake: Path, tmp_path: Path) -> None:
    cut_off(lake, tmp_path, 1)
    shared = next((tmp_path / "training").rglob("shared.pt"))
    shared.write_bytes(shared.read_bytes()[:100])
    with pytest.raises(BadInput, match=r"shared\.pt cannot be read"):
        train(request(lake, tmp_path, resume=True))


def test_a_disk_that_fails_leaves_the_savepoint_before(tmp_path: Path) -> None:
    savepoints = Savepoints(tmp_path, "same")
    savepoints.save(Position(epoch=0, step=3), lambda: {"weight": torch.ones(2)}, {"losses": [1.0]})
    (tmp_path / "0-6").write_text("in the way of a folder")
    with pytest.raises(EnvironmentFailed, match="cannot save the training"):
        savepoints.save(Position(epoch=0, step=6), lambda: {"weight": torch.zeros(2)}, {"losses": []})
    found = savepoints.newest()
    assert found is not None
    assert found[0] == Position(epoch=0, step=3)
    assert torch.equal(found[1]["weight"], torch.ones(2))
    assert found[2] == {"losses": [1.0]}


def test_a_full_disk_is_named_and_a_training_goes_on_when_there_is_room(
    lake: Path, tmp_path: Path, undisturbed: TrainingResult
) -> None:
    cut_off(lake, tmp_path, 2)
    with (
        room_for(1_000),
        pytest.raises(EnvironmentFailed, match="File too large; free space, then go on with --resume"),
    ):
        train(request(lake, tmp_path, resume=True))
    assert train(request(lake, tmp_path, resume=True)).version == undisturbed.version


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file grows beyond `size` bytes: the system refuses what is more, as it does when a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_savepoint_counts_only_when_every_worker_has_written_its_part(tmp_path: Path) -> None:
    def away() -> None:
        raise RuntimeError("a worker is gone")

    savepoints = Savepoints(tmp_path, "same", everybody_is_here=away)
    with pytest.raises(EnvironmentFailed, match="a worker is gone"):
        savepoints.save(Position(epoch=0, step=3), dict, {})
    assert savepoints.newest() is None


def test_a_rank_that_was_not_there_has_no_state_of_its_own(tmp_path: Path) -> None:
    Savepoints(tmp_path, "same").save(Position(epoch=1, step=2), lambda: {"a": 1}, {"b": 2})
    assert Savepoints(tmp_path, "same", rank=1).newest() == (Position(epoch=1, step=2), {"a": 1}, None)
