"""Rules of the split: people do not move between parts, and labels do not look from one part into another."""

from dataclasses import replace

import numpy as np
import pytest

from infra.contracts.errors import BadInput
from models.training.settings import TrainingConfig
from models.training.split import Role, labelled, roles

HOUR_US = 3_600_000_000
CONFIG = TrainingConfig(seed=3)


def made(people: int = 2_000, hours: int = 20) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    person = np.repeat(np.random.default_rng(1).integers(1, 2**63, people, dtype=np.uint64), hours)
    time_us = np.tile(np.arange(hours) * HOUR_US, people)
    return person, time_us, roles(person, time_us, CONFIG)


def test_shares_of_people_are_those_of_the_config() -> None:
    person, time_us, role = made()
    at_the_start = role[time_us == 0]
    shares = [float((at_the_start == each).mean()) for each in (Role.TRAIN, Role.VALIDATION, Role.TEST)]
    np.testing.assert_allclose(shares, [0.7, 0.1, 0.2], atol=0.03)
    assert len(np.unique(person)) == len(at_the_start)


def test_a_test_person_is_test_at_all_times() -> None:
    person, _, role = made()
    tested = np.isin(person, np.unique(person[role == Role.TEST]))
    assert (role[tested] == Role.TEST).all()


def test_training_people_validate_after_the_cut_and_carry_no_loss_just_before_it() -> None:
    person, time_us, role = made()
    training = np.isin(person, np.unique(person[role == Role.TRAIN]))
    hour = time_us[training] // HOUR_US
    cut = 16  # the 85% quantile of hours 0 to 19
    assert (role[training][hour < cut] == Role.TRAIN).all()
    assert (role[training][hour == cut] == Role.NONE).all()
    assert (role[training][hour > cut] == Role.VALIDATION).all()


def test_the_split_is_a_function_of_seed_and_person() -> None:
    person, time_us, role = made()
    order = np.random.default_rng(2).permutation(len(person))
    assert (roles(person[order], time_us[order], CONFIG) == role[order]).all()
    other = roles(person, time_us, TrainingConfig(seed=4))
    assert (other != role).any()


def test_labels_of_a_share_are_known_and_smaller_shares_lie_in_larger_ones() -> None:
    person, time_us, whole = made()
    people = np.unique(person)
    known = {share: labelled(people, replace(CONFIG, label_share=share)) for share in (0.01, 0.1, 0.5, 1.0)}
    assert known[1.0].all()
    for smaller, larger in ((0.01, 0.1), (0.1, 0.5)):
        assert (known[larger] | ~known[smaller]).all()
        np.testing.assert_allclose(known[larger].mean(), larger, atol=0.03)
    assert known[0.01].any()
    role = roles(person, time_us, replace(CONFIG, label_share=0.1))
    whose = np.isin(person, people[known[0.1]])
    assert (role[whose] == whole[whose]).all()
    assert set(whole[~whose & (role == Role.UNLABELLED)]) == {Role.TRAIN}
    assert not np.isin(role[~whose], [Role.TRAIN, Role.VALIDATION]).any()
    assert ((role == Role.TEST) == (whole == Role.TEST)).all()


def test_who_is_labelled_has_nothing_to_do_with_who_trains() -> None:
    person = np.random.default_rng(1).integers(1, 2**63, 20_000, dtype=np.uint64)
    role = roles(person, np.zeros(len(person), dtype=np.int64), replace(CONFIG, horizon_min=0))
    known = labelled(person, replace(CONFIG, label_share=0.1))
    for each in (Role.VALIDATION, Role.TEST):
        np.testing.assert_allclose(known[role == each].mean(), 0.1, atol=0.02)


def test_another_start_labels_other_people_and_splits_the_same() -> None:
    person, time_us, whole = made()
    assert (roles(person, time_us, replace(CONFIG, start=2)) == whole).all()
    first, other = (labelled(person, replace(CONFIG, label_share=0.1, start=start)) for start in (0, 2))
    assert (first != other).any()
    seeds = {replace(CONFIG, start=start).start_seed for start in range(50)}
    assert len(seeds) == 50
    assert CONFIG.start_seed == CONFIG.seed


@pytest.mark.parametrize("settings", [{"label_share": 0.0}, {"label_share": 1.5}, {"start": -1}])
def test_shares_and_starts_that_mean_nothing_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(BadInput, match=next(iter(settings))):
        TrainingConfig(**settings)  # type: ignore[arg-type]  # as a mapping of one kind
