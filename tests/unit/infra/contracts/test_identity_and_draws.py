"""Pseudonyms are a bijection, partitions are even, and draws depend on their keys alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.draws import bits, mix, uniform
from infra.contracts.identity import Pseudonyms, partition_of
from infra.contracts.topics import PARTITIONS

U64 = st.integers(0, 2**64 - 1)


@given(key=st.binary(min_size=1, max_size=80), numbers=st.lists(U64, min_size=1, max_size=20))
def test_a_pseudonym_leads_back_to_its_number_with_the_key(key: bytes, numbers: list[int]) -> None:
    pseudonyms = Pseudonyms(key)
    internal = np.array(numbers, dtype=np.uint64)
    assert (pseudonyms.decode(pseudonyms.encode(internal)) == internal).all()


def test_neighbouring_numbers_get_unrelated_pseudonyms_and_another_key_gives_others() -> None:
    numbers = np.arange(10_000, dtype=np.uint64)
    one, other = Pseudonyms(b"one").encode(numbers), Pseudonyms(b"other").encode(numbers)
    assert len(np.unique(one)) == 10_000
    assert not (one == other).any()
    flipped = np.bitwise_count(one[1:] ^ one[:-1])
    assert 31 < flipped.mean() < 33


def test_people_spread_evenly_over_the_partitions() -> None:
    partition = partition_of(Pseudonyms(b"k").encode(np.arange(40_000, dtype=np.uint64)))
    shares = np.bincount(partition, minlength=PARTITIONS) / 40_000
    assert np.abs(shares - 1 / PARTITIONS).max() < 0.01


def test_splitmix_gives_the_published_sequence() -> None:
    # First outputs of SplitMix64 with seed 1234567 (Vigna's reference implementation).
    state = np.array([1234567 + i * 0x9E3779B97F4A7C15 for i in range(3)], dtype=object) % 2**64
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert mix(state.astype(np.uint64)).tolist() == expected


@given(seed=U64, purpose=st.integers(0, 2000), person=U64, tick=st.integers(0, 2**40), index=st.integers(0, 99))
def test_a_draw_is_the_same_alone_and_among_others(seed: int, purpose: int, person: int, tick: int, index: int) -> None:
    alone = uniform(seed, purpose, np.uint64(person), tick, index)[0]
    people = np.array([1, person, 7], dtype=np.uint64)
    assert uniform(seed, purpose, people, tick, index)[1] == alone
    assert 0 <= alone < 1


def test_draws_are_uniform_and_their_keys_are_not_interchangeable() -> None:
    people = np.arange(100_000, dtype=np.uint64)
    draws = uniform(1, 2, people, 3, 4)
    counts = np.histogram(draws, bins=20, range=(0, 1))[0]
    chi_square = ((counts - 5_000) ** 2 / 5_000).sum()
    assert chi_square < 43.8  # 0.1% point of chi-square with 19 degrees of freedom
    assert bits(1, 2, np.uint64(3), 4, 5)[0] != bits(1, 3, np.uint64(2), 4, 5)[0]
    assert abs(np.corrcoef(draws, uniform(1, 2, people, 4, 4))[0, 1]) < 0.02
