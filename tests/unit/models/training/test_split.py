"""Rules of the split: people do not move between parts, and labels do not look from one part into another."""

import numpy as np

from models.training.settings import TrainingConfig
from models.training.split import Role, roles

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
