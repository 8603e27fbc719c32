"""Rules of a training's log: what is in it is what the training says of itself, each step once."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.contracts.errors import EnvironmentFailed
from models.attention.model import AttentionConfig
from models.training.savepoints import Position, Savepoints, State
from models.training.settings import PRETRAINING, TRAINING, Progress, TrainingConfig, TrainingRequest, TrainingResult
from models.training.tracking.tensorboard import TensorBoard, read_events
from models.training.train import train
from tests.support.hidden_state import HiddenStatePopulation

MODEL = AttentionConfig(d_model=16, heads=2, layers=1, window=8, hidden=16)
TRAINING_CONFIG = TrainingConfig(
    seed=3,
    epochs=2,
    horizon_min=5,
    time_share=0.9,
    batch_tokens=256,
    savepoint_steps=4,
    pretrain="masked",
    pretrain_epochs=1,
)
Series = dict[str, list[tuple[int, float]]]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    population = HiddenStatePopulation.simulate(people=120, minutes=60, seed=1)
    return population.write(tmp_path_factory.mktemp("hidden-state"))[0]


@pytest.fixture(scope="module")
def reports() -> list[Progress]:
    return []


@pytest.fixture(scope="module")
def done(lake: Path, reports: list[Progress], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrainingResult]:
    out = tmp_path_factory.mktemp("done")
    return out, train(request(lake, out, progress=reports.append))


def request(
    lake: Path, out: Path, *, resume: bool = False, progress: Callable[[Progress], None] | None = None
) -> TrainingRequest:
    return TrainingRequest(
        lake=lake,
        out_dir=out,
        model=MODEL,
        training=TRAINING_CONFIG,
        workers=0,
        resume=resume,
        progress=progress,
    )


def event_file(out: Path) -> Path:
    (path,) = (out / "tensorboard").iterdir()
    return path


def series(out: Path) -> Series:
    """(step, value) of each name, in the order of the file, which must be whole."""
    path, found, end = event_file(out), Series(), 0
    for end, event in read_events(path):  # noqa: B007  the end of the last is that of the file
        for value in event.summary.value:
            if value.HasField("simple_value"):
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    assert end == path.stat().st_size
    return found


def test_losses_in_the_log_are_those_of_the_history(done: tuple[Path, TrainingResult], reports: list[Progress]) -> None:
    found = series(done[0])
    assert [each.phase for each in reports] == [PRETRAINING, TRAINING, TRAINING]
    for phase in (PRETRAINING, TRAINING):
        epochs = [each for each in reports if each.phase == phase]
        ends = [step for step, _ in found[f"{phase}/validation_loss"]]
        assert [value for _, value in found[f"{phase}/validation_loss"]] == pytest.approx(
            [each.validation_loss for each in epochs]
        )
        begin = 0
        for end, epoch in zip(ends, epochs, strict=True):
            parts = [(step, loss) for step, loss in found[f"{phase}/loss"] if begin < step <= end]
            steps = [step - before for before, (step, _) in zip([begin, *(s for s, _ in parts)], parts, strict=False)]
            assert steps[:-1] == [10] * (len(steps) - 1)
            assert parts[-1][0] == end
            mean = sum(count * loss for count, (_, loss) in zip(steps, parts, strict=True)) / (end - begin)
            assert mean == pytest.approx(epoch.train_loss, rel=1e-5)
            begin = end


def test_the_log_tells_how_steps_went(done: tuple[Path, TrainingResult]) -> None:
    found = series(done[0])
    steps = [step for step, _ in found["training/loss"]]
    for name in ("learning_rate", "gradient_norm", "tokens_per_s", "input_wait_share"):
        assert [step for step, _ in found[f"training/{name}"]] == steps, name
    rates = [value for _, value in found["training/learning_rate"]]
    assert max(rates) <= TRAINING_CONFIG.learning_rate + 1e-9
    # The last step is at the foot of the cosine, the first record after the warm-up is near its top.
    assert rates[0] > 0.8 * TRAINING_CONFIG.learning_rate
    assert rates[-1] < 0.06 * TRAINING_CONFIG.learning_rate
    assert min(value for _, value in found["training/gradient_norm"]) > 0
    assert all(0 <= value < 1 for _, value in found["training/input_wait_share"])
    assert all(value > 0 for _, value in found["training/tokens_per_s"])


def test_settings_and_test_metrics_are_in_the_log(done: tuple[Path, TrainingResult]) -> None:
    found = series(done[0])
    for head, figures in done[1].heads.items():
        assert found[f"test/{head}/log_loss"][0][1] == pytest.approx(figures["log_loss"])
    parts = {value.tag: value for _, event in read_events(event_file(done[0])) for value in event.summary.value}
    text = parts["settings/text_summary"].tensor.string_val[0].decode()
    assert "| savepoint_steps | 4 |" in text
    assert "| d_model | 16 |" in text
    assert b"savepoint_steps" in parts["_hparams_/session_start_info"].metadata.plugin_data.content


class CutOff(Savepoints):
    """Savepoints of a training that is interrupted a while after it has saved `saves` times."""

    saves = 0

    def save(self, position: Position, shared: object, own: State) -> None:
        if type(self).saves == 0:
            raise KeyboardInterrupt
        super().save(position, shared, own)  # type: ignore[arg-type]  # passed on as it is
        type(self).saves -= 1


@pytest.mark.parametrize("saves", [2, 5])
def test_a_training_that_goes_on_tells_each_step_once(
    lake: Path, tmp_path: Path, done: tuple[Path, TrainingResult], monkeypatch: pytest.MonkeyPatch, saves: int
) -> None:
    CutOff.saves = saves
    with monkeypatch.context() as patch:
        patch.setattr("models.training.train.Savepoints", CutOff)
        with pytest.raises(KeyboardInterrupt):
            train(request(lake, tmp_path))
    assert event_file(tmp_path).stat().st_size > 0
    with event_file(tmp_path).open("ab") as file:  # killed in the middle of a record
        file.write(struct.pack("<Q", 50) + b"cut")
    resumed = train(request(lake, tmp_path, resume=True))
    assert resumed.version == done[1].version
    after, whole = series(tmp_path), series(done[0])
    assert after.keys() == whole.keys()
    for name, told in after.items():
        assert [step for step, _ in told] == [step for step, _ in whole[name]], name
        if name.endswith("loss"):
            assert [value for _, value in told] == [value for _, value in whole[name]], name


def test_a_new_training_begins_a_new_log(lake: Path, tmp_path: Path) -> None:
    train(request(lake, tmp_path))
    first = event_file(tmp_path).read_bytes()
    train(request(lake, tmp_path))
    assert len(series(tmp_path)["training/validation_loss"]) == 2
    assert event_file(tmp_path).read_bytes() != first


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "tensorboard").write_text("in the way of a folder")
    with pytest.raises(EnvironmentFailed, match="cannot write the training's log"):
        TensorBoard(tmp_path / "tensorboard")


def test_a_file_is_read_up_to_what_is_damaged(tmp_path: Path) -> None:
    log = TensorBoard(tmp_path / "tensorboard")
    for step in range(1, 4):
        log.record(step, {"loss": float(step)})
    log.close()
    path = event_file(tmp_path)
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    assert [event.step for _, event in read_events(path)] == [0, 1, 2]
