"""Rules of all pretraining: labels and unseen people have no part in it; what was cut off goes on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from infra.contracts.errors import BadInput
from models.attention.model import AttentionConfig, AttentionModel
from models.training.bench import made_up
from models.training.dataset import Dataset
from models.training.fitting import fit
from models.training.loop import Place
from models.training.pretraining.catalog import pretraining, pretrainings
from models.training.pretraining.trunk import load_trunk, pretrain
from models.training.pretraining.unlabelled import Unlabelled
from models.training.savepoints import Position, Savepoints, State, stopped_in
from models.training.settings import PRETRAINING, TRAINING, Progress, TrainingConfig, TrainingRequest, parse
from models.training.split import Role
from models.training.train import train
from tests.support.hidden_state import HiddenStatePopulation

MODEL = AttentionConfig(d_model=8, heads=2, layers=1, window=8, hidden=8, dropout=0.1)
CONFIG = TrainingConfig(
    seed=3, epochs=2, batch_tokens=1_024, horizon_min=5, time_share=0.9, savepoint_steps=3, pretrain_epochs=1
)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Some people with labels, some whose labels are not known, some who validate, some of the test."""
    made = made_up(20, 1)
    roles = np.array([Role.TRAIN, Role.UNLABELLED, Role.UNLABELLED, Role.VALIDATION, Role.TEST], dtype=np.int8)
    return replace(made, role=roles[made.person % np.uint64(5)])


def weights(dataset: Dataset, objective: str) -> dict[str, bytes]:
    found = pretrain(dataset, MODEL, replace(CONFIG, pretrain=objective), lambda *_: None, None, None)
    return {name: each.tobytes() for name, each in found.items()}


@pytest.mark.parametrize("objective", pretrainings())
def test_neither_labels_nor_people_who_validate_or_test_have_a_part(dataset: Dataset, objective: str) -> None:
    random = np.random.default_rng(5)
    order = random.permutation(len(dataset))
    others = np.isin(dataset.role, (int(Role.VALIDATION), int(Role.TEST)))
    features = np.where(others[:, None], np.float32(0.5), dataset.tokens.features)
    mixed = replace(
        dataset,
        value=1 - dataset.value[order],
        known=~dataset.known[order],
        tokens=replace(dataset.tokens, features=features, kind=np.where(others, 5, dataset.tokens.kind)),
    )
    first = weights(dataset, objective)
    assert weights(mixed, objective) == first
    seen = replace(dataset, tokens=replace(dataset.tokens, kind=np.where(others, dataset.tokens.kind, 5)))
    assert weights(seen, objective) != first


@pytest.mark.parametrize("objective", pretrainings())
def test_what_is_learned_without_labels_gets_better_and_then_labels_are_learned(objective: str, tmp_path: Path) -> None:
    lake = HiddenStatePopulation.simulate(people=150, minutes=40, seed=1).write(tmp_path)[0]
    reports: list[Progress] = []
    request = TrainingRequest(
        lake=lake,
        out_dir=tmp_path / "model",
        model=MODEL,
        training=replace(CONFIG, pretrain=objective, pretrain_epochs=2, label_share=0.5),
        workers=0,
        progress=reports.append,
    )
    result = train(request)
    first, second, *rest = reports
    assert [each.phase for each in reports] == ["pretraining", "pretraining", "training", "training"]
    assert second.train_loss < first.train_loss
    if objective != "contrastive":  # of which the few people who are held out say little
        assert second.validation_loss < first.validation_loss
    assert tuple(rest) == result.history
    assert pretraining(objective).meaning


def test_a_training_begins_with_the_trunk_and_with_heads_of_its_own(dataset: Dataset) -> None:
    found = pretrain(dataset, MODEL, replace(CONFIG, pretrain="masked"), lambda *_: None, None, None)
    model = AttentionModel(MODEL)
    before = {name: each.clone() for name, each in model.state_dict().items()}
    load_trunk(model, found)
    for name, each in model.state_dict().items():
        if name.startswith("heads."):
            assert name not in found
            assert torch.equal(each, before[name])
        else:
            assert np.array_equal(each.numpy(), found[name])
    load_trunk(model, {})
    assert all(name in before for name in model.state_dict())


class CutOff(Savepoints):
    """Savepoints of a training that is interrupted when it has saved `left` times in the phase `where`."""

    own, where, left = TRAINING, TRAINING, 0

    def phase(self, name: str) -> Savepoints:
        inner = super().phase(name)
        made = type(self)(inner._folder, inner._identity)
        made.own, made.where, made.left = name, self.where, self.left
        return made

    def save(self, position: Position, shared: object, own: State) -> None:
        super().save(position, shared, own)  # type: ignore[arg-type]  # passed on as it is
        self.left -= self.own == self.where
        if self.own == self.where and self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("objective", ["masked", "contrastive"])
@pytest.mark.parametrize("phase", [PRETRAINING, TRAINING])
def test_a_training_that_was_cut_off_in_either_phase_ends_as_one_that_was_not(
    dataset: Dataset, tmp_path: Path, objective: str, phase: str
) -> None:
    training = replace(CONFIG, pretrain=objective, savepoint_steps=1, batch_tokens=512)
    whole = fit(dataset, MODEL, training, lambda *_: None)
    cut_off = CutOff(tmp_path, "same")
    cut_off.where, cut_off.left = phase, 1
    with pytest.raises(KeyboardInterrupt):
        fit(dataset, MODEL, training, lambda *_: None, savepoints=cut_off)
    found = stopped_in(tmp_path)
    assert found is not None
    assert found[0] == phase
    phases: list[str] = []
    resumed = fit(
        dataset, MODEL, training, lambda told, _: phases.append(told.phase), savepoints=Savepoints(tmp_path, "same")
    )
    assert all(np.array_equal(whole.weights[name], resumed.weights[name]) for name in whole.weights)
    assert phases.count(TRAINING) == len(whole.history)
    assert (PRETRAINING in phases) == (phase == PRETRAINING)


def test_what_cannot_be_pretrained_is_refused(dataset: Dataset) -> None:
    with pytest.raises(BadInput, match="there are: contrastive, masked, next_event, none"):
        parse({"pretrain": "dreaming"})
    for changed in ({"pretrain_epochs": 0}, {"pretrain_learning_rate": 0}):
        with pytest.raises(BadInput, match="must be above 0"):
            parse(changed)
    both_ways = replace(MODEL, mechanism="bidirectional")
    with pytest.raises(BadInput, match="'bidirectional' sees the next event"):
        pretrain(dataset, both_ways, replace(CONFIG, pretrain="next_event"), lambda *_: None, None, None)
    nobody = replace(dataset, role=np.full_like(dataset.role, Role.TEST))
    with pytest.raises(BadInput, match="nothing to pretrain on"):
        pretrain(nobody, MODEL, replace(CONFIG, pretrain="masked"), lambda *_: None, None, None)


def test_every_part_of_a_pretrained_module_has_a_gradient(dataset: Dataset) -> None:
    """Workers that share gradients wait for those of every parameter."""
    for name in pretrainings():
        trunk = AttentionModel(MODEL)
        trunk.heads = nn.ModuleDict()
        module, objective = pretraining(name).begin(Unlabelled.of(dataset, CONFIG), trunk, CONFIG, Place())
        objective.loss(module, next(objective.batches([np.arange(8)], 0))).backward()  # type: ignore[no-untyped-call]
        assert [key for key, each in module.named_parameters() if each.grad is None] == [], name
