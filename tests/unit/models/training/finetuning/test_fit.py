"""Rules of what a fine-tuning trains on: the labels of one world, of some people, and the rows that they need."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from infra.contracts.errors import BadInput
from models.attention.model import AttentionConfig, AttentionModel
from models.features.worlds import in_worlds
from models.training.batches import cut
from models.training.dataset import Dataset, prepare
from models.training.finetuning.fit import fit_way, needed, of_world
from models.training.finetuning.settings import plans
from models.training.lake import read_directly
from models.training.loop import predict
from models.training.settings import TrainingConfig, TrainingRequest, parse
from models.training.split import Role
from tests.support.hidden_state import HiddenStatePopulation

MODEL = AttentionConfig(d_model=8, heads=2, layers=2, window=6, hidden=8)
TRAINING = TrainingConfig(seed=3, epochs=1, horizon_min=5, time_share=0.9, batch_tokens=512)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of people who now work, now play."""
    population = HiddenStatePopulation.simulate(people=100, minutes=60, seed=2, game_every=30)
    return population.write(tmp_path_factory.mktemp("worlds"))[0]


@pytest.fixture(scope="module")
def dataset(lake: Path) -> Dataset:
    return read(lake)


def read(lake: Path, *worlds: str) -> Dataset:
    training = replace(TRAINING, worlds=worlds)
    request = TrainingRequest(lake=lake, out_dir=lake, model=MODEL, training=training)
    return prepare(request, read_directly).dataset


def test_a_training_limited_to_worlds_takes_its_labels_from_them_and_tests_on_all(lake: Path, dataset: Dataset) -> None:
    limited = read(lake, "work")
    working, tested = in_worlds(dataset.tokens.features, ("work",)), dataset.role == Role.TEST
    assert (limited.known == dataset.known & (working | tested)[:, None]).all()
    assert 0 < limited.known[~tested].sum() < dataset.known[~tested].sum()
    assert (limited.role == dataset.role).all()
    assert limited.digest() != dataset.digest()
    with pytest.raises(BadInput, match="no labels to train any head"):
        read(lake, "medical")


def test_worlds_are_read_from_text_and_unknown_ones_are_refused() -> None:
    assert parse({"worlds": "social, work"})[1].worlds == ("social", "work")
    with pytest.raises(BadInput, match="no world is called 'wrok'; there are: social"):
        parse({"worlds": "wrok"})


def test_a_share_of_the_people_keeps_the_labels_of_some_who_train_and_of_all_who_test(dataset: Dataset) -> None:
    whole, some = of_world(dataset, "gaming"), of_world(dataset, "gaming", share=0.4, seed=1)
    assert (some.known <= whole.known).all()
    tested = dataset.role == Role.TEST
    assert (some.known[tested] == whole.known[tested]).all()
    people = [np.unique(each.person[each.known.any(axis=1) & ~tested]) for each in (whole, some)]
    assert 0.2 < len(people[1]) / len(people[0]) < 0.6
    of_them = np.isin(dataset.person, people[1]) & ~tested
    assert (some.known[of_them] == whole.known[of_them]).all(), "whoever is drawn keeps all labels"


def test_rows_that_no_score_depends_on_are_left_out_and_no_score_moves(dataset: Dataset) -> None:
    torch.manual_seed(1)
    model, context = AttentionModel(MODEL).eval(), MODEL.context
    target = of_world(dataset, "gaming")
    lean = needed(target, context)
    assert len(lean) < 0.8 * len(target)
    for role in (Role.TRAIN, Role.VALIDATION):
        said = []
        for each in (target, lean):
            scored = each.scored(role)
            pieces = cut(each.person, scored, context, 64)
            said.append(predict(model, each, pieces, 512)[scored])
        assert said[0].shape == said[1].shape
        assert np.abs(said[0] - said[1]).max() < 1e-5


def test_a_head_without_labels_in_the_world_stays_bit_for_bit(dataset: Dataset) -> None:
    torch.manual_seed(1)
    base = AttentionModel(MODEL)
    index = dataset.heads.index("lapse")
    gaming = in_worlds(dataset.tokens.features, ("gaming",))
    known = dataset.known.copy()
    known[gaming, index] = False
    target = of_world(replace(dataset, known=known), "gaming")
    assert target.heads == ("interaction",)
    tuned = fit_way(base, needed(target, MODEL.context), plans({}, ("full",), TRAINING, "gaming")["full"], seed=1)
    old, new = base.state_dict(), tuned.model.state_dict()
    assert torch.equal(old["heads.lapse.weight"], new["heads.lapse.weight"])
    assert not torch.equal(old["heads.interaction.weight"], new["heads.interaction.weight"])
    assert tuned.trainable == sum(each.numel() for each in base.parameters()) - 9


def test_equal_seeds_give_equal_models_and_others_do_not(dataset: Dataset) -> None:
    torch.manual_seed(1)
    base, lean = AttentionModel(MODEL), needed(of_world(dataset, "gaming"), MODEL.context)
    plan = plans({"epochs": "1"}, ("lora",), TRAINING, "gaming")["lora"]
    one, same, other = (fit_way(base, lean, plan, seed).model.state_dict() for seed in (1, 1, 2))
    name = "layers.0.attention.project.weight"
    assert torch.equal(one[name], same[name])
    assert not torch.equal(one[name], other[name])


def test_a_setting_goes_to_every_way_that_knows_it_and_to_no_other() -> None:
    chosen = plans({"rank": "3", "whole": "norms", "epochs": "4"}, ("full", "lora", "adapter"), TRAINING, "gaming")
    assert chosen["lora"].settings.rank == 3
    assert chosen["lora"].settings.whole == chosen["adapter"].settings.whole == ("norms",)
    for plan in chosen.values():
        assert (plan.training.epochs, plan.training.worlds, plan.training.seed) == (4, ("gaming",), 3)
        assert plan.training.horizon_min == TRAINING.horizon_min
    rates = {name: plan.training.learning_rate for name, plan in chosen.items()}
    assert rates["full"] < rates["lora"], "each way has a rate of its own"
    given = plans({"learning_rate": "1e-5"}, ("full", "lora"), TRAINING, "gaming")
    assert {plan.training.learning_rate for plan in given.values()} == {1e-5}
    with pytest.raises(BadInput, match="no setting of full, lora fine-tuning is called 'seed'"):
        plans({"seed": "4"}, ("full", "lora"), TRAINING, "gaming")
