"""Rules of who trains a model: training and oracle agree on it, and a folder that does not tell is named."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.errors import BadInput
from infra.contracts.split import PeopleSplit
from models.training.settings import TrainingConfig
from models.training.split import Role, roles


@given(st.integers(0, 2**31), st.floats(0.1, 0.6), st.floats(0.1, 0.3))
def test_unseen_are_the_people_of_the_test(seed: int, train_share: float, validation_share: float) -> None:
    split = PeopleSplit(seed=seed, train_share=train_share, validation_share=validation_share)
    config = TrainingConfig(seed=seed, train_share=train_share, validation_share=validation_share)
    person = np.arange(1, 500, dtype=np.uint64) * np.uint64(7_919)
    role = roles(person, np.arange(len(person), dtype=np.int64), config)
    assert np.array_equal(split.unseen(person), role == Role.TEST)
    assert abs(split.unseen(person).mean() - (1 - train_share - validation_share)) < 0.1


def test_a_checkpoint_tells_its_split(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.json").write_text(
        '{"training": {"seed": 3, "train_share": 0.6, "validation_share": 0.2, "epochs": 4}}'
    )
    assert PeopleSplit.of_checkpoint(tmp_path) == PeopleSplit(seed=3, train_share=0.6, validation_share=0.2)


@pytest.mark.parametrize("text", [None, "{", "{}", '{"training": {"seed": 3}}', "[]"])
def test_a_folder_that_does_not_tell_is_named(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "checkpoint.json").write_text(text)
    with pytest.raises(BadInput, match="does not say whom a model was trained on"):
        PeopleSplit.of_checkpoint(tmp_path)
