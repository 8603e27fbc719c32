"""The measuring of the simulation: fair baselines, equal work."""

import pytest

from simulation.bench.baselines import measure_plain, measure_plain_with_python_random, python_random
from simulation.bench.measuring import Span, measure, same, waking
from simulation.cognition import mind
from simulation.core import draws
from simulation.core.model import Metaverse

SPAN = Span(warmup=20, ticks=10)


def drawn_by_mind(*keys: int) -> float:
    """A draw as a kernel of `cognition.mind` has it: by the name in its module."""
    drawn: float = vars(mind)["uniform"](*keys)
    return drawn


def test_pythons_numbers_replace_every_draw_of_the_plain_form_and_only_meanwhile() -> None:
    keys = (1, 2, 3, 4, 5)
    with python_random(7):
        first, second = drawn_by_mind(*keys), drawn_by_mind(*keys)
        assert first != second
        assert draws.uniform(*keys) == draws.uniform(*keys)
    assert vars(mind)["uniform"] is draws.uniform


def test_pythons_numbers_are_put_back_after_an_error() -> None:
    with pytest.raises(RuntimeError), python_random(7):
        raise RuntimeError
    assert vars(mind)["uniform"] is draws.uniform


def test_both_baselines_do_the_work_of_the_arrays() -> None:
    scenario = waking(300)
    fast, plain = measure(Metaverse(scenario), SPAN, keep=True), measure_plain(scenario, SPAN)
    assert same(fast, plain)
    assert fast.steps == plain.steps == 3000
    with_python = measure_plain_with_python_random(scenario, SPAN)
    assert 0.7 * plain.events < with_python.events < 1.4 * plain.events


def test_different_work_is_noticed() -> None:
    one, other = (measure(Metaverse(waking(300), seed), SPAN, keep=True) for seed in (1, 2))
    assert not same(one, other)
