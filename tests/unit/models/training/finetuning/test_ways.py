"""Rules of the ways to fine-tune: how each starts, what it trains, and what it leaves."""

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from infra.contracts.errors import BadInput
from models.attention import catalog
from models.attention.checkpoint import load, save, version_of, weights_of
from models.attention.model import AttentionConfig, AttentionModel
from models.features.tokens import FEATURE_COUNT
from models.features.vocabulary import KIND_COUNT
from models.training.finetuning.catalog import FULL, way, ways
from models.training.finetuning.parts import trainable
from models.training.finetuning.ways.adapter import AdapterSettings
from models.training.finetuning.ways.lora import TARGETS, LoraSettings

CONFIG = AttentionConfig(d_model=16, heads=2, layers=2, window=6, hidden=24)
EVERYTHING = LoraSettings(rank=2, alpha=3.0, targets=TARGETS, whole=("heads", "norms"))


def base(mechanism: str = "banded") -> AttentionModel:
    torch.manual_seed(1)
    return AttentionModel(replace(CONFIG, mechanism=mechanism)).eval()


def tokens() -> tuple[Tensor, ...]:
    """Made-up inputs of three people with 20 tokens."""
    random = torch.Generator().manual_seed(3)
    return (
        torch.randint(1, KIND_COUNT, (3, 20), generator=random, dtype=torch.int16),
        torch.randn(3, 20, FEATURE_COUNT, generator=random),
        torch.zeros(3, 20, dtype=torch.int32),
        torch.randint(0, 900_000_000, (3, 20), generator=random).cumsum(1),
        torch.ones(3, 20, dtype=torch.bool),
    )


def started(name: str, settings: Any = None, mechanism: str = "banded") -> AttentionModel:  # noqa: ANN401  each way has its own
    chosen = way(name)
    return chosen.start(base(mechanism), chosen.settings if settings is None else settings).eval()


def stepped(model: AttentionModel, steps: int = 3) -> AttentionModel:
    """A few steps of the loop's optimiser towards answers that are always yes."""
    learning = [each for each in model.parameters() if each.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=0.05)
    for _ in range(steps):
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.softplus(-model(*tokens())).mean().backward()  # type: ignore[no-untyped-call]  # torch does not type it
        optimiser.step()
    return model


def changed(before: AttentionModel, after: AttentionModel) -> set[str]:
    """Names of the tensors that are not bit for bit what they were."""
    old, new = weights_of(before), weights_of(after)
    return {name for name in old if old[name].tobytes() != new[name].tobytes()}


@pytest.mark.parametrize("name", ways())
def test_every_way_starts_at_what_the_base_says_bit_for_bit(name: str) -> None:
    settings = EVERYTHING if name == "lora" else None
    assert torch.equal(started(name, settings)(*tokens()), base()(*tokens()))


@pytest.mark.parametrize("mechanism", catalog.mechanisms())
def test_a_merged_lora_says_what_it_said_before_for_every_mechanism(mechanism: str) -> None:
    model = stepped(started("lora", EVERYTHING, mechanism))
    with torch.inference_mode():
        before = model(*tokens())
        after = way("lora").finish(model).eval()(*tokens())
        assert (before - after).abs().max() < 1e-6
        assert (before - base(mechanism)(*tokens())).abs().max() > 0.01


def test_lora_adds_the_scaled_product_of_the_paper_to_the_rows_of_its_map() -> None:
    model = stepped(started("lora", LoraSettings(rank=2, alpha=3.0, targets=("k",), whole=())))
    layer: Any = model.layers[0]
    added = layer.attention.project.parametrizations.weight[0]
    expected = layer.attention.project.parametrizations.weight.original.clone()
    expected[16:32] += 3.0 / 2 * added.b_or @ added.a_rc
    merged: Any = way("lora").finish(model).layers[0]
    assert torch.allclose(merged.attention.project.weight, expected, atol=1e-7)
    assert float(added.b_or.detach().abs().max()) > 0


