"""Rules of the model: causal, bounded in what it sees, the same bits whoever else is in the batch."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from infra.contracts.errors import BadInput
from models.attention import catalog
from models.attention.model import AttentionConfig, AttentionModel
from models.features.tokens import FEATURE_COUNT
from models.features.vocabulary import KIND_COUNT

CONFIG = AttentionConfig(d_model=16, heads=2, window=6, hidden=24, item_buckets=8)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def model(config: AttentionConfig = CONFIG) -> AttentionModel:
    torch.manual_seed(5)
    made = AttentionModel(config).eval()
    for layer in made.layers:
        torch.nn.init.normal_(layer.attention.time_bias)  # type: ignore[arg-type, union-attr]  # a Parameter
    return made


def inputs(batch: int, tokens: int, seed: int = 0) -> list[Tensor]:
    random = torch.Generator().manual_seed(seed)
    return [
        torch.randint(1, KIND_COUNT, (batch, tokens), generator=random, dtype=torch.int16),
        torch.randn(batch, tokens, FEATURE_COUNT, generator=random),
        torch.randint(0, 9, (batch, tokens), generator=random, dtype=torch.int32),
        torch.randint(0, 900_000_000, (batch, tokens), generator=random).cumsum(1),
        torch.ones(batch, tokens, dtype=torch.bool),
    ]


def scores(made: AttentionModel, columns: list[Tensor], last: int | None = None) -> Tensor:
    with torch.inference_mode():
        out: Tensor = made(*columns, last=last)
    return out


def test_one_logit_a_head_and_token() -> None:
    assert scores(model(), inputs(3, 20)).shape == (3, 20, len(CONFIG.outputs))


@pytest.mark.parametrize("last", [1, 2, 7, 40])
def test_scoring_the_last_tokens_equals_the_whole_forward(last: int) -> None:
    made, columns = model(), inputs(4, 60)
    torch.testing.assert_close(scores(made, columns, last), scores(made, columns)[:, -last:], rtol=0, atol=1e-5)


def test_a_score_depends_on_the_context_and_on_nothing_before() -> None:
    made, columns = model(), inputs(4, 60)
    whole = scores(made, columns)[:, -1:]
    enough = [column[:, -CONFIG.context :] for column in columns]
    torch.testing.assert_close(scores(made, enough, 1), whole, rtol=0, atol=1e-5)
    too_few = [column[:, 1 - CONFIG.context :] for column in columns]
    assert (scores(made, too_few, 1) - whole).abs().max() > 1e-5


def test_padding_on_either_side_changes_nothing() -> None:
    made, columns = model(), inputs(3, 25)
    whole = scores(made, columns)

    def padded(side: tuple[int, int]) -> list[Tensor]:
        wide = inputs(3, 25 + sum(side), seed=9)  # what stands in the padding must not matter
        for column, mine in zip(wide, columns, strict=True):
            column[:, side[0] : side[0] + 25] = mine
        wide[4] = torch.zeros_like(wide[4])
        wide[4][:, side[0] : side[0] + 25] = True
        return wide

    for side in ((11, 0), (0, 9), (5, 6)):
        got = scores(made, padded(side))[:, side[0] : side[0] + 25]
        torch.testing.assert_close(got, whole, rtol=0, atol=1e-5)


def test_it_is_causal() -> None:
    made, columns = model(), inputs(2, 30)
    before = scores(made, columns)
    columns[1][:, 20:] += 1
    after = scores(made, columns)
    assert torch.equal(before[:, :20], after[:, :20])
    assert not torch.equal(before[:, 20:], after[:, 20:])


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 32, 33])
@pytest.mark.parametrize("last", [1, 2, 8])
def test_a_rows_bits_do_not_depend_on_its_place_or_on_the_other_rows(rows: int, last: int) -> None:
    config = AttentionConfig()
    made, tokens = model(config), config.context - 1 + last
    columns = inputs(rows, tokens, seed=rows)
    got = scores(made, columns, last)
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(1))
    assert torch.equal(scores(made, [column[order] for column in columns], last), got[order])
    others = inputs(rows, tokens, seed=99)
    for column, mine in zip(others, columns, strict=True):
        column[rows // 2] = mine[rows // 2]
    assert torch.equal(scores(made, others, last)[rows // 2], got[rows // 2])


def test_items_count_only_when_they_are_on() -> None:
    columns = inputs(2, 10)
    other = [column.clone() for column in columns]
    other[2] = (other[2] + 1) % 9
    assert not torch.equal(scores(model(), columns), scores(model(), other))
    off = model(AttentionConfig(d_model=16, heads=2, window=6, item_buckets=0))
    assert torch.equal(scores(off, columns), scores(off, other))


def test_heads_and_mechanisms_are_found_by_discovery() -> None:
    assert catalog.heads() == ("emotion", "interaction", "lapse", "next_kind")
    assert catalog.mechanisms() == (
        *("banded", "bidirectional", "causal", "dynamic", "multi_head", "self_attention", "soft", "time_decayed"),
    )
    for name in catalog.heads():
        assert catalog.head(name).name == name
    with pytest.raises(BadInput, match="there are: emotion, interaction, lapse, next_kind"):
        catalog.head("sleep")


@pytest.mark.parametrize(
    "wrong", [{"d_model": 30}, {"window": 0}, {"dropout": 1.0}, {"outputs": ()}, {"item_buckets": -1}]
)
def test_impossible_sizes_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        AttentionConfig(**wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_a_config_survives_json() -> None:
    assert AttentionConfig.from_dict(CONFIG.as_dict()) == CONFIG
    with pytest.raises(BadInput, match="not the settings"):
        AttentionConfig.from_dict({**CONFIG.as_dict(), "depth": 3})


def test_an_untrained_model_is_a_function_of_the_seed() -> None:
    first, second = (np.concatenate([p.detach().numpy().ravel() for p in model().parameters()]) for _ in range(2))
    assert first.tobytes() == second.tobytes()
