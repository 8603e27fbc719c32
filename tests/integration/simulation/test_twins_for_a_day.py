"""The array model against the plain one at the size that is promised: 500 people over a day."""

import pytest

from simulation.core.model import Metaverse
from simulation.reference import PlainMetaverse
from simulation.scenarios import load
from simulation.scenarios.changes import WORLD_NAMES
from tests.unit.simulation.test_twins import assert_same

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
DAY = {"people": "500", "days": "1", "warmup_days": "0", "start": "2026-03-02T00:00:00Z"}


@pytest.mark.parametrize("worlds", [*(f"{{{name}: 1}}" for name in WORLD_NAMES), "{}"])
def test_a_day_of_500_people_is_the_same_in_both_forms(worlds: str) -> None:
    chosen = {"worlds": worlds} if worlds != "{}" else {}
    scenario = load("tiny", DAY | chosen)
    fast, plain = Metaverse(scenario), PlainMetaverse(scenario)
    events = 0
    for _ in range(scenario.ticks):
        fast.step()
        plain.step()
        output = fast.drain()
        assert_same(output, plain.drain())
        events += output.events.num_rows
    assert events > 20_000
