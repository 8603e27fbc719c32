"""Rules of a training, on a small population with a hidden state, in this process."""

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.contracts.errors import BadInput
from models.attention import catalog, checkpoint
from models.attention.model import AttentionConfig
from models.training.settings import Progress, TrainingConfig, TrainingRequest, TrainingResult, parse
from models.training.train import train
from tests.support.hidden_state import HiddenStatePopulation

MODEL = AttentionConfig(d_model=16, heads=2, layers=1, window=8, hidden=16)
QUICK = TrainingConfig(seed=3, epochs=2, horizon_min=5, time_share=0.9, batch_tokens=1_024)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Roots of a lake and of its truth."""
    root = tmp_path_factory.mktemp("hidden-state")
    return HiddenStatePopulation.simulate(people=200, minutes=60, seed=1).write(root)


def run(lake: Path, out: Path, truth: Path | None = None, **settings: object) -> TrainingResult:
    request: dict[str, Any] = {
        "lake": lake,
        "out_dir": out,
        "truth": truth,
        "model": MODEL,
        "training": QUICK,
        "workers": 0,
    }
    return train(TrainingRequest(**(request | settings)))


def test_a_training_leaves_a_checkpoint_with_its_metrics(made: tuple[Path, Path], tmp_path: Path) -> None:
    reports: list[Progress] = []
    result = run(made[0], tmp_path / "model", made[1], progress=reports.append)
    stored = checkpoint.load(tmp_path / "model")
    assert stored.version == result.version
    assert stored.info["metrics"] == result.heads
    assert stored.info["training"]["seed"] == 3
    assert [each.epoch for each in reports] == [1, 2]
    assert tuple(reports) == result.history
    assert result.history[1].validation_loss < result.history[0].validation_loss
    for head in result.heads.values():
        assert head["truth_share"] == 1.0
        assert head["latent_oracle_log_loss"] < head["log_loss"] < head["base_log_loss"] + 0.02


def test_the_same_lake_and_seed_give_the_same_weights_and_the_truth_has_no_part(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    first = run(made[0], tmp_path / "first", made[1])
    shutil.copytree(made[0], tmp_path / "lake")
    second = run(tmp_path / "lake", tmp_path / "second")  # no truth anywhere near it
    for name, weights in checkpoint.weights_of(checkpoint.load(tmp_path / "first").model).items():
        other = checkpoint.weights_of(checkpoint.load(tmp_path / "second").model)[name]
        assert weights.tobytes() == other.tobytes(), name
    assert first.version == second.version
    assert second.heads["lapse"]["latent_oracle_log_loss"] is None
    assert run(made[0], tmp_path / "third", training=TrainingConfig(seed=4, epochs=1)).version != first.version


def test_a_head_without_labels_is_left_out_with_a_note(made: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copytree(made[0] / "events", tmp_path / "lake" / "events")
    result = run(tmp_path / "lake", tmp_path / "model")
    assert list(result.heads) == ["interaction"]
    assert any("'lapse' is left out" in note for note in result.notes)
    assert checkpoint.load(tmp_path / "model").model.config.outputs == ("interaction",)


def test_ticks_limit_what_is_read(made: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no events in ticks 5 to 9"):
        run(made[0], tmp_path / "model", ticks=range(5, 9))


def test_an_empty_lake_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no events"):
        run(tmp_path, tmp_path / "model")


def test_a_corrupt_file_is_named(made: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copytree(made[0], tmp_path / "lake")
    file = next((tmp_path / "lake" / "events").rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(BadInput, match=file.name):
        run(tmp_path / "lake", tmp_path / "model")


def test_labels_of_one_class_are_refused(made: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"labels of head 'interaction' is 0"):
        # Answers come 20 s after the exposure: within a second there are none.
        run(made[0], tmp_path / "model", training=TrainingConfig(horizon_min=1 / 60, time_share=0.9))


def test_it_stops_when_validation_no_longer_gains(made: tuple[Path, Path], tmp_path: Path) -> None:
    settings = TrainingConfig(
        seed=3, epochs=40, patience=1, learning_rate=0.05, horizon_min=5, time_share=0.9, batch_tokens=1_024
    )
    history = run(made[0], tmp_path / "model", training=settings).history
    losses = [each.validation_loss for each in history]
    assert len(losses) < 40
    assert np.argmin(losses) == len(losses) - 2


def test_smoothed_labels_change_what_is_learned_and_never_what_is_reported(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    plain = run(made[0], tmp_path / "plain")
    none = run(made[0], tmp_path / "none", training=replace(QUICK, label_smoothing=0.0))
    smooth = run(made[0], tmp_path / "smooth", training=replace(QUICK, label_smoothing=0.3))
    assert none.version == plain.version != smooth.version
    # Scored on smoothed labels, nothing could be below the entropy of the smoothing itself, 0.42 nats.
    assert smooth.history[-1].train_loss > 0.42
    assert smooth.history[-1].validation_loss < smooth.history[-1].train_loss - 0.02
    with pytest.raises(BadInput, match="label_smoothing"):
        replace(QUICK, label_smoothing=0.5)


def joint(outputs: tuple[str, ...], *weights: str) -> dict[str, Any]:
    """Settings of `run` for these heads and weights."""
    return {"model": replace(MODEL, outputs=outputs), "training": replace(QUICK, epochs=3, head_weights=weights)}


def test_heads_of_two_and_of_many_classes_train_together(made: tuple[Path, Path], tmp_path: Path) -> None:
    result = run(made[0], tmp_path / "model", made[1], **joint(("next_kind", "interaction", "emotion")))
    assert list(result.heads) == ["next_kind", "interaction"]
    assert any("'emotion' is left out" in note for note in result.notes)
    assert checkpoint.load(tmp_path / "model").info["metrics"] == result.heads
    kind, interaction = result.heads["next_kind"], result.heads["interaction"]
    assert kind["beats_base"]
    assert kind["log_loss"] < kind["base_log_loss"] - 0.02
    assert kind["accuracy"] >= kind["base_accuracy"]
    assert kind["rates"][kind["classes"].index("MessageDelivered")] > 0.1
    assert interaction["latent_oracle_log_loss"] < interaction["log_loss"] < interaction["base_log_loss"] + 0.02


def test_a_heavier_head_is_learned_better_and_equal_weights_change_nothing(
    made: tuple[Path, Path], tmp_path: Path
) -> None:
    both = ("lapse", "next_kind")
    plain = run(made[0], tmp_path / "plain", **joint(both))
    equal = run(made[0], tmp_path / "equal", **joint(both, "lapse:3", "next_kind:3"))
    lapse = run(made[0], tmp_path / "lapse", **joint(both, "lapse:1", "next_kind:0.01"))
    kind = run(made[0], tmp_path / "kind", **joint(both, "lapse:0.01", "next_kind:1"))
    assert plain.version == equal.version
    assert lapse.heads["lapse"]["log_loss"] < kind.heads["lapse"]["log_loss"]
    assert kind.heads["next_kind"]["log_loss"] < lapse.heads["next_kind"]["log_loss"]


@pytest.mark.parametrize("mechanism", catalog.mechanisms())
def test_every_mechanism_learns(made: tuple[Path, Path], tmp_path: Path, mechanism: str) -> None:
    result = run(made[0], tmp_path / "model", model=replace(MODEL, mechanism=mechanism, outputs=("lapse",)))
    assert result.history[1].train_loss < result.history[0].train_loss - 0.01
    assert checkpoint.load(tmp_path / "model").model.config.mechanism == mechanism


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("lapse", "'lapse' must be NAME:NUMBER"),
        ("lapse:much", "'lapse:much' must be NAME:NUMBER"),
        ("lapse:0", "must be above 0; leave a head out"),
        ("lapse:inf", "must be above 0"),
        ("lapse:nan", "must be above 0"),
        ("emotion:2", "'emotion', which is no output of this model: the outputs are interaction, lapse"),
    ],
)
def test_weights_of_heads_that_mean_nothing_are_refused(weights: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        parse({"head_weights": f"interaction:1,{weights}"})


def test_weights_of_heads_are_scaled_to_a_mean_of_one() -> None:
    _, training = parse({"head_weights": "lapse:0.5, interaction:1.5"})
    assert training.weights(("interaction", "lapse")).tolist() == [1.5, 0.5]
    assert training.weights(("interaction",)).tolist() == [1.0]
    assert TrainingConfig().weights(("interaction", "lapse")).tolist() == [1.0, 1.0]
    with pytest.raises(BadInput, match="no output of this model"):
        TrainingRequest(lake=Path(), out_dir=Path(), training=TrainingConfig(head_weights=("emotion:1",)))


def test_settings_are_read_from_text_and_unknown_ones_are_refused() -> None:
    model, training = parse({"d_model": "64", "outputs": "lapse", "learning_rate": "0.01", "seed": 7})
    assert (model.d_model, model.outputs, training.learning_rate, training.seed) == (64, ("lapse",), 0.01, 7)
    with pytest.raises(BadInput, match="did you mean d_model"):
        parse({"d_modle": 3})
    with pytest.raises(BadInput, match="must be of type int"):
        parse({"epochs": "many"})
    with pytest.raises(BadInput, match="above 0"):
        parse({"epochs": 0})
    assert math.isclose(parse({"horizon_min": 0})[1].horizon_us or 0, 0)
