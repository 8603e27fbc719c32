"""Rules of the exported program and of the measurement of speed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.attention.model import AttentionConfig, AttentionModel
from models.evaluation.compression.export import export
from models.evaluation.compression.speed import Rates, measure
from models.training.batches import cut, gather
from models.training.bench import made_up


def inputs(people: int, tokens: int, seed: int = 1) -> tuple[Tensor, ...]:
    """A batch of made-up people, padded on the right."""
    data = made_up(4 * people, seed)
    pieces = cut(data.person, np.ones(len(data), dtype=np.bool_), 8, tokens)
    length = pieces.stop - pieces.start
    chosen = np.flatnonzero(length == length[length <= tokens].max())[:people]
    return gather(data, pieces.take(chosen), data.known).inputs(torch.device("cpu"))


def test_the_program_says_what_the_model_says_for_any_number_of_people_and_tokens(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = AttentionModel(AttentionConfig(d_model=8, heads=2, layers=1, window=8, hidden=8)).eval()
    batches = [inputs(3, 64), inputs(5, 128)]
    assert batches[0][0].shape != batches[1][0].shape
    found = export(model, batches, tmp_path / "model.pt2")
    assert found.free
    assert found.batches == 2
    assert found.same
    assert found.difference <= 1e-5
    assert found.as_dict()["bytes_on_disk"] == (tmp_path / "model.pt2").stat().st_size
    with torch.inference_mode():
        other = inputs(2, 32, seed=2)
        torch.testing.assert_close(found.run(*other), model(*other), atol=1e-5, rtol=0)


def test_a_batch_of_one_makes_a_program_of_one_shape(tmp_path: Path) -> None:
    model = AttentionModel(AttentionConfig(d_model=4, heads=1, layers=1, window=4, hidden=4)).eval()
    found = export(model, [inputs(1, 32), inputs(2, 64)], tmp_path / "model.pt2")
    assert not found.free
    assert found.batches == 1
    assert found.same


def test_every_pass_is_timed_as_often_over_real_tokens() -> None:
    called: list[str] = []
    batch = inputs(2, 32)
    passes = {name: _Counting(name, called) for name in ("a", "b", "c")}
    rates = measure(passes, [batch], rounds=4)
    assert {name: len(each) for name, each in rates.of.items()} == {"a": 4, "b": 4, "c": 4}
    assert called[3:] == list("bcacababcbca"), "nobody always comes first"


def test_the_ratio_is_of_the_same_round() -> None:
    base = [1.0, 10.0, 100.0, 1_000.0, 10_000.0]
    rates = Rates({"way": [2 * each for each in base], "base": base})
    assert rates.ratio("way", "base", seed=1) == {"value": 2.0, "ci_low": 2.0, "ci_high": 2.0}
    assert rates.median("base") == pytest.approx(100.0)


class _Counting:
    def __init__(self, name: str, called: list[str]) -> None:
        self._name, self._called = name, called

    def __call__(self, *given: Tensor) -> Tensor:
        self._called.append(self._name)
        return given[1]
