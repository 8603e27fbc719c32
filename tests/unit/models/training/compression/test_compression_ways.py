"""Rules of the ways to compress: what each changes, what it leaves, and what it may look at."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.attention.checkpoint import weights_of
from models.attention.model import AttentionConfig, AttentionModel
from models.training.batches import gather, plan
from models.training.bench import made_up
from models.training.compression import store
from models.training.compression.catalog import Material, way, ways
from models.training.compression.linear import linear_maps
from models.training.compression.material import learnable
from models.training.compression.settings import plans
from models.training.compression.ways.bf16 import Bf16Settings, widened
from models.training.compression.ways.distilled import DistilledSettings, Distilling, soft_loss, teacher_logits
from models.training.compression.ways.int8 import Int8Settings, quantise
from models.training.compression.ways.pruned import PrunedSettings, prune
from models.training.dataset import Dataset
from models.training.settings import TrainingConfig
from models.training.split import Role

CONFIG = AttentionConfig(d_model=8, heads=2, layers=1, window=8, hidden=8)
TRAINING = TrainingConfig(epochs=1, batch_tokens=2_048, learning_rate=3e-3)


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Trainings set torch's threads."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def dataset(people: int = 16) -> Dataset:
    """Everybody trains but one in ten, who validates, and one in five, who tests."""
    made = made_up(people, seed=1)
    return replace(made, role=np.where(made.person % 5 == 1, np.int8(Role.TEST), made.role).astype(np.int8))


def model(seed: int = 3) -> AttentionModel:
    torch.manual_seed(seed)
    return AttentionModel(CONFIG).eval()


def material(base: AttentionModel | None = None, data: Dataset | None = None) -> Material:
    lean = learnable(data or dataset(), CONFIG.context, 1.0, seed=1)
    return Material(base=base or model(), dataset=lean, training=TRAINING)


def logits(module: AttentionModel) -> torch.Tensor:
    data = dataset(4)
    objective = Distilling(material(data=dataset(8)), CONFIG.context, DistilledSettings())
    batch = gather(data, objective.pieces.take(plan(objective.pieces, 512, None)[0][:1]), data.known)
    with torch.inference_mode():
        found: torch.Tensor = module(*batch.inputs(torch.device("cpu")))
    return found


def test_every_way_is_found_and_leaves_the_base_as_it_is() -> None:
    assert ways() == ("bf16", "distilled", "int8", "pruned")
    stuff = material()
    before = weights_of(stuff.base)
    for name in ways():
        way(name).pack(stuff, way(name).settings)
    for name, array in weights_of(stuff.base).items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("recovery", [0, 1])
def test_pruning_zeroes_the_stated_share_of_linear_maps_and_nothing_else(recovery: int) -> None:
    stuff = material()
    chosen = PrunedSettings(sparsity=0.3, recovery=recovery)
    packed = way("pruned").pack(stuff, chosen)
    found = way("pruned").restore(packed.config, packed.arrays, chosen)
    kept = [each.weight for each in linear_maps(found).values()]
    zeros, count = (sum(int(each) for each in numbers) for numbers in zip(*map(_zeros, kept), strict=True))
    assert zeros == round(0.3 * count)
    base, after = weights_of(stuff.base), weights_of(found)
    mapped = {f"{path}.weight" for path in linear_maps(found)}
    largest = max(float(np.abs(base[name][after[name] == 0]).max(initial=0)) for name in mapped)
    assert largest <= min(float(np.abs(base[name][after[name] != 0]).min()) for name in mapped), "one threshold for all"
    if not recovery:
        for name in base:
            same = after[name] != 0 if name in mapped else np.ones(base[name].shape, dtype=np.bool_)
            np.testing.assert_array_equal(after[name][same], base[name][same])
    else:
        assert set(packed.about["validation_loss"]) == {"pruned", "recovered"}


def _zeros(weight: torch.Tensor) -> tuple[int, int]:
    return int((weight == 0).sum()), weight.numel()


def test_recovery_is_kept_only_where_validation_says_that_it_is_better() -> None:
    stuff = material()
    ruined = Material(base=stuff.base, dataset=stuff.dataset, training=replace(TRAINING, learning_rate=5.0))
    packed = way("pruned").pack(ruined, PrunedSettings())
    assert packed.about["validation_loss"]["recovered"] > packed.about["validation_loss"]["pruned"]
    assert not packed.about["recovered"]
    expected = model()
    prune(expected, 0.5)
    found = way("pruned").restore(packed.config, packed.arrays, PrunedSettings())
    for name, array in weights_of(expected).items():
        np.testing.assert_array_equal(weights_of(found)[name], array)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 6), st.integers(1, 40), st.integers(0, 2**31 - 1), st.floats(-30, 30))
def test_int8_is_off_by_at_most_half_a_step_of_its_own_channel(rows: int, columns: int, seed: int, size: float) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=(rows, columns)) * 10.0 ** random.uniform(-3, 3, (rows, 1)) * 2.0**size
    weight = torch.from_numpy(values.astype(np.float32))
    quantised, scale = quantise(weight)
    assert quantised.dtype == torch.int8
    assert int(quantised.to(torch.int32).abs().max()) <= 127
    step = weight.abs().amax(dim=1, keepdim=True).double() / 127
    error = (quantised.double() * scale.double() - weight.double()).abs()
    assert bool((error <= step * (0.5 + 1e-4)).all())


def test_a_channel_of_zeros_stays_zero_in_int8() -> None:
    quantised, scale = quantise(torch.zeros(2, 3))
    assert not quantised.any()
    assert torch.isfinite(scale).all()


@pytest.mark.parametrize("activations", ["int8", "float32"])
def test_int8_maps_are_near_the_maps_that_they_come_from(activations: str) -> None:
    chosen = Int8Settings(activations=activations)
    packed = way("int8").pack(material(), chosen)
    assert {array.dtype for name, array in packed.arrays.items() if name.endswith("project.weight")} == {
        np.dtype("int8")
    }
    found = way("int8").restore(packed.config, packed.arrays, chosen)
    difference = (logits(found) - logits(model())).abs().max()
    assert 0 < float(difference) < 0.05


def test_a_token_is_quantised_by_itself_whoever_is_beside_it() -> None:
    packed = way("int8").pack(material(), Int8Settings())
    found = way("int8").restore(packed.config, packed.arrays, Int8Settings())
    inner = found.layers[0].get_submodule("attention.project")
    x = torch.randn(5, 7, 8)
    together = inner(torch.cat([x, 1_000 * torch.randn(1, 7, 8)]))[:5]
    assert torch.equal(together, inner(x))


def test_bf16_values_are_those_of_bfloat16_and_take_half_the_bytes() -> None:
    packed = way("bf16").pack(material(), Bf16Settings())
    base = weights_of(model())
    for name, array in packed.arrays.items():
        assert array.nbytes * 2 == base[name].nbytes
        value = torch.from_numpy(widened(array))
        assert torch.equal(value.to(torch.bfloat16).float(), value), "representable"
        assert torch.equal(value, torch.from_numpy(base[name]).to(torch.bfloat16).float()), "the nearest"
    found = way("bf16").restore(packed.config, packed.arrays, Bf16Settings())
    assert {each.dtype for each in found.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("name", ["bf16", "distilled", "pruned"])
def test_what_is_kept_as_a_checkpoint_says_the_same_bit_for_bit(name: str) -> None:
    chosen = way(name)
    packed = chosen.pack(material(), chosen.settings)
    found = chosen.restore(packed.config, packed.arrays, chosen.settings)
    assert chosen.ordinary is not None
    plain = chosen.ordinary(found)
    assert {each.dtype for each in plain.parameters()} == {torch.float32}
    assert plain.state_dict().keys() == AttentionModel(packed.config).state_dict().keys()
    assert torch.equal(logits(plain), logits(found))


def test_bf16_arithmetic_is_near_the_model() -> None:
    chosen = Bf16Settings(arithmetic="bfloat16")
    packed = way("bf16").pack(material(), chosen)
    found = way("bf16").restore(packed.config, packed.arrays, chosen)
    assert 0 < float((logits(found) - logits(model())).abs().max()) < 0.1


@pytest.mark.parametrize("name", ["bf16", "distilled", "int8", "pruned"])
def test_what_is_read_back_is_what_was_written(name: str, tmp_path: Path) -> None:
    gone = plans({}, (name,), TRAINING)[name]
    packed = way(name).pack(material(), gone.settings)
    store.save(tmp_path / name, packed, gone, "parent")
    stored = store.load(tmp_path / name)
    assert stored.bytes_on_disk == (tmp_path / name / "weights.npz").stat().st_size
    direct = way(name).restore(packed.config, packed.arrays, gone.settings)
    assert torch.equal(logits(stored.model), logits(direct))
    assert not stored.model.training


def test_nobody_who_tests_is_learned_from() -> None:
    data = dataset()
    test = data.role == Role.TEST
    lean = learnable(data, CONFIG.context, 1.0, seed=1)
    assert test.any()
    assert not np.isin(lean.person, data.person[test]).any()
    tokens = replace(data.tokens, features=np.where(test[:, None], np.float32(7), data.tokens.features))
    other = replace(data, tokens=tokens, value=np.where(test[:, None], 1 - data.value, data.value))
    student, same = (way("distilled").pack(material(data=each), DistilledSettings()) for each in (data, other))
    for name, array in student.arrays.items():
        np.testing.assert_array_equal(array, same.arrays[name])


def test_a_share_of_people_is_that_share_of_labels() -> None:
    data = dataset(60)
    labelled = np.unique(data.person[(data.role == Role.TRAIN) & data.known.any(axis=1)])
    lean = learnable(data, CONFIG.context, 0.25, seed=1)
    kept = np.unique(lean.person[(lean.role == Role.TRAIN) & lean.known.any(axis=1)])
    assert 0 < len(kept) < len(labelled) / 2


def test_the_student_is_half_as_wide_and_one_layer_deep() -> None:
    packed = way("distilled").pack(material(), DistilledSettings())
    assert (packed.config.d_model, packed.config.hidden, packed.config.layers) == (4, 4, 1)
    assert packed.config.window == CONFIG.window
    assert packed.epochs == TRAINING.epochs


def test_the_teacher_is_asked_about_training_alone_and_about_kinds_that_have_labels() -> None:
    data = dataset()
    kinds = data.tokens.kind
    data = replace(data, known=data.known & np.stack([kinds % 2 == 0, np.ones(len(kinds), dtype=np.bool_)], axis=1))
    asked = np.isfinite(teacher_logits(model(), data, 256, 2_048))
    training = data.role == Role.TRAIN
    np.testing.assert_array_equal(asked[:, 0], training & (kinds % 2 == 0))
    np.testing.assert_array_equal(asked[:, 1], training)


def test_the_soft_loss_is_least_where_the_student_says_what_the_teacher_says() -> None:
    teacher = torch.tensor([[[0.5, float("nan")], [-2.0, 1.0]]])
    student = torch.nan_to_num(teacher).requires_grad_()
    (gradient,) = torch.autograd.grad(soft_loss(student, teacher, 3.0), student)
    assert float(gradient.abs().max()) < 1e-7
    moved = torch.tensor([[[0.5, 9.0], [-2.0, 1.0]]])
    torch.testing.assert_close(soft_loss(moved, teacher, 3.0), soft_loss(student.detach(), teacher, 3.0))
    # Hinton et al. 2015, section 2.1: the gradient of logits keeps its size, whatever the temperature.
    sizes = [_gradient(teacher, temperature) for temperature in (20.0, 40.0)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.01)


def _gradient(teacher: torch.Tensor, temperature: float) -> float:
    student = torch.zeros_like(teacher).requires_grad_()
    (gradient,) = torch.autograd.grad(soft_loss(student, teacher, temperature), student)
    return float(gradient.abs().sum())
