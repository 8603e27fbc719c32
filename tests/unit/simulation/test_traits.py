"""Who people are together."""

import numpy as np
import pytest

from simulation.core.population import born
from simulation.core.rows import Rows
from simulation.core.traits import ARCHETYPES, CORRELATIONS, correlation
from simulation.scenarios import load

NAMES = [archetype.name for archetype in ARCHETYPES]


@pytest.fixture(scope="module")
def crowd() -> Rows:
    """Twenty thousand people on their first morning."""
    return born(load("demo"), 7, np.arange(20_000))


def test_every_archetype_has_its_share(crowd: Rows) -> None:
    shares = np.bincount(crowd["archetype"], minlength=len(ARCHETYPES)) / len(crowd)
    assert shares == pytest.approx([archetype.share for archetype in ARCHETYPES], abs=0.01)
    assert sum(archetype.share for archetype in ARCHETYPES) == pytest.approx(1.0)


def test_traits_go_together_as_the_table_says(crowd: Rows) -> None:
    steady = crowd[crowd["archetype"] == NAMES.index("steady")]
    # Skewed traits are compared on the scale on which they are normal.
    seen = {
        name: np.log(steady[name]) if name in {"restless", "tempo", "gain", "reactive"} else steady[name]
        for name in {name for pair in CORRELATIONS for name in pair}
    }
    for (one, other), value in CORRELATIONS.items():
        assert np.corrcoef(seen[one], seen[other])[0, 1] == pytest.approx(value, abs=0.05), (one, other)


def test_the_correlations_are_possible_together() -> None:
    assert np.linalg.eigvalsh(correlation()).min() > 0.1


def test_the_attention_deficit_and_the_anxious_stand_out(crowd: Rows) -> None:
    def group(name: str) -> Rows:
        chosen: Rows = crowd[crowd["archetype"] == NAMES.index(name)]
        return chosen

    deficit, anxious = group("attention deficit"), group("anxious")
    assert deficit["control"].mean() < crowd["control"].mean() - crowd["control"].std()
    assert deficit["restless"].mean() > 1.5 * crowd["restless"].mean()
    assert anxious["reactive"].mean() > 1.3 * crowd["reactive"].mean()
    assert anxious["cheer"].mean() < crowd["cheer"].mean() - 0.7 * crowd["cheer"].std()


def test_means_are_those_of_before_archetypes(crowd: Rows) -> None:
    assert crowd["control"].mean() == pytest.approx(0.72, abs=0.01)
    assert crowd["cheer"].mean() == pytest.approx(0.18, abs=0.01)
    assert crowd["restless"].mean() == pytest.approx(1.0, abs=0.08)


def test_anyone_can_be_born_alone(crowd: Rows) -> None:
    some = np.array([3, 77, 19_999])
    assert (born(load("demo"), 7, some) == crowd[some]).all()