def test_a_merged_lora_is_an_ordinary_checkpoint_with_the_version_of_its_tensors(tmp_path: Any) -> None:  # noqa: ANN401  a path
    merged = way("lora").finish(stepped(started("lora")))
    assert merged.config == base().config
    assert set(weights_of(merged)) == set(weights_of(base()))
    version = save(tmp_path, merged, {})
    stored = load(tmp_path)
    assert (
        version
        == stored.version
        == version_of(weights_of(stored.model), base().config)
        != version_of(weights_of(base()), base().config)
    )


def test_a_checkpoint_with_adapters_says_so_and_loads(tmp_path: Any) -> None:  # noqa: ANN401  a path
    model = way("adapter").finish(stepped(started("adapter", AdapterSettings(bottleneck=3))))
    save(tmp_path, model, {})
    stored = load(tmp_path)
    assert stored.model.config.adapter == 3
    assert torch.equal(stored.model(*tokens()), model.eval()(*tokens()))
    last = stored.model(*tokens(), last=2)
    assert torch.allclose(last, stored.model(*tokens())[:, -2:], atol=1e-5)


def test_a_model_without_adapters_has_the_version_that_it_had_before_there_were_any() -> None:
    assert "adapter" not in base().config.as_dict()
    assert replace(CONFIG, adapter=2).as_dict()["adapter"] == 2


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("full", None, None),
        ("attention", None, "attention."),
        ("lora", LoraSettings(targets=("q", "v"), whole=()), "attention.project.weight"),
        ("lora", LoraSettings(targets=("down",), whole=("heads",)), ("perceptron.3.weight", "heads.")),
        ("lora", LoraSettings(targets=("features",), whole=("",)), "features.weight"),
        ("adapter", AdapterSettings(whole=()), ()),
        ("adapter", None, ("heads.", "norm", "perceptron.0.")),
    ],
)
def test_only_what_a_way_declares_changes_and_the_rest_is_bit_for_bit_the_same(
    name: str,
    settings: Any,  # noqa: ANN401  each way has its own
    expected: str | tuple[str, ...] | None,
) -> None:
    found = changed(base(), way(name).finish(stepped(started(name, settings))))
    every = set(weights_of(base()))
    parts = (expected,) if isinstance(expected, str) else expected
    assert found == (every if parts is None else {each for each in every if any(part in each for part in parts)})


def test_the_padding_and_other_rows_of_a_fused_map_stay() -> None:
    model = way("lora").finish(stepped(started("lora", LoraSettings(targets=("k", "kind"), whole=()))))
    old, new = weights_of(base()), weights_of(model)
    for rows, same in ((slice(0, 16), True), (slice(16, 32), False), (slice(32, 48), True)):
        name = "layers.0.attention.project.weight"
        assert (old[name][rows].tobytes() == new[name][rows].tobytes()) == same
    assert not new["kind.weight"][0].any()


def test_parameters_are_counted_by_their_formula() -> None:
    width, hidden, layers, heads = 16, 24, 2, 2 * (16 + 1)
    lora = started("lora", LoraSettings(rank=2, targets=("q", "o", "up", "down"), whole=("heads",)))
    assert trainable(lora) == layers * 2 * (2 * width + 2 * width + 2 * (width + hidden)) + heads
    adapted = started("adapter", AdapterSettings(bottleneck=3, whole=()))
    assert trainable(adapted) == layers * 2 * (2 * width * 3 + width + 3)
    assert trainable(started(FULL)) == sum(each.numel() for each in base().parameters())


def test_settings_that_a_model_does_not_fit_are_refused() -> None:
    for settings, message in (
        ({"rank": 0}, "must be above 0"),
        ({"targets": ("w",)}, "targets=w: no map is called so"),
    ):
        with pytest.raises(BadInput, match=message):
            LoraSettings(**settings)
    with pytest.raises(BadInput, match="bottleneck=0 must be above 0"):
        AdapterSettings(bottleneck=0)
    with pytest.raises(BadInput, match="rank=17 is more than q has: it is 16 by 16"):
        started("lora", LoraSettings(rank=17))
    with pytest.raises(BadInput, match="whole=biases: what may train whole is heads, norms"):
        started("lora", LoraSettings(whole=("biases",)))
    with pytest.raises(BadInput, match="has adapters already"):
        way("adapter").start(copy.deepcopy(started("adapter")), AdapterSettings())
    with pytest.raises(BadInput, match="there are: full, adapter, attention, lora"):
        way("prefix")
