"""Rules of checkpoints: tensors and JSON, a version that names the weights, clear refusals."""

import json
from pathlib import Path

import pytest
import torch

from infra.contracts.errors import BadInput, EnvironmentFailed
from models.attention import checkpoint
from models.attention.model import AttentionConfig, AttentionModel

CONFIG = AttentionConfig(d_model=8, heads=2, layers=1, window=4, hidden=8)


def made(seed: int = 1) -> AttentionModel:
    torch.manual_seed(seed)
    return AttentionModel(CONFIG)


def test_a_checkpoint_gives_back_the_same_weights(tmp_path: Path) -> None:
    model = made()
    version = checkpoint.save(tmp_path / "model", model, {"metrics": {"lapse": {"auc": 0.7}}})
    loaded = checkpoint.load(tmp_path / "model")
    assert loaded.version == version
    assert loaded.info["metrics"] == {"lapse": {"auc": 0.7}}
    assert not loaded.model.training
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.model.state_dict()[name])


def test_the_version_names_the_weights(tmp_path: Path) -> None:
    versions = [checkpoint.save(tmp_path / str(index), made(seed), {}) for index, seed in enumerate((1, 1, 2))]
    assert versions[0] == versions[1] != versions[2]


def test_equal_weights_are_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        checkpoint.save(tmp_path / name, made(), {"seed": 1})
    for file in ("weights.npz", "checkpoint.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is not a checkpoint"):
        checkpoint.load(tmp_path)


def test_features_of_another_version_are_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, made(), {})
    info = json.loads((tmp_path / "checkpoint.json").read_text())
    (tmp_path / "checkpoint.json").write_text(json.dumps(info | {"features_version": "0-old"}))
    with pytest.raises(BadInput, match=r"0-old.*train it again"):
        checkpoint.load(tmp_path)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, made(), {})
    whole = (tmp_path / "weights.npz").read_bytes()
    (tmp_path / "weights.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="cannot be loaded"):
        checkpoint.load(tmp_path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailed, match="cannot write the checkpoint"):
        checkpoint.save(tmp_path / "file" / "model", made(), {})
